"""The routes of operators: those who may not call them, and those who may, but not to gain anything by it.

The registry and adoptions, enrolment, the list of keys, secret sync, health, and the review of the first baseline.
"""

import csv
import io
import json
import urllib.request

import pytest

from tests.attacks.attacked_stack import ADMINISTRATOR, CAPTURED
from tests.local.aws.launched import ACCOUNT, Key, allow
from tests.local.stack import eventually

ROUTES = [
    ("GET", "/repositories"),
    ("POST", "/repositories/open/x/adoption"),
    ("POST", "/fleet/adoptions"),
    ("POST", "/fleet/reconciliations"),
    ("POST", "/fleet/scans"),
    ("GET", "/service-users/x"),
    ("POST", "/service-users/x/enrolment"),
    ("DELETE", "/service-users/x/enrolment"),
    ("GET", "/access-keys"),
    ("GET", "/health"),
    ("GET", "/drift/report"),
    ("POST", "/drift/baseline/adoptions"),
]


@pytest.fixture(scope="module")
def pipeline(stack):
    """A pipeline with the policy for pipelines, and no other right."""
    key = stack.aws.session(allow("sts:GetCallerIdentity"), role_name="attacks-pipeline")
    arn = stack.physical_id("PipelinePolicy")
    stack.aws.client("iam").attach_role_policy(RoleName="attacks-pipeline", PolicyArn=arn)
    return key


@pytest.fixture(scope="module")
def service_user(stack):
    """A service user that may push."""
    iam = stack.aws.client("iam")
    iam.create_user(UserName="attacks-pushes", Path="/service/")
    iam.add_user_to_group(GroupName="ecr-write", UserName="attacks-pushes")
    made = iam.create_access_key(UserName="attacks-pushes")["AccessKey"]
    return Key(made["AccessKeyId"], made["SecretAccessKey"])


@pytest.fixture(scope="module")
def adopter(stack):
    """An operator whose house rule permits adoptions."""
    key = stack.aws.session(allow("sts:GetCallerIdentity"), role_name="attacks-adopter")
    arn = stack.physical_id("OperatorPolicy")
    stack.aws.client("iam").attach_role_policy(RoleName="attacks-adopter", PolicyArn=arn)
    return key


@pytest.fixture
def foreign(stack, unique):
    """A repository that was there before the steward, of a name that everybody may create."""
    name = f"open/{unique}"
    stack.aws.client("ecr").create_repository(repositoryName=name)
    return name


def tags_of(stack, name):
    ecr = stack.aws.client("ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    return {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]}


def remember(stack, attack, answer):
    stack.refusals.append((attack, answer.document.get("detail") or answer.document.get("message") or answer.body))


@pytest.mark.parametrize("actor", ["pipeline", "service_user"])
def test_who_pushes_reaches_no_route_of_operators(stack, request, unique, actor):
    key = request.getfixturevalue(actor)

    answers = {route: stack.ask(*route, body={} if route[0] == "POST" else None, key=key) for route in ROUTES}

    stack.refusals.append((f"a route of operators, as a {actor}", answers["GET", "/access-keys"].body.decode()))
    assert {route: answer.status for route, answer in answers.items()} == dict.fromkeys(ROUTES, 403)
    assert stack.put(f"open/{unique}", key).status == 201


def test_who_may_see_one_repository_sees_no_registry_by_a_slash_at_the_end(stack, pipeline):
    """IAM takes it for a repository, which the policy of pipelines allows, and lets it pass."""
    answer = stack.ask("GET", "/repositories/", key=pipeline)

    remember(stack, "the list of the registry, as a pipeline", answer)
    assert (answer.status, answer.document["type"]) == (404, "urn:ecr-steward:problem:no-such-route")


def test_operators_reach_their_routes(stack, adopter):
    answers = {route: stack.ask(*route, key=adopter).status for route in ROUTES if route[0] == "GET"}

    expected = {"/repositories": {200, 404}, "/service-users/x": {404}}  # no scan is complete yet; no such user
    assert [r for r, status in answers.items() if status not in expected.get(r[1], {200})] == []


def test_a_right_to_create_is_none_to_adopt(stack, developer, adopter, events, foreign):
    """A developer may call every route, and the house rule of everybody lets them create the name."""
    bodies = {
        f"/repositories/{foreign}/adoption": {"fingerprint": "0" * 32},
        "/fleet/adoptions": {"repositories": [{"name": foreign, "fingerprint": "0" * 32}]},
        "/fleet/reconciliations": {"repositories": [{"name": foreign, "fingerprint": "0" * 32}]},
    }

    refused = [stack.ask("POST", path, body, developer) for path, body in bodies.items()]

    remember(stack, "an adoption without the right to adopt", refused[0])
    assert refused[0].status == 403
    assert all(b"may_adopt" in answer.body for answer in refused)
    assert tags_of(stack, foreign) == {}
    assert [e for e in events.about(foreign) if e["detail-type"] == "RepositoryRequestDenied"]
    shown = stack.ask("POST", f"/repositories/{foreign}/adoption?dry_run=true", {}, adopter)
    agreed = {"fingerprint": shown.document["fingerprint"]}
    assert stack.ask("POST", f"/repositories/{foreign}/adoption", agreed, adopter).status == 200
    assert tags_of(stack, foreign)["steward:stack"] == "ecr-steward"


def test_nothing_is_adopted_that_the_dry_run_did_not_show(stack, developer, adopter, foreign):
    """Between the dry run and the adoption, somebody lets others in."""
    shown = stack.ask("POST", f"/repositories/{foreign}/adoption?dry_run=true", {}, adopter)
    lets_in = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [lets_in]})
    stack.aws.client("ecr", developer).set_repository_policy(repositoryName=foreign, policyText=document)

    agreed = {"fingerprint": shown.document["fingerprint"]}
    refused = stack.ask("POST", f"/repositories/{foreign}/adoption", agreed, adopter)

    remember(stack, "a repository that changed after the dry run of its adoption", refused)
    assert refused.status == 412
    assert tags_of(stack, foreign) == {}


