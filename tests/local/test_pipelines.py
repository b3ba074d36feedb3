"""What a pipeline runs before a push, as the session of a role, on the deployed stack with IAM enforced."""

import json
import subprocess
import sys

import pytest

from local.oci import image_of
from tests.integrations.composite_action import PROJECT, CompositeAction, runner_environment
from tests.local.aws.launched import REGION

IMAGE = image_of("An image of a pipeline.\n")


@pytest.fixture(scope="session")
def job(stack, team_a):
    """The environment of a pipeline's job: the role's session, the region, and the API's URL."""
    return runner_environment(
        sys.executable,
        AWS_ACCESS_KEY_ID=team_a.access_key_id,
        AWS_SECRET_ACCESS_KEY=team_a.secret_access_key,
        AWS_SESSION_TOKEN=team_a.session_token,
        AWS_REGION=REGION,
        STEWARD_API_URL=stack.variables["STEWARD_API_URL"],
    )


def test_the_action_of_github_creates_what_the_push_needs(stack, team_a, job, unique, tmp_path):
    names = [f"team-a/{unique}/web", f"team-a/{unique}/worker"]

    done = CompositeAction("ensure").run(tmp_path, tmp_path, {"images": "\n".join(names)}, job)

    assert done.code == 0, done.printed
    assert [one["result"] for one in json.loads(done.outputs["repositories"])] == ["created", "created"]
    stack.registry(team_a).push(IMAGE, names[0], "1")


def test_the_names_come_from_a_compose_file(stack, job, unique, tmp_path):
    registry = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
    (tmp_path / "compose.yaml").write_text(f"services: {{web: {{image: '{registry}/team-a/{unique}:1'}}}}\n")

    done = CompositeAction("ensure").run(tmp_path, tmp_path, {"compose": "compose.yaml"}, job)

    assert done.code == 0, done.printed
    assert stack.exists(f"team-a/{unique}")


def test_a_name_that_the_role_may_not_ask_for_fails_the_job_and_says_why(stack, job, unique, tmp_path):
    names = f"team-a/{unique} team-b/{unique}"

    done = CompositeAction("ensure").run(tmp_path, tmp_path, {"images": names}, job)

    assert done.code == 1
    one, other = json.loads(done.outputs["repositories"])
    assert (one["result"], other["result"]) == ("created", "failed")
    assert "PipelinePolicyArn" in other["problem"]
    assert not stack.exists(f"team-b/{unique}")


def test_a_dry_run_creates_nothing(stack, job, unique, tmp_path):
    done = CompositeAction("ensure").run(tmp_path, tmp_path, {"images": f"team-a/{unique}", "dry-run": "true"}, job)

    assert done.code == 0, done.printed
    assert not stack.exists(f"team-a/{unique}")


def test_the_script_of_every_other_pipeline_does_the_same(stack, job, unique, tmp_path):
    done = subprocess.run(
        [PROJECT / "integrations" / "ensure.sh"],
        env=job | {"IMAGES": f"team-a/{unique}", "RESULTS": str(tmp_path / "results.json")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results.json").read_text())[0]["result"] == "created"
    assert stack.exists(f"team-a/{unique}")


def test_a_job_without_credentials_gets_one_line(stack, unique, tmp_path):
    nobody = runner_environment(
        sys.executable,
        AWS_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
        HOME=str(tmp_path),
        STEWARD_API_URL=stack.variables["STEWARD_API_URL"],
    )

    done = CompositeAction("ensure").run(tmp_path, tmp_path, {"images": f"team-a/{unique}"}, nobody)

    assert done.code == 2
    assert done.printed.strip().splitlines()[-1].startswith("steward: there are no AWS credentials")
