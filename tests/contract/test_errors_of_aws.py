"""What moto cannot say: how each adapter reads AWS's errors, as botocore parses them from real answers.

moto never throttles, denies, fails, fills a registry, applies tag policies, knows KMS keys' states or leaves keys of a
batch unprocessed.
"""

from datetime import UTC, date, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import ANY, Stubber

from repository_provisioning.adapters.dynamodb_state import DynamoDbCreationQuota, DynamoDbRecords
from repository_provisioning.adapters.ecr_registry import EcrContainerRegistry
from repository_provisioning.application.ports import (
    PrincipalNotYetKnownError,
    Record,
    RepositoryAlreadyExistsError,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.configuration import Configuration, Repository
from repository_provisioning.domain.events import RepositoryRequestDenied
from repository_provisioning.domain.house_rules import Lifecycle, RepositoryRule
from repository_provisioning.domain.names import NamePattern, RepositoryName
from steward.aws.event_bus import EventBridgePublisher
from steward.errors import AccessDeniedError, ConflictError, RuleViolationError, ThrottledError, UpstreamError
from steward.events import NotPublishedError
from tests.doubles.frozen_clock import FrozenClock

WEB = RepositoryName("team-a/web")
PLAIN = Configuration.of(WEB, RepositoryRule(NamePattern("**")))
LIFECYCLE = Configuration.of(WEB, RepositoryRule(NamePattern("**"), lifecycle=Lifecycle(keep_last=1))).lifecycle_policy
SHOWN = Repository(
    "team-a/web", "arn:aws:ecr:ca-central-1:123456789012:repository/team-a/web", "u", "r", datetime.now(UTC), "M"
)


def stubbed(service):
    client = boto3.client(
        service, region_name="ca-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    return client, Stubber(client)


@pytest.fixture
def ecr():
    client, stubber = stubbed("ecr")
    with stubber:
        yield EcrContainerRegistry(client, FrozenClock()), stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def dynamodb():
    client, stubber = stubbed("dynamodb")
    with stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


OPERATIONS = {
    "describe_repositories": lambda registry: registry.find(WEB),
    "create_repository": lambda registry: registry.create(WEB, PLAIN, {}),
    "list_tags_for_resource": lambda registry: registry.tags(SHOWN),
    "get_lifecycle_policy": lambda registry: registry.lifecycle_policy(WEB),
    "get_repository_policy": lambda registry: registry.repository_policy(WEB),
    "put_image_tag_mutability": lambda registry: registry.put_tag_mutability(WEB, PLAIN),
    "put_lifecycle_policy": lambda registry: registry.put_lifecycle_policy(WEB, LIFECYCLE),
    "set_repository_policy": lambda registry: registry.put_repository_policy(WEB, "{}"),
    "tag_resource": lambda registry: registry.put_tags(SHOWN, {"a": "b"}),
}
OF_ALL_OPERATIONS = {
    "ThrottlingException": ThrottledError,
    "Throttling": ThrottledError,
    "TooManyRequestsException": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "AccessDeniedException": AccessDeniedError,
    "AccessDenied": AccessDeniedError,
    "ServerException": UpstreamError,
    "InternalFailure": UpstreamError,
    "UnrecognizedClientException": UpstreamError,
    "AnErrorThatNobodyHasSeenYet": UpstreamError,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("code", OF_ALL_OPERATIONS)
def test_a_failure_of_ecr_is_never_read_as_missing(ecr, operation, code):
    registry, stubber = ecr
    stubber.add_client_error(operation, code, "nope")

    with pytest.raises(UpstreamError) as failed:
        OPERATIONS[operation](registry)

    assert type(failed.value) is OF_ALL_OPERATIONS[code]
    assert failed.value.code == code
    assert failed.value.after_seconds > 0


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("create_repository", "LimitExceededException", ConflictError),
        ("create_repository", "RepositoryAlreadyExistsException", RepositoryAlreadyExistsError),
        ("create_repository", "InvalidParameterException", RuleViolationError),
        ("create_repository", "InvalidTagParameterException", RuleViolationError),
        ("create_repository", "TooManyTagsException", RuleViolationError),
        ("create_repository", "TagPolicyException", RuleViolationError),
        ("create_repository", "KmsException", RuleViolationError),
        ("put_lifecycle_policy", "InvalidParameterException", RuleViolationError),
        ("put_lifecycle_policy", "RepositoryNotFoundException", RepositoryNotFoundError),
        ("set_repository_policy", "InvalidParameterException", RuleViolationError),
        ("set_repository_policy", "RepositoryNotFoundException", RepositoryNotFoundError),
        ("tag_resource", "TagPolicyException", RuleViolationError),
        ("get_lifecycle_policy", "RepositoryNotFoundException", RepositoryNotFoundError),
    ],
)
def test_what_ecr_refuses_is_the_caller_s_to_mend(ecr, operation, code, error):
    registry, stubber = ecr
    stubber.add_client_error(operation, code, "the reason that ECR gives")

    with pytest.raises(error, match="the reason that ECR gives") as refused:
        OPERATIONS[operation](registry)

    assert refused.value.code == code


def test_a_principal_unknown_to_aws_so_far_is_no_error_of_the_policy(ecr):
    registry, stubber = ecr
    stubber.add_client_error(
        "set_repository_policy",
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    )

    with pytest.raises(PrincipalNotYetKnownError):
        registry.put_repository_policy(WEB, "{}")


def test_only_ecr_s_own_word_makes_a_repository_missing(ecr):
    registry, stubber = ecr
    stubber.add_client_error("describe_repositories", "RepositoryNotFoundException")

    assert registry.find(WEB) is None


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_lifecycle_policy", "LifecyclePolicyNotFoundException"),
        ("get_repository_policy", "RepositoryPolicyNotFoundException"),
    ],
)
def test_only_ecr_s_own_word_makes_a_policy_missing(ecr, operation, code):
    registry, stubber = ecr
    stubber.add_client_error(operation, code)

    assert OPERATIONS[operation](registry) is None


