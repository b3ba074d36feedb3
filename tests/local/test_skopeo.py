"""The main job and the safety net with skopeo."""

import base64
from functools import partial

import pytest

from local.oci import image_of
from tests.local.skopeo import copy, layout_of, needs_skopeo
from tests.local.stack import eventually

pytestmark = needs_skopeo


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """An image in an OCI layout."""
    return layout_of(image_of("An image that skopeo pushes.\n"), tmp_path_factory.mktemp("layout"))


@pytest.fixture
def skopeo(stack, team_a):
    """Run skopeo, logged in as the pipeline's role session, which has no right to create."""
    client = stack.aws.client("ecr", team_a)
    token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return partial(copy, credentials=base64.b64decode(token).decode())


def test_a_push_is_refused_then_ensured_then_pushed_and_pulled_back(stack, team_a, skopeo, layout, tmp_path, unique):
    beside, name = f"docker://127.0.0.1:{stack.port}/elsewhere/{unique}:1", f"team-a/{unique}"
    target = f"docker://127.0.0.1:{stack.port}/{name}:1"
    refused = skopeo(layout, beside)

    assert "name unknown" in refused.stderr
    assert stack.put(name, team_a).status == 201
    pushed = skopeo(layout, target)
    pulled = skopeo(target, f"oci:{tmp_path}:back")

    assert pushed.returncode == 0, pushed.stderr
    assert pulled.returncode == 0, pulled.stderr
    blobs = {path.name for path in (tmp_path / "blobs" / "sha256").iterdir()}
    assert len(blobs) == 3


def test_a_push_without_any_call_succeeds_at_the_latest_when_run_again(stack, skopeo, layout, unique):
    """The local AWS delivers CloudTrail's event at once, so that the net can be quicker than the push itself."""
    name = f"team-a/{unique}"
    target = f"docker://127.0.0.1:{stack.port}/{name}:1"
    assert not stack.exists(name)
    first = skopeo(layout, target)

    assert first.returncode == 0 or "name unknown" in first.stderr
    assert eventually(lambda: stack.exists(name))
    again = skopeo(layout, target)
    assert again.returncode == 0, again.stderr
