"""Repositories on demand: a pipeline asks for a name and finds a repository that is configured as the house rules say.

Triggered by
    the REST API (``api_handler``) and, as a safety net, by CloudTrail's event of a push to a repository that does not
    exist (``failed_push_handler``).
May touch
    ECR: describe and create any repository; configure only those that carry our tag. Never deletes anything.
    Its own DynamoDB table. The ``steward`` bus.
Publishes
    RepositoryCreated, RepositoryConfigurationChanged, RepositoryRequestDenied, PushToMissingRepositoryObserved.
"""
