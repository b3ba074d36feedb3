"""Repositories on demand: a pipeline requests a name and gets a repository that is configured by the house rules.

Triggered by
    the REST API (``provision_repositories_handler``); as a safety net, CloudTrail's event of a push to a repository
    that does not exist (``catch_failed_push_handler``); a schedule (``scan_fleet_handler``).
May touch
    ECR: describe and create any repository; configure only those that carry our tag, which an adoption gives to an
    existing one. Never deletes anything. Its own DynamoDB table. The ``steward`` bus.
Publishes
    RepositoryCreated, RepositoryAdopted, RepositoryConfigurationChanged, RepositoryRetentionShortened,
    RepositoryRequestDenied, PushToMissingRepositoryObserved, RepositoryFleetScanned.
"""