def test_the_registry_shows_of_the_names_of_others_only_that_they_exist(stack, developer, adopter, unique):
    for name in (f"team-a/{unique}", f"open/{unique}"):
        stack.aws.client("ecr").create_repository(repositoryName=name)
    scan = stack.ask("POST", "/fleet/scans", {}, adopter).document["scan_id"]

    def page(key):
        found = stack.ask("GET", "/repositories?limit=1000", key=key)
        return found.status == 200 and found.document["scan_id"] == scan and found.document["repositories"]

    seen = {one["name"]: one for one in eventually(lambda: page(developer), 60)}

    assert seen[f"team-a/{unique}"] == {"name": f"team-a/{unique}", "rule": "default", "restricted": True}
    assert seen[f"open/{unique}"]["owner"] == "unmanaged"
    assert {one["name"]: one for one in page(adopter)}[f"team-a/{unique}"]["owner"] == "unmanaged"


def _administrator(iam, name):
    iam.create_user(UserName=name, Path="/service/")
    iam.attach_user_policy(UserName=name, PolicyArn=ADMINISTRATOR)


def _person(iam, name):
    iam.create_user(UserName=name, Path="/service/")
    iam.create_login_profile(UserName=name, Password="correct-horse-battery-1")


def _elsewhere(iam, name):
    iam.create_user(UserName=name, Path="/people/")


NO_SERVICE_USERS = {
    "an administrator": (_administrator, "could gain privileges"),
    "a person": (_person, "console password"),
    "a user that is not on the service path": (_elsewhere, "on the path /people/"),
}


@pytest.mark.parametrize("who", NO_SERVICE_USERS)
def test_neither_administrators_nor_people_nor_users_elsewhere_are_enrolled(stack, developer, unique, who):
    """Whoever has the next key of such a user in a secret that they may read has the user."""
    make, reason = NO_SERVICE_USERS[who]
    iam = stack.aws.client("iam")
    make(iam, unique)

    refused = stack.ask("POST", f"/service-users/{unique}/enrolment", {}, developer)

    remember(stack, f"enrolling {who}", refused)
    assert refused.status == 409
    assert reason in refused.document["detail"]
    assert iam.list_user_tags(UserName=unique)["Tags"] == []
    assert stack.keys(unique) == {}


def test_who_enrols_is_published_and_a_key_is_never_taken_from_a_request(stack, developer, events, unique):
    iam = stack.aws.client("iam")
    iam.create_user(UserName=unique, Path="/service/")
    iam.add_user_to_group(GroupName="ecr-write", UserName=unique)
    material = f"wJalrXUtnFEMI{unique}"

    with_key = stack.ask("POST", f"/service-users/{unique}/enrolment", {"secret_access_key": material}, developer)
    enrolled = stack.ask("POST", f"/service-users/{unique}/enrolment", {}, developer)

    remember(stack, "a key in the request of an enrolment", with_key)
    assert (with_key.status, enrolled.status) == (422, 202)
    assert material not in with_key.body.decode()
    (said,) = [e["detail"]["data"] for e in events.about(unique) if e["detail-type"] == "ServiceUserEnrolled"]
    assert (said["requested_by"], said["session"]) == (f"{ACCOUNT}:role/developer", "test")
    assert eventually(lambda: stack.keys(unique).get(stack.current_key(unique)) == "Active", 90)


