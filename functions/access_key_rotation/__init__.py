"""Access keys of service users: created, verified, promoted, drained and retired, without cutting a consumer off.

Triggered by
    a schedule (``planner_handler``), ``AccessKeyRotationDue`` through a queue (``worker_handler``), Secrets Manager's
    four steps (``secret_rotation_handler``), and operators through the REST API (``api_handler``).
May touch
    IAM: keys of users on the service path that carry the tag ``steward:rotate``; nothing else of theirs.
    Secrets Manager: the secrets ``steward/service-users/*``. Its own DynamoDB table. The ``steward`` bus.
Publishes
    AccessKeyRotationDue, AccessKeyRotated, AccessKeyDeactivated, AccessKeyDeleted, AccessKeyReactivated,
    AccessKeyRotationBlocked, AccessKeyRotationFailed, SecretReaderMissing, SecretDoesNotAuthenticate.
"""