def test_a_text_that_botocore_refuses_is_the_caller_s_to_mend():
    client, _ = stubbed("ecr")
    client.meta.events.register("before-send.ecr", _no_way)
    registry = EcrContainerRegistry(client, FrozenClock())

    with pytest.raises(RuleViolationError, match=r"ECR would reject it: .*lifecyclePolicyText.*valid min length: 100"):
        registry.put_lifecycle_policy(WEB, "{}")


def test_an_aws_that_cannot_be_reached_is_an_upstream_error():
    client, _ = stubbed("ecr")
    client.meta.events.register("before-send.ecr", _no_way)

    with pytest.raises(UpstreamError, match=r"could not be reached \(ConnectTimeoutError\)"):
        EcrContainerRegistry(client, FrozenClock()).find(WEB)


def _no_way(**_):
    raise ConnectTimeoutError(endpoint_url="ecr")


def scanning(*rules):
    return {"registryId": "123456789012", "scanningConfiguration": {"scanType": "BASIC", "rules": list(rules)}}


def rule(frequency, text):
    return {"scanFrequency": frequency, "repositoryFilters": [{"filter": text, "filterType": "WILDCARD"}]}


@pytest.mark.parametrize(
    ("rules", "scans"),
    [
        ([], False),
        ([rule("SCAN_ON_PUSH", "*")], True),
        ([rule("CONTINUOUS_SCAN", "team-a/*")], True),
        ([rule("SCAN_ON_PUSH", "a/we")], True),
        ([rule("SCAN_ON_PUSH", "team-b/*")], False),
        ([rule("MANUAL", "*")], False),
    ],
)
def test_a_name_is_scanned_when_a_rule_of_the_registry_means_it(ecr, rules, scans):
    registry, stubber = ecr
    stubber.add_response("get_registry_scanning_configuration", scanning(*rules))

    assert registry.scans(WEB) is scans


