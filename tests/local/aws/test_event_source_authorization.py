"""IAM decides about event source mappings on the function that they invoke."""

import pytest

from tests.local.aws.functions import deploy_function
from tests.local.aws.launched import ACCOUNT, REGION, allow

ANSWERS = "def handler(event, context):\n    return None\n"
EVERY_CALL = allow("lambda:*EventSourceMapping*")


@pytest.fixture(scope="module")
def functions(aws):
    """The ARNs of two functions."""
    return [deploy_function(aws, f"mapped-{name}", ANSWERS, allow("sqs:*")) for name in ("ours", "theirs")]


@pytest.fixture
def queue(aws, name):
    created = f"mapped-{name[-8:]}"
    aws.client("sqs").create_queue(QueueName=created)
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{created}"


@pytest.fixture
def limited(aws, functions):
    """The client of somebody with every right on mappings, but for those of the first function."""
    denied = EVERY_CALL | {"Effect": "Deny", "Condition": {"ArnLike": {"lambda:FunctionArn": f"{functions[0]}*"}}}
    return aws.client("lambda", aws.session(EVERY_CALL, denied))


@pytest.mark.parametrize("parts", [slice(None), slice(-1, None)], ids=["ARN", "name"])
def test_a_mapping_is_made_only_of_a_function_that_the_right_names(limited, functions, queue, parts):
    ours, theirs = (":".join(arn.split(":")[parts]) for arn in functions)

    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.create_event_source_mapping(FunctionName=ours, EventSourceArn=queue)
    made = limited.create_event_source_mapping(FunctionName=theirs, EventSourceArn=queue)

    assert made["FunctionArn"] == functions[1]


def test_a_mapping_of_another_function_is_neither_read_nor_changed_nor_deleted(aws, limited, functions, queue):
    owner = aws.client("lambda")
    made = owner.create_event_source_mapping(FunctionName=functions[0], EventSourceArn=queue)["UUID"]

    for call, changes in (
        (limited.get_event_source_mapping, {}),
        (limited.update_event_source_mapping, {"Enabled": False}),
        (limited.delete_event_source_mapping, {}),
    ):
        with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
            call(UUID=made, **changes)

    assert owner.get_event_source_mapping(UUID=made)["State"] == "Enabled"


def test_a_mapping_of_one_s_own_function_is_changed_and_deleted(aws, limited, functions, queue):
    made = limited.create_event_source_mapping(FunctionName=functions[1], EventSourceArn=queue)["UUID"]

    changed = limited.update_event_source_mapping(UUID=made, Enabled=False)
    limited.delete_event_source_mapping(UUID=made)

    assert changed["State"] in {"Disabled", "Disabling"}
    assert made not in {one["UUID"] for one in limited.list_event_source_mappings()["EventSourceMappings"]}


def test_who_has_no_right_on_mappings_changes_none(aws, functions, queue):
    made = aws.client("lambda").create_event_source_mapping(FunctionName=functions[0], EventSourceArn=queue)["UUID"]
    stranger = aws.client("lambda", aws.session(allow("lambda:ListFunctions")))

    with pytest.raises(stranger.exceptions.ClientError, match="AccessDenied"):
        stranger.delete_event_source_mapping(UUID=made)
