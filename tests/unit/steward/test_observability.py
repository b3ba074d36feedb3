"""Metrics name their stack, and minimal monitoring emits only what alarms watch."""

import json

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from steward.observability import observe


@pytest.fixture
def emitted(monkeypatch, capsys):
    def emit(monitoring, *names):
        monkeypatch.setenv("STEWARD_STACK", "ecr-steward")
        monkeypatch.setenv("STEWARD_MONITORING", monitoring)
        _, metrics = observe("policy_drift")
        metrics.clear_metrics()
        for name in names:
            metrics.add_metric(name, MetricUnit.Count, 1)
        metrics.flush_metrics()
        printed = capsys.readouterr().out
        return json.loads(printed) if printed.strip() else {}

    return emit


def test_metrics_have_the_dimensions_service_and_stack(emitted):
    metrics = emitted("full", "OpenHigh")

    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert [sorted(dimensions) for dimensions in described["Dimensions"]] == [["service", "stack"]]
    assert (metrics["stack"], metrics["service"], metrics["OpenHigh"]) == ("ecr-steward", "policy_drift", [1.0])


def test_minimal_monitoring_emits_what_alarms_watch_and_nothing_else(emitted):
    metrics = emitted("minimal", "OpenHigh", "DriftScansCompleted")

    assert "DriftScansCompleted" in metrics
    assert "OpenHigh" not in metrics


def test_minimal_monitoring_emits_nothing_when_no_alarm_watches_it(emitted):
    assert emitted("minimal", "OpenHigh") == {}
