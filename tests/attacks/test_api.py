"""Pipelines and federated users go beyond their house rules, and persons decide about their own changes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.attacks.attacked_stack import ADMINISTRATOR
from tests.local.aws.launched import ACCOUNT, Key, allow, policy
from tests.local.stack import eventually

EVERY_ROUTE = "*"


@pytest.fixture(scope="module")
def team_a(stack):
    """A pipeline that may override the lifecycle and tags of its own team's repositories."""
    return stack.pipeline("attacks-team-a", EVERY_ROUTE)


@pytest.fixture(scope="module")
def team_b(stack):
    """A pipeline that may override nothing."""
    return stack.pipeline("attacks-team-b", EVERY_ROUTE)


@pytest.fixture
def repository(stack, team_a, unique):
    """A repository of team a, with its team's own shorter lifecycle."""
    name = f"team-a/{unique}"
    made = stack.put(name, team_a, {"lifecycle": {"untagged_after_days": 10}})
    assert made.status == 201, made.body
    return name


def remember(stack, attack, answer):
    stack.refusals.append((attack, answer.document["detail"]))


def test_a_pipeline_expires_no_image_of_another_team(stack, team_b, repository):
    answer = stack.put(repository, team_b, {"lifecycle": {"untagged_after_days": 1}})

    remember(stack, "the lifecycle of another team's repository", answer)
    assert (answer.status, answer.document["allowed"]) == (403, ["team-b/**", "open/**"])


def test_a_pipeline_overrides_nothing_that_no_rule_permits(stack, team_b, unique):
    answer = stack.put(f"team-b/{unique}", team_b, {"lifecycle": {"untagged_after_days": 30}})

    remember(stack, "an override that the rule does not permit", answer)
    assert answer.status in {403, 422}
    assert not stack.exists(f"team-b/{unique}")
    assert stack.put(f"team-b/{unique}", team_b).status == 201


def test_no_override_goes_below_the_floor_and_a_shorter_one_is_published(stack, team_a, events, unique):
    name = f"team-a/{unique}"
    assert stack.put(name, team_a).status == 201

    below = stack.put(name, team_a, {"lifecycle": {"untagged_after_days": 1}})
    above = stack.put(name, team_a, {"lifecycle": {"untagged_after_days": 8}})

    remember(stack, "a lifecycle below the floor", below)
    assert (below.status, above.status) == (422, 200)
    assert [e for e in events.about(name) if e["detail-type"] == "RepositoryRetentionShortened"]


def test_the_tags_of_a_rule_win_over_those_of_a_caller(stack, team_a, unique):
    name = f"team-a/{unique}"

    answer = stack.put(name, team_a, {"tags": {"namespace": "team-b", "cost": "7"}})

    if answer.status not in {200, 201}:
        remember(stack, "a tag of the rule", answer)
        assert answer.status == 422
        assert stack.put(name, team_a, {"tags": {"cost": "7"}}).status == 201
    ecr = stack.aws.client("ecr")
    (made,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    tags = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"]}
    assert (tags["namespace"], tags["cost"]) == ("team-a", "7")


def test_an_override_does_not_outlive_its_permission(stack, team_a, repository):
    """Its caller is one that no rule names any more."""
    tables, table = stack.aws.client("dynamodb"), stack.physical_id("ProvisioningState")
    tables.update_item(
        TableName=table,
        Key={"id": {"S": f"repository#{repository}"}},
        UpdateExpression="SET overridden_by = :gone",
        ExpressionAttributeValues={":gone": {"S": f"{ACCOUNT}:role/gone"}},
    )

    shown = stack.call("GET", f"/repositories/{repository}", team_a)
    cleared = stack.call("PUT", f"/repositories/{repository}?clear_overrides=true", team_a)
    after = stack.call("GET", f"/repositories/{repository}", team_a)

    assert shown.document["differences"], shown.body
    assert cleared.status == 200
    assert after.document["differences"] == []


def test_others_see_that_a_repository_exists_and_its_rule_only(stack, team_a, team_b, repository):
    seen = stack.call("GET", f"/repositories/{repository}", team_b)
    own = stack.call("GET", f"/repositories/{repository}", team_a)

    assert seen.document == {"name": repository, "rule": "default", "restricted": True}
    assert own.document.keys() > {"name", "rule", "differences"}


def test_invented_federated_names_share_one_quota(stack, unique):
    user = stack.aws.user(allow("execute-api:Invoke"), allow("sts:GetFederationToken"))
    rights = policy(allow("execute-api:Invoke"))

    def session(name):
        got = stack.aws.client("sts", user).get_federation_token(Name=name, Policy=rights)["Credentials"]
        return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    first = stack.put(f"federated/{unique}-1", session(f"{unique}-1"))
    second = stack.put(f"federated/{unique}-2", session(f"{unique}-2"))

    remember(stack, "a second name for a second quota", second)
    assert (first.status, second.status) == (201, 429)


def test_every_request_is_logged_with_its_caller_its_session_and_its_source(stack, team_b, unique):
    stack.call("GET", f"/repositories/team-a/{unique}", team_b)

    def line():
        return next((text for text in logged(stack, "RepositoryApi") if unique in text and '"request"' in text), None)

    found = json.loads(eventually(line))
    assert (found["caller"], found["session"]) == (f"arn:aws:sts::{ACCOUNT}:assumed-role/attacks-team-b/test", "test")
    assert found["source_ip"]


def logged(stack, function):
    """The lines of a function's log."""
    group = stack.function(function)["LoggingConfig"]["LogGroup"]
    pages = stack.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture(scope="module")
def persons(stack):
    """Sessions of one role by the names of its persons, as IAM Identity Center makes them."""
    iam = stack.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="attacks-admins", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="attacks-admins", PolicyName="rights", PolicyDocument=policy(allow("*")))

    def session(name):
        got = stack.aws.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    return session


