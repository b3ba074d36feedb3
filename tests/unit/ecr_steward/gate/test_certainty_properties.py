"""What the gate says of opaque values, against what the engine says of the values in their place."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.gate.inputs import Text, checked
from iam_policy import Verdict

OPAQUE = {"Ref": "Given"}
NAMED = "arn:aws:s3:::bucket/one"
VALUES = (NAMED, "arn:aws:s3:::bucket/two", "arn:aws:s3:::bucket/*", "*")
ADDS = {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}


def template(*statements):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    return json.dumps({"Parameters": {"Given": {"Type": "String"}}, "Resources": {"Policy": policy}})


def adds_access(base, head):
    findings = checked(Text("template.json", base), Text("template.json", head)).findings
    return any(finding.verdict in ADDS for finding in findings)


@st.composite
def statements(draw):
    element = draw(st.sampled_from(["Resource", "NotResource"]))
    statement = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Action": draw(st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*"])),
        element: draw(st.sampled_from([OPAQUE, OPAQUE, NAMED, "arn:aws:s3:::bucket/*", "*"])),
    }
    operators = ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "ForAllValues:StringLike"]
    if draw(st.booleans()):
        value = draw(st.sampled_from([OPAQUE, NAMED]))
        statement["Condition"] = {draw(st.sampled_from(operators)): {"aws:PrincipalTag/a": value}}
    return statement


def test_a_named_resource_that_an_opaque_exclusion_may_leave_out_is_more():
    excluding = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": OPAQUE}
    named = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": NAMED}

    assert adds_access(template(excluding), template(excluding, named))


@given(st.lists(statements(), min_size=1, max_size=3), st.lists(statements(), max_size=2), st.sampled_from(VALUES))
def test_no_value_of_what_is_opaque_adds_access_where_the_gate_finds_none(shared, added, value):
    base, head = template(*shared), template(*shared, *added)
    opaque = json.dumps(OPAQUE)

    if not adds_access(base, head):
        assert not adds_access(base.replace(opaque, json.dumps(value)), head.replace(opaque, json.dumps(value)))