def test_a_user_that_left_keeps_no_leaked_key(stack, developer, unique):
    """Who steals a key lets its user leave, so that nobody rotates it; a leak that is reported then kills it."""
    stack.enrol(unique)
    stack.plan()
    assert eventually(lambda: (stack.recorded(unique) or {}).get("state") == "STEADY", 90)
    stolen = stack.current_key(unique)

    left = stack.ask("DELETE", f"/service-users/{unique}/enrolment", key=developer)
    after_leaving = stack.keys(unique)
    stack.report_leaks(stolen)

    assert left.status == 200, left.body
    assert after_leaving == {stolen: "Active"}
    assert eventually(lambda: stack.keys(unique).get(stolen) != "Active", 60)


def test_the_list_of_keys_is_no_program_for_a_spreadsheet(stack, developer):
    """Its names and tags are written by those who may create users."""
    name = "=cmd@attacks"
    iam = stack.aws.client("iam")
    iam.create_user(UserName=name, Tags=[{"Key": "owner", "Value": "=1+1"}])
    made = iam.create_access_key(UserName=name)["AccessKey"]

    answer = stack.ask("GET", "/access-keys?format=csv", key=developer)

    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    assert [row for row in rows if any(name in cell for cell in row)]
    assert [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r")] == []
    assert made["SecretAccessKey"] not in answer.body.decode()


def test_no_event_names_a_target_of_secret_sync(stack, developer, unique):
    """A developer invokes the function with a target of their own; the settings' targets get the key."""
    user, parameters = f"synced-{unique}", stack.aws.client("ssm")
    stack.enrol(user)
    stack.plan()
    assert eventually(lambda: (stack.recorded(user) or {}).get("state") == "STEADY", 90)
    stolen = {"parameter": {"name": f"/ci/stolen-{unique}"}}
    event = {
        "detail-type": "AccessKeyRotated",
        "detail": {"metadata": {"correlation_id": "x"}, "data": {"user_name": user, "targets": [stolen]}},
    }

    answer = stack.invoke("SecretSync", event, developer)

    held = [one["Name"] for one in parameters.describe_parameters()["Parameters"]]
    stack.refusals.append(("a target of one's own", f"written: {', '.join(held)}; failed: {answer['failed']}"))
    assert [name for name in held if "stolen" in name] == []
    value = parameters.get_parameter(Name=f"/ci/{user}", WithDecryption=True)["Parameter"]["Value"]
    assert json.loads(value)["AccessKeyId"] == stack.current_key(user)


def _accepted(stack, key):
    """What the report says that the first scan accepted without review, by entity."""
    link = stack.ask("GET", "/drift/report?format=json", key=key).document["report"]
    with urllib.request.urlopen(link, timeout=30) as reply:
        return {one["entity"]: one for one in json.load(reply)["accepted_without_review"]}


def test_what_the_first_scan_accepted_is_kept_as_it_was_reviewed_alone(stack, adopter, events):
    """The administrator was there before the first scan; somebody wants it off the list without its review."""
    captured = _accepted(stack, adopter)[f"role/{CAPTURED}"]
    as_reviewed = {"id": captured["id"], "fingerprint": captured["fingerprint"]}
    before = stack.ask("GET", "/drift/baseline", key=adopter).document["version"]

    otherwise = [as_reviewed | {"fingerprint": "0" * len(captured["fingerprint"])}]
    other_form = stack.ask("POST", "/drift/baseline/adoptions", {"findings": otherwise}, adopter)
    own_grant = {"id": f"access:role:{CAPTURED}-2", "fingerprint": "0" * 64}
    beside = stack.ask("POST", "/drift/baseline/adoptions", {"findings": [as_reviewed, own_grant]}, adopter)
    unchanged = stack.ask("GET", "/drift/baseline", key=adopter).document["version"]
    kept = stack.ask("POST", "/drift/baseline/adoptions", {"findings": [as_reviewed], "reason": "ours"}, adopter)

    remember(stack, "a review of another form than the captured one", other_form)
    remember(stack, "a grant beside what is reviewed", beside)
    assert (other_form.status, beside.status, unchanged) == (404, 422, before)
    assert kept.status == 200, kept.body
    (said,) = [e["detail"]["data"] for e in events.about(kept.document["version"]) if "Baseline" in e["detail-type"]]
    assert (said["by"], said["session"]) == (f"{ACCOUNT}:role/attacks-adopter", "test")
