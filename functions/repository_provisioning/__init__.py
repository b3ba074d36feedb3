"""Repositories on demand: a pipeline requests a name and gets a repository that is configured by the house rules.

Triggered by
    the REST API (``api_handler``) and, as a safety net, by CloudTrail's event of a push to a repository that does not
    exist (``failed_push_handler``).
May touch
    ECR: describe and create any repository; configure only those that carry our tag. Never deletes anything.
    Its own DynamoDB table. The ``steward`` bus.
Publishes
    RepositoryCreated, RepositoryConfigurationChanged, RepositoryRequestDenied, PushToMissingRepositoryObserved.
"""
