"""The safety net's entry: CloudTrail's event of a push to a repository that does not exist."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.typing import LambdaContext

from repository_provisioning.application.catch_failed_push import FailedPush
from repository_provisioning.bootstrap import CAPABILITY, catch_failed_push, caught_pushes
from steward.observability import observe
from steward.principals import Principal

REPEATED_WITHIN = timedelta(minutes=5)
"""How long the failures of one pusher and one repository count as one: a client sends several per push, and retries."""

logger, metrics = observe(CAPABILITY)
_safety_net = catch_failed_push()
_once = IdempotencyConfig(
    event_key_jmespath="[repository, pusher]",
    expires_after_seconds=int(REPEATED_WITHIN.total_seconds()),
    raise_on_no_idempotency_key=True,
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@event_source(data_class=EventBridgeEvent)
def lambda_handler(event: EventBridgeEvent, context: LambdaContext) -> None:
    """Deal with one failed push; a failure of ours is tried again by Lambda, then kept in the dead letters."""
    _once.register_lambda_context(context)
    push = failed_push(event.detail)
    pusher = push.described_as
    outcome = catch(key={"repository": push.repository, "pusher": pusher}, push=push, event_id=event.get_id)
    logger.info("failed push", repository=push.repository, pusher=pusher, outcome=outcome)


@idempotent_function(data_keyword_argument="key", persistence_store=caught_pushes(), config=_once)
def catch(key: dict[str, str], push: FailedPush, event_id: str) -> str:  # noqa: ARG001 - the key is for the decorator
    """What became of the push; the same answer for its repetitions."""
    deadline = datetime.now(UTC) + timedelta(seconds=25)
    event = _safety_net.catch(push, event_id, deadline)
    return event.outcome if event else "off"


def failed_push(detail: dict[str, Any]) -> FailedPush:
    """The push that a CloudTrail record describes.

    The ARN is the one that the gateway would name: ``sessionIssuer`` is somebody else where a user is federated.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    identity, asked = detail["userIdentity"], detail["requestParameters"]
    try:
        pusher = Principal.from_arn(identity.get("arn", ""))
    except ValueError:
        pusher = None
    return FailedPush(
        repository=asked["repositoryName"],
        registry_id=asked["registryId"],
        pusher=pusher,
        described_as=str(pusher) if pusher else identity.get("type", "unknown"),
        event_id=detail["eventID"],
    )
