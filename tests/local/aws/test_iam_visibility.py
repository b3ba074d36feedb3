"""Changes of IAM that callers see late, on demand."""

import json

import pytest

from tests.local.aws.launched import allow, policy

PATH = "/_local/iam-visibility"
LATE = 3600


@pytest.fixture
def reader(aws):
    """A caller that is not root; afterwards everything is shown at once."""
    yield aws.client("iam", aws.user(allow("iam:*")))
    show(aws)


def show(aws, **wanted):
    return aws.http("PUT", PATH, json.dumps(wanted).encode())


def names(iam):
    return {user["UserName"] for page in iam.get_paginator("list_users").paginate() for user in page["Users"]}


def groups(iam, user):
    return [group["GroupName"] for group in iam.list_groups_for_user(UserName=user)["Groups"]]


def test_what_changed_is_shown_as_it_was_and_later_as_it_is(aws, reader):
    root = aws.client("iam")
    root.create_user(UserName="late-old")
    root.create_group(GroupName="late-group")
    show(aws, seconds=LATE)

    root.create_user(UserName="late-new")
    root.add_user_to_group(UserName="late-old", GroupName="late-group")
    root.put_user_policy(UserName="late-old", PolicyName="own", PolicyDocument=policy(allow("s3:*")))

    assert "late-new" not in names(reader)
    assert groups(reader, "late-old") == []
    assert reader.list_user_policies(UserName="late-old")["PolicyNames"] == []
    show(aws)
    assert "late-new" in names(reader)
    assert groups(reader, "late-old") == ["late-group"]
    assert reader.list_user_policies(UserName="late-old")["PolicyNames"] == ["own"]


def test_root_sees_changes_at_once(aws, reader):
    show(aws, seconds=LATE)
    aws.client("iam").create_user(UserName="late-root")

    assert "late-root" in names(aws.client("iam"))
    assert "late-root" not in names(reader)


def test_a_name_may_have_a_time_of_its_own(aws, reader):
    show(aws, entities={"late-one": LATE})

    for name in ("late-one", "at-once"):
        aws.client("iam").create_user(UserName=name)

    assert names(reader) & {"late-one", "at-once"} == {"at-once"}


def test_what_is_deleted_is_shown_for_a_while(aws, reader):
    aws.client("iam").create_user(UserName="late-gone")
    show(aws, seconds=LATE)

    aws.client("iam").delete_user(UserName="late-gone")

    assert reader.get_user(UserName="late-gone")["User"]["UserName"] == "late-gone"