def test_the_scan_configuration_is_read_once_in_five_minutes():
    client, stubber = stubbed("ecr")
    clock = FrozenClock()
    registry = EcrContainerRegistry(client, clock)
    with stubber:
        stubber.add_response("get_registry_scanning_configuration", scanning())
        stubber.add_response("get_registry_scanning_configuration", scanning(rule("SCAN_ON_PUSH", "*")))
        first, second = registry.scans(WEB), registry.scans(WEB)
        clock.advance(minutes=5)
        third = registry.scans(WEB)

    assert (first, second, third) == (False, False, True)


def test_a_scan_configuration_that_cannot_be_read_is_unknown_and_not_asked_for_again_at_once():
    client, stubber = stubbed("ecr")
    clock = FrozenClock()
    registry = EcrContainerRegistry(client, clock)
    with stubber:
        stubber.add_client_error("get_registry_scanning_configuration", "AccessDeniedException")
        stubber.add_response("get_registry_scanning_configuration", scanning(rule("SCAN_ON_PUSH", "*")))
        first, second = registry.scans(WEB), registry.scans(WEB)
        clock.advance(minutes=5)
        third = registry.scans(WEB)

    assert (first, second, third) == (None, None, True)


def item(name):
    return {
        "id": {"S": f"repository#{name}"},
        "fingerprint": {"S": "f"},
        "managed": {"BOOL": True},
        "overrides": {"S": "{}"},
    }


def left(name):
    return {"state": {"Keys": [{"id": {"S": f"repository#{name}"}}], "ConsistentRead": True}}


def test_keys_that_dynamodb_leaves_unprocessed_are_asked_for_again(dynamodb):
    client, stubber = dynamodb
    stubber.add_response(
        "batch_get_item", {"Responses": {"state": [item("team-a/web")]}, "UnprocessedKeys": left("team-a/api")}
    )
    stubber.add_response(
        "batch_get_item", {"Responses": {"state": [item("team-a/api")]}}, {"RequestItems": left("team-a/api")}
    )

    found = DynamoDbRecords(client, "state", FrozenClock()).get_many([WEB, RepositoryName("team-a/api")])

    assert set(found) == {"team-a/web", "team-a/api"}


def test_keys_that_stay_unprocessed_are_throttling_and_never_no_record(dynamodb):
    client, stubber = dynamodb
    for _ in range(5):
        stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left("team-a/web")})

    with pytest.raises(ThrottledError):
        DynamoDbRecords(client, "state", FrozenClock()).get_many([WEB])


def test_a_record_that_this_version_cannot_read_counts_as_none(dynamodb):
    client, stubber = dynamodb
    unreadable = {**item("team-a/web"), "overrides": {"S": '{"lifecycle": {"keep_last": 0}}'}}
    stubber.add_response("batch_get_item", {"Responses": {"state": [unreadable]}})

    assert DynamoDbRecords(client, "state", FrozenClock()).get_many([WEB]) == {}


STATE_CALLS = {
    "batch_get_item": lambda client: DynamoDbRecords(client, "state", FrozenClock()).get_many([WEB]),
    "put_item": lambda client: DynamoDbRecords(client, "state", FrozenClock()).put(WEB, Record("f", managed=True)),
    "update_item": lambda client: DynamoDbCreationQuota(client, "state").take("c", date(2026, 5, 4), 1),
}
STATE_ERRORS = {
    "ProvisionedThroughputExceededException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "AccessDeniedException": AccessDeniedError,
    "InternalServerError": UpstreamError,
    "ResourceNotFoundException": UpstreamError,
}


@pytest.mark.parametrize("operation", STATE_CALLS)
@pytest.mark.parametrize("code", STATE_ERRORS)
def test_a_failure_of_dynamodb_is_an_upstream_error(dynamodb, operation, code):
    client, stubber = dynamodb
    stubber.add_client_error(operation, code)

    with pytest.raises(UpstreamError) as failed:
        STATE_CALLS[operation](client)

    assert type(failed.value) is STATE_ERRORS[code]


def test_giving_back_fails_as_loudly(dynamodb):
    client, stubber = dynamodb
    stubber.add_client_error("update_item", "ThrottlingException")

    with pytest.raises(ThrottledError):
        DynamoDbCreationQuota(client, "state").give_back("c", date(2026, 5, 4))


