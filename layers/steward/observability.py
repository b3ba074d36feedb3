"""Logs and metrics, the same for every function; both come from Powertools and are configured by the template.

Tracing is Lambda's own active tracing: the X-Ray SDK alone doubles a cold start (see docs/decisions), and the trace id
is in every log line all the same.
"""

import warnings

from aws_lambda_powertools import Logger, Metrics

NAMESPACE = "EcrSteward"
"""The CloudWatch namespace of all our metrics; the alarms of ``template.yaml`` name it too."""


def observe(capability: str) -> tuple[Logger, Metrics]:
    """The logger and the metrics of a capability's function: JSON lines to standard output, no AWS call."""
    # A request that only looks has nothing to count; Powertools would write a warning to the log.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    return Logger(service=capability), Metrics(namespace=NAMESPACE, service=capability)
