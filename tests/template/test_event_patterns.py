"""The pattern of every rule takes the events that it is for, and none of those beside them."""

import gzip
import json
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.doubles.event_ruler import matches
from tests.published_events import NAMES, golden_event

PROJECT = Path(__file__).parents[2]
ACCOUNT = "111122223333"
RECORDED = PROJECT.parent / "shared" / "corpora" / "cloudtrail_events.jsonl.gz"
READING = ("Get", "List", "Simulate", "Generate")


def trail_event(service, name, account=ACCOUNT, **more):
    """An event of CloudTrail, as EventBridge delivers it."""
    detail = {"eventSource": f"{service}.amazonaws.com", "eventName": name, **more}
    source = {"source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail", "account": account}
    return {"version": "0", "id": "1", "region": "us-east-1", "resources": [], **source, "detail": detail}


HEALTH = {
    "source": "aws.health",
    "detail-type": "AWS Health Event",
    "account": ACCOUNT,
    "detail": {"service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED"},
}
UPLOAD = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "account": ACCOUNT,
    "detail": {"bucket": {"name": "baseline"}, "object": {"key": f"baseline/{ACCOUNT}.json", "size": 5}},
}
FAILED_PUSH = trail_event("ecr", "InitiateLayerUpload", errorCode="RepositoryNotFoundException")
TEST_ALERT = {"source": "steward-test", "detail-type": "TestAlertRequested", "account": ACCOUNT, "detail": {}}
TAKEN = {
    "EventLogRule": [golden_event(name) for name in NAMES],
    "AlertRule": [*(golden_event(name) for name in NAMES), TEST_ALERT],
    "DecisionLogRule": [golden_event("BaselineChanged"), golden_event("RepositoryRequestDenied")],
    "FailedPushRule": [FAILED_PUSH],
    "RotationDueRule": [golden_event("AccessKeyRotationDue")],
    "SecretSyncRule": [golden_event("AccessKeyRotated")],
    "ExposedKeyRule": [HEALTH],
    "BaselineUploadRule": [UPLOAD, UPLOAD | {"detail-type": "Object Deleted"}],
    "IamChangeRule": [trail_event("iam", "AttachUserPolicy"), trail_event("iam", "SetDefaultPolicyVersion")],
    "IamChanges": [trail_event("iam", "AttachUserPolicy")],
    "ExposedKeys": [HEALTH],
}
REPLAYED = {"replay-name": "again"}
LEFT = {
    "EventLogRule": [FAILED_PUSH, TEST_ALERT, golden_event("AccessKeyRotated") | {"source": "stewards"}],
    "AlertRule": [golden_event("AccessKeyRotated") | REPLAYED, TEST_ALERT | REPLAYED],
    "DecisionLogRule": [golden_event("AccessKeyRotated")],
    "FailedPushRule": [
        FAILED_PUSH | REPLAYED,
        FAILED_PUSH | {"account": "444455556666"},
        trail_event("ecr", "InitiateLayerUpload"),
        trail_event("ecr", "PutImage", errorCode="RepositoryNotFoundException"),
    ],
    "SecretSyncRule": [golden_event("AccessKeyRotationDue"), golden_event("AccessKeyRotated") | REPLAYED],
    "RotationDueRule": [golden_event("AccessKeyRotated"), golden_event("AccessKeyRotationDue") | REPLAYED],
    "ExposedKeyRule": [HEALTH | {"detail": {"eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE"}}, HEALTH | REPLAYED],
    "BaselineUploadRule": [
        UPLOAD | {"detail": UPLOAD["detail"] | {"object": {"key": "baseline/444455556666.json"}}},
        UPLOAD | {"detail": UPLOAD["detail"] | {"bucket": {"name": "other"}}},
    ],
    "IamChangeRule": [
        trail_event("iam", "ListUsers"),
        trail_event("iam", "AttachUserPolicy", errorCode="AccessDenied"),
        trail_event("iam", "AttachUserPolicy", account="444455556666"),
        trail_event("iam", "AttachUserPolicy") | REPLAYED,
        trail_event("sts", "AssumeRole"),
    ],
    "IamChanges": [trail_event("sts", "AssumeRole"), trail_event("signin", "ConsoleLogin")],
    "ExposedKeys": [HEALTH | {"detail": {"eventTypeCode": "AWS_IAM_OPERATIONAL_ISSUE"}}],
}


def resolved(value):
    """A pattern with what CloudFormation puts in."""
    match value:
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Fn::Sub": str(text)}:
            return text.replace("${AWS::AccountId}", ACCOUNT)
        case {"Fn::If": ["WithOwnBaselineBucket", *_]}:
            return "baseline"
        case dict():
            return {key: resolved(each) for key, each in value.items()}
        case list():
            return [resolved(each) for each in value]
    return value


def rules():
    for template in ("template.yaml", "global-events.yaml"):
        for name, resource in yaml_parse((PROJECT / template).read_text())["Resources"].items():
            if resource["Type"] == "AWS::Events::Rule" and "EventPattern" in resource["Properties"]:
                yield name, resolved(resource["Properties"]["EventPattern"])


PATTERNS = dict(rules())


def test_every_rule_with_a_pattern_is_tried():
    assert PATTERNS.keys() == TAKEN.keys() == LEFT.keys()


@pytest.mark.parametrize("rule", PATTERNS)
def test_a_rule_takes_what_it_is_for_and_leaves_the_rest(rule):
    assert all(matches(PATTERNS[rule], event) for event in TAKEN[rule])
    assert [event for event in LEFT[rule] if matches(PATTERNS[rule], event)] == []


@pytest.mark.skipif(not RECORDED.exists(), reason="recorded events are not part of the project")
def test_recorded_changes_of_iam_are_taken_and_nothing_else():
    lines = gzip.decompress(RECORDED.read_bytes()).decode().splitlines()
    recorded = [json.loads(line)["event"] for line in lines]
    taken = 0
    for detail in recorded:
        event = {
            "source": f"aws.{detail['eventSource'].partition('.')[0]}",
            "detail-type": "AWS API Call via CloudTrail",
            "account": ACCOUNT,
            "detail": detail,
        }
        changed = (
            detail["eventSource"] == "iam.amazonaws.com"
            and not detail["eventName"].startswith(READING)
            and "errorCode" not in detail
        )
        taken += changed
        assert matches(PATTERNS["IamChangeRule"], event) is changed, detail["eventName"]
        assert matches(PATTERNS["IamChanges"], event) is (detail["eventSource"] == "iam.amazonaws.com")

    assert taken > 40


@pytest.mark.parametrize(
    ("pattern", "event", "taken"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x", "y"]}, {"a": ["z", "y"]}, True),
        ({"a": ["1"]}, {"a": 1}, False),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": False}]}, {"a": None}, False),
        ({"a": [{"exists": True}]}, {"a": "x"}, True),
        ({"a": [{"prefix": "st."}]}, {"a": "st.x"}, True),
        ({"a": [{"anything-but": {"prefix": ["Get", "List"]}}]}, {"a": "ListUsers"}, False),
        ({"a": [{"anything-but": {"prefix": ["Get", "List"]}}]}, {}, False),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, True),
    ],
)
def test_patterns_match_as_event_ruler_says(pattern, event, taken):
    assert matches(pattern, event) is taken


def test_an_operator_that_was_never_tried_is_refused():
    with pytest.raises(ValueError, match="no operator"):
        matches({"a": [{"wildcard": "*"}]}, {"a": "x"})