def test_a_dynamodb_that_cannot_be_reached_counts_nothing():
    client, _ = stubbed("dynamodb")
    client.meta.events.register("before-send.dynamodb", _no_way)

    with pytest.raises(UpstreamError, match="could not be reached"):
        DynamoDbCreationQuota(client, "state").take("c", date(2026, 5, 4), 1)


@pytest.fixture
def bus():
    client, stubber = stubbed("events")
    publisher = EventBridgePublisher(
        client,
        bus="steward",
        capability="repository_provisioning",
        account="123456789012",
        region="ca-central-1",
        clock=FrozenClock(),
    )
    with stubber:
        yield publisher, stubber
        stubber.assert_no_pending_responses()


DENIED = RepositoryRequestDenied("team-b/web", "123456789012:role/ci", "no", [])
TAKEN = {"EventId": "1"}
SLOW = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}
BROKEN = {"ErrorCode": "InternalFailure"}


def answers(stubber, *entries):
    """One answer of the bus; so many entries must be asked for."""
    failed = sum("ErrorCode" in entry for entry in entries)
    stubber.add_response(
        "put_events", {"FailedEntryCount": failed, "Entries": list(entries)}, {"Entries": [ANY] * len(entries)}
    )


def test_events_that_the_bus_refuses_are_sent_again_without_those_that_it_took(bus):
    publisher, stubber = bus
    answers(stubber, TAKEN, SLOW, TAKEN)
    answers(stubber, TAKEN)

    publisher.publish([DENIED] * 3, correlation_id="request-1")


def test_events_that_the_bus_refuses_time_and_again_are_named_with_its_codes(bus):
    publisher, stubber = bus
    answers(stubber, TAKEN, SLOW, BROKEN)
    answers(stubber, SLOW, BROKEN)
    answers(stubber, SLOW, BROKEN)

    with pytest.raises(NotPublishedError, match="refused 2 events") as failed:
        publisher.publish([DENIED] * 3, correlation_id="request-1")

    assert failed.value.code == "InternalFailure, ThrottlingException"
    assert failed.value.missing == {1, 2}


def test_events_of_later_calls_are_published_though_the_bus_refuses_one_before(bus):
    publisher, stubber = bus
    answers(stubber, BROKEN, *[TAKEN] * 9)
    answers(stubber, BROKEN)
    answers(stubber, BROKEN)
    answers(stubber, TAKEN)

    with pytest.raises(NotPublishedError) as failed:
        publisher.publish([DENIED] * 11, correlation_id="request-1")

    assert failed.value.missing == {0}


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", AccessDeniedError), ("InternalException", UpstreamError)]
)
def test_a_bus_that_fails_is_an_upstream_error(bus, code, error):
    publisher, stubber = bus
    stubber.add_client_error("put_events", code)

    with pytest.raises(error):
        publisher.publish([DENIED], correlation_id="request-1")


def test_no_error_repeats_what_the_request_carried(ecr):
    registry, stubber = ecr
    stubber.add_client_error("set_repository_policy", "ServerException", "while processing secret-value")

    with pytest.raises(UpstreamError) as failed:
        registry.put_repository_policy(WEB, "{}")

    assert "secret-value" not in str(failed.value)


def test_quota_items_are_left_to_expire_two_days_later(dynamodb):
    client, stubber = dynamodb
    asked = {
        "TableName": "state",
        "Key": {"id": {"S": "quota#c#2026-05-04"}},
        "UpdateExpression": ANY,
        "ConditionExpression": ANY,
    }
    expiration = int((datetime(2026, 5, 4, tzinfo=UTC) + timedelta(days=2)).timestamp())
    values = {":amount": {"N": "1"}, ":limit": {"N": "3"}, ":expiration": {"N": str(expiration)}}
    stubber.add_response("update_item", {}, {**asked, "ExpressionAttributeValues": values})

    assert DynamoDbCreationQuota(client, "state").take("c", date(2026, 5, 4), 3)
