"""The rules of drift under the shipped severities."""

from functools import partial

from policy_drift.bootstrap import drift_severities
from policy_drift.domain.comparison import drifts as comparison
from policy_drift.domain.severity import assessment

SEVERITIES = drift_severities()
drifts = partial(comparison.drifts, severities=SEVERITIES)
severity_of = partial(assessment.severity_of, severities=SEVERITIES)
