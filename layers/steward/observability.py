"""Logs and metrics, the same for every function; both come from Powertools and are configured by the template.

Tracing is Lambda's own active tracing: the X-Ray SDK alone doubles a cold start (see docs/decisions), and the trace id
is in every log line all the same.
"""

import os
import warnings
from typing import Any

from aws_lambda_powertools import Logger, Metrics

NAMESPACE = "EcrSteward"
"""The CloudWatch namespace of all our metrics; the alarms of ``template.yaml`` name it too."""
MINIMAL = frozenset(
    {"UsersDue", "SecretsThatDoNotAuthenticate", "SecretsNotProven", "DriftScansCompleted", "DriftsWithoutEvent"}
)
"""Metrics that alarms watch: the only ones that ``Monitoring=minimal`` emits, because each costs money every month."""


def observe(capability: str) -> tuple[Logger, Metrics]:
    """The logger and the metrics of a capability's function: JSON lines to standard output, no AWS call.

    Metrics have the dimensions ``service`` and ``stack``, so that two stacks of a region do not share alarms.
    """
    # A request that only looks has nothing to count; Powertools would write a warning to the log.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    kind = _WatchedMetrics if os.environ.get("STEWARD_MONITORING") == "minimal" else Metrics
    metrics = kind(namespace=NAMESPACE, service=capability)
    metrics.set_default_dimensions(stack=os.environ["STEWARD_STACK"])
    return Logger(service=capability), metrics


class _WatchedMetrics(Metrics):
    """Emits what an alarm watches, and drops the rest."""

    def add_metric(self, name: str, *arguments: Any, **keywords: Any) -> None:
        """Add a metric of ``MINIMAL``."""
        if name in MINIMAL:
            super().add_metric(name, *arguments, **keywords)
