"""Access keys of service users: created, verified, promoted, drained and deleted, without cutting a consumer off.

Triggered by
    a schedule (``plan_rotations_handler``), ``AccessKeyRotationDue`` through a queue (``rotate_user_handler``), Secrets
    Manager's four steps (``rotate_secret_handler``), AWS Health (``replace_exposed_keys_handler``), a schedule
    (``prove_secrets_handler``), and operators through the REST API (``operate_service_users_handler``).
May touch
    IAM: keys of users on the service path that carry the tag ``steward:rotate``; nothing else of theirs.
    Secrets Manager: the secrets ``steward/service-users/*``. Its own DynamoDB table. The ``steward`` bus.
Publishes
    AccessKeyRotationDue, AccessKeyRotated, AccessKeyDeactivated, AccessKeyDeleted, AccessKeyReactivated,
    AccessKeyRotationBlocked, AccessKeyRotationFailed, SecretReaderMissing, SecretDoesNotAuthenticate.
"""
