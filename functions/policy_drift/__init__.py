"""IAM policy drift: how access differs from what was approved, who changed it, and how to revert it.

Triggered by
    a schedule, a new version of the baseline and ``POST /drift/scans`` (``scan_account_handler``); CloudTrail's
    events of changes in IAM, through a queue (``check_changes_handler``); operators through the REST API
    (``operate_drift_handler``).
May touch
    IAM and CloudTrail's event history: reading only. Its own buckets (baseline, reports) and DynamoDB table.
    The ``steward`` bus.
Publishes
    PolicyDriftDetected, PolicyDriftResolved, PolicyDriftAcknowledged, DriftScanCompleted, DriftScanFailed,
    BaselineChanged, BaselineRefused, DriftReportRefused.
"""
