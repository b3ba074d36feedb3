"""Adoption and the fleet on the deployed stack: tags of CloudFormation, IAM enforced, a scan in the background."""

import json

import pytest

from tests.local.stack import eventually

TEMPLATE = {"Resources": {"Images": {"Type": "AWS::ECR::Repository", "Properties": {}}}}


@pytest.fixture
def ecr(stack):
    return stack.aws.client("ecr")


def operate(stack, key, path, body=None, *, dry_run=False):
    query = "?dry_run=true" if dry_run else ""
    return stack.call("POST", f"{path}{query}", key, json.dumps(body or {}).encode())


def tags_of(ecr, name):
    (there,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    return {t["Key"]: t["Value"] for t in ecr.list_tags_for_resource(resourceArn=there["repositoryArn"])["tags"]}


def test_an_existing_repository_is_adopted_as_its_dry_run_showed(stack, probe, ecr, unique):
    name = f"probe/{unique}"
    ecr.create_repository(repositoryName=name, tags=[{"Key": "owner", "Value": "alex"}])
    shown = operate(stack, probe, f"/repositories/{name}/adoption", dry_run=True)

    done = operate(stack, probe, f"/repositories/{name}/adoption", {"fingerprint": shown.document["fingerprint"]})

    assert (shown.status, done.status) == (200, 200)
    assert done.document["changed"] == ["lifecycle", "pull", "tag_mutability", "tags"]
    assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    assert tags_of(ecr, name).items() >= {"owner": "alex", "steward:stack": "ecr-steward", "team": "probe"}.items()
    assert stack.put(name, probe).document["differences"] == []


def test_what_a_cloudformation_stack_owns_is_refused_by_name(stack, probe, ecr, unique):
    name = f"probe/{unique}"
    template = json.loads(json.dumps(TEMPLATE))
    template["Resources"]["Images"]["Properties"]["RepositoryName"] = name
    stack.aws.client("cloudformation").create_stack(StackName=unique, TemplateBody=json.dumps(template))
    assert eventually(lambda: stack.exists(name))

    refused = operate(stack, probe, f"/repositories/{name}/adoption", dry_run=True)
    shown = operate(stack, probe, f"/repositories/{name}/adoption", {"scope": "tags"}, dry_run=True)

    assert (refused.status, f"the CloudFormation stack {unique}" in refused.document["detail"]) == (409, True)
    assert (shown.status, unique in shown.document["warnings"][0]) == (200, True)
    assert "steward:stack" not in tags_of(ecr, name)


def test_a_pipeline_may_neither_adopt_nor_list_the_registry(stack, team_a):
    adoption = operate(stack, team_a, "/repositories/team-a/x/adoption", dry_run=True)
    listed = stack.call("GET", "/repositories", team_a)
    several = operate(stack, team_a, "/fleet/adoptions", {"repositories": ["team-a/x"]}, dry_run=True)

    assert [answer.status for answer in (adoption, listed, several)] == [403, 403, 403]


def test_a_scan_in_the_background_shows_the_registry_with_its_age(stack, probe, ecr, unique):
    ecr.create_repository(repositoryName=f"probe/{unique}")

    requested = operate(stack, probe, "/fleet/scans")

    scan = requested.document["scan_id"]
    page = eventually(
        lambda: (
            (p := stack.call("GET", "/repositories?limit=1000", probe)).status == 200
            and p.document["scan_id"] == scan
            and p.document
        )
    )
    assert requested.status == 202
    found = {one["name"]: one for one in page["repositories"]}
    assert (found[f"probe/{unique}"]["owner"], found[f"probe/{unique}"]["empty"]) == ("unmanaged", True)
    assert page["age_seconds"] < 60


def test_a_reconciliation_undoes_what_a_person_changed(stack, probe, ecr, unique):
    name = f"probe/{unique}"
    stack.put(name, probe)
    ecr.delete_lifecycle_policy(repositoryName=name)
    shown = operate(stack, probe, "/fleet/reconciliations", {"repositories": [name]}, dry_run=True)
    item = shown.document["repositories"][0]["adoption"]

    done = operate(
        stack,
        probe,
        "/fleet/reconciliations",
        {"repositories": [{"name": name, "fingerprint": item["fingerprint"]}]},
    )

    assert done.document["repositories"][0]["adoption"]["changed"] == ["lifecycle"]
    assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