def with_attachment(events, role):
    """The finding about a role as it is reviewed, once its new policy is in it; the role alone was one before."""
    found = eventually(
        lambda: [
            e["detail"]["data"]
            for e in events.about(role)
            if e["detail-type"] == "PolicyDriftDetected"
            and "AttachRolePolicy" in {change["event_name"] for change in e["detail"]["data"]["changes"]}
        ],
        60,
    )
    return [{"id": data["finding_id"], "fingerprint": data["fingerprint"]} for data in found[-1:]]


def test_no_person_approves_their_own_change_and_the_second_is_named(stack, persons, events, role):
    author, other = persons("alice@example.com"), persons("bob@example.com")
    stack.aws.client("iam", author).attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    reviewed = with_attachment(events, role)
    adoption = {"findings": reviewed, "reason": "planned", "reference": "CHG-1"}
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    kept = {"reason": "later", "owner": "team-a", "expires": in_a_month, **reviewed[0]}
    finding_id = kept.pop("id")

    own = stack.ask("POST", "/drift/baseline/adoptions", adoption, author)
    acknowledged = stack.ask("POST", f"/drift/findings/{finding_id}/acknowledgement", kept, author)
    second = stack.ask("POST", f"/drift/findings/{finding_id}/acknowledgement", kept, other)

    remember(stack, "adopting one's own change", own)
    remember(stack, "acknowledging one's own change", acknowledged)
    assert (own.status, acknowledged.status) == (403, 403)
    assert second.status == 200, second.body
    (published,) = [e["detail"]["data"] for e in events.about("bob@example.com") if "Acknowledged" in e["detail-type"]]
    assert (published["by"], published["session"]) == (f"{ACCOUNT}:role/attacks-admins", "bob@example.com")


def baseline_in_force(stack):
    version = stack.ask("GET", "/drift/baseline").document["version"]
    bucket, key = stack.physical_id("BaselineBucket"), f"baseline/{ACCOUNT}.json"
    return json.loads(stack.aws.client("s3").get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read())


def test_an_upload_by_the_author_of_a_change_is_published_as_critical_and_not_refused(stack, persons, events, role):
    """The rule of two persons is about adoptions; the threat model says to leave uploads to the role that deploys."""
    without, author = baseline_in_force(stack), persons("carol@example.com")
    stack.aws.client("iam", author).attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    adoption = {"findings": with_attachment(events, role), "reason": "planned"}
    adopted = stack.ask("POST", "/drift/baseline/adoptions", adoption, persons("dave@example.com"))
    assert adopted.status == 200, adopted.body
    with_the_change = baseline_in_force(stack)
    assert stack.ask("PUT", "/drift/baseline", without).status == 200

    uploaded = stack.ask("PUT", "/drift/baseline", with_the_change, author)

    assert uploaded.status == 200, uploaded.body
    (said,) = [
        e["detail"]["data"]
        for e in events.about("carol@example.com")
        if e["detail-type"] == "BaselineChanged" and e["detail"]["data"]["version"] == uploaded.document["version"]
    ]
    assert (said["severity"], said["session"]) == ("CRITICAL", "carol@example.com")
    assert said["newly_approved"]


def test_decisions_are_kept_in_a_log_of_their_own(stack):
    groups = stack.aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/events/")["logGroups"]
    kept = {group["logGroupName"]: group.get("retentionInDays") for group in groups}

    decisions = next(days for name, days in kept.items() if name.endswith("-decisions"))
    assert decisions > max(days for name, days in kept.items() if not name.endswith("-decisions"))


GATEWAY_FUNCTIONS = ["RepositoryApi", "ServiceUserApi", "EnrolmentApi", "AccessKeys", "DriftApi", "HealthApi"]
FOREIGN = {
    "another stage": {"stage": "prod"},
    "another account": {"accountId": "999999999999"},
    "no context at all": None,
}
EVENT = {
    "resource": "/whoami",
    "httpMethod": "GET",
    "path": "/whoami",
    "headers": {},
    "queryStringParameters": None,
    "body": None,
}


@pytest.mark.parametrize("function", GATEWAY_FUNCTIONS)
@pytest.mark.parametrize("attack", FOREIGN)
def test_an_event_of_another_gateway_is_refused(stack, developer, function, attack):
    identity = {"userArn": f"arn:aws:iam::{ACCOUNT}:user/alice", "sourceIp": "192.0.2.1"}
    context = {"accountId": ACCOUNT, "stage": "v1", "requestId": "r", "identity": identity}
    changed = FOREIGN[attack]
    event = EVENT | {"requestContext": context | changed if changed else {}}

    answer = stack.invoke(function, event, developer)

    stack.refusals.append((f"an event of {attack} for {function}", str(answer.get("body") or answer)[:200]))
    assert answer["statusCode"] == 403
