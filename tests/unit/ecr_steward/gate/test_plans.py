"""Plans of Terraform: before and after, and what is known after the apply alone."""

import json

import pytest

from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import Text, checked
from iam_policy import Verdict
from policy_drift.domain.finding import Kind
from steward.severity import Severity


def document(action, resource="*", principal=None):
    statement = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": principal} if principal else {"Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = document("sts:AssumeRole", principal={"Service": "ec2.amazonaws.com"})


def change(address, before, after, unknown=None):
    kind = address.rpartition("module.")[2].split(".")[-2]
    inner = {"actions": ["update"], "before": before, "after": after, "after_unknown": unknown or {}}
    return {"address": address, "mode": "managed", "type": kind, "change": inner}


def plan(*changes, version="1.2", **more):
    return json.dumps({"format_version": version, "terraform_version": "1.9.0", "resource_changes": changes} | more)


def role(address="aws_iam_role.app"):
    values = {"name": "app", "assume_role_policy": TRUST, "path": "/"}
    return change(address, values, values)


def findings(*texts):
    (*base, head) = texts
    return checked(Text("plan.json", base[0]) if base else None, Text("plan.json", head)).findings


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2"])
def test_a_plan_is_compared_with_what_it_found(version):
    before, after = (
        {"name": "own", "role": "app", "policy": document(action)} for action in ("s3:GetObject", ["s3:*"])
    )

    (found,) = findings(plan(role(), change("aws_iam_role_policy.own", before, after), version=version))

    assert (found.entity, found.kind, found.verdict) == ("role/app", Kind.ACCESS, Verdict.BROADENED)


def test_a_plan_adds_nothing_to_itself():
    text = plan(role(), change("aws_iam_role_policy.own", None, {"role": "app", "policy": document("s3:*")}))

    assert findings(text, text) == ()


def created(address, unknown, expressions):
    made = change(address, None, {"name": "new"}, dict.fromkeys(unknown, True))
    made["change"]["actions"] = ["create"]
    said = {"root_module": {"resources": [{"address": address, "expressions": expressions}]}}
    return plan(made, configuration=said)


def test_an_argument_that_is_not_given_gives_no_access_to_a_new_resource():
    """The provider says of it that AWS's answer is not known yet."""
    assert findings(created("aws_s3_bucket.new", ["policy", "arn"], {"bucket": {"constant_value": "new"}})) == ()


def test_an_argument_that_rests_on_another_resource_is_not_known_for_a_new_one():
    given = {"policy": {"references": ["aws_s3_object.policy.content"]}}

    (found,) = findings(created("aws_s3_bucket.new", ["policy"], given))

    assert found.verdict is Verdict.UNKNOWN


def test_what_terraform_forgets_stays_as_it_is():
    forgotten = change("aws_iam_role_policy.own", {"role": "app", "policy": document("s3:*")}, None)
    forgotten["change"]["actions"] = ["forget"]

    assert findings(plan(role(), forgotten)) == ()


def test_a_module_deep_in_the_tree_is_read():
    address = "module.a.module.b[0].aws_iam_role_policy.own"
    after = {"name": "own", "role": "app", "policy": document("*")}

    (found,) = findings(plan(role(), change(address, None, after)))

    assert found.severity is Severity.CRITICAL


def test_a_policy_that_is_known_after_the_apply_is_never_clean():
    before = {"role": "app", "policy": document("s3:GetObject")}
    after = {"role": "app"}

    (found,) = findings(plan(role(), change("aws_iam_role_policy.own", before, after, {"policy": True})))

    assert found.verdict is Verdict.UNKNOWN


def test_a_data_source_gives_the_known_parts_of_a_policy_that_is_not_known():
    source = {"statement": [{"effect": "Allow", "actions": ["s3:*"], "resources": [None]}]}
    read = {
        "address": "data.aws_iam_policy_document.own",
        "mode": "data",
        "type": "aws_iam_policy_document",
        "change": {
            "actions": ["read"],
            "before": None,
            "after": source,
            "after_unknown": {"json": True, "statement": [{"resources": [True], "actions": [False]}]},
        },
    }
    references = ["data.aws_iam_policy_document.own.json", "data.aws_iam_policy_document.own"]
    configured = {"address": "aws_iam_role_policy.own", "expressions": {"policy": {"references": references}}}
    before = {"role": "app", "policy": document("sqs:SendMessage")}

    (found,) = findings(
        plan(
            role(),
            read,
            change("aws_iam_role_policy.own", before, {"role": "app"}, {"policy": True}),
            configuration={"root_module": {"resources": [configured]}},
        )
    )

    assert found.verdict is Verdict.INCOMPARABLE
    assert any("s3:" in sentence for sentence in found.added)


def test_a_policy_is_attached_by_its_reference_before_it_has_an_arn():
    policy = change("aws_iam_policy.more", None, {"name": "more", "policy": document("*")}, {"arn": True})
    attachment = change("aws_iam_role_policy_attachment.more", None, {"role": "app"}, {"policy_arn": True})
    configured = {
        "address": "aws_iam_role_policy_attachment.more",
        "expressions": {"policy_arn": {"references": ["aws_iam_policy.more.arn", "aws_iam_policy.more"]}},
    }

    (found,) = findings(plan(role(), policy, attachment, configuration={"root_module": {"resources": [configured]}}))

    assert (found.entity, found.verdict) == ("role/app", Verdict.BROADENED)


def test_a_new_role_that_a_stranger_may_assume_is_critical():
    trust = document("sts:AssumeRole", principal={"AWS": "*"})

    (found,) = findings(plan(change("aws_iam_role.open", None, {"name": "open", "assume_role_policy": trust})))

    assert (found.kind, found.severity) == (Kind.UNMANAGED, Severity.CRITICAL)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (plan(version="9.0"), "format_version is 9.0"),
        (json.dumps({"format_version": "1.0", "resource_changes": 3}), "resource_changes is no list"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(text, problem):
    with pytest.raises(UnusableInputError, match=problem):
        findings(text)
