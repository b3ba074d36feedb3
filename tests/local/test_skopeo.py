"""The main job and the safety net with skopeo."""

import base64
import hashlib
import json
import urllib.request
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

import pytest
import yaml

import settings
from local.oci import image_of
from tests.local.skopeo import copy, layout_of, needs_skopeo
from tests.local.stack import eventually

pytestmark = needs_skopeo
INDEX = "application/vnd.oci.image.index.v1+json"


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


def test_signatures_are_pushed_and_added_to_where_tags_are_immutable_as_shipped(stack, skopeo, tmp_path, unique):
    """As cosign writes them (a tag that grows), and notation without referrers (an index) and with them (a subject)."""
    name, shipped = f"team-a/{unique}", shipped_rule()
    exceptions = [{"filterType": "WILDCARD", "filter": each} for each in shipped["mutable_tags"]]
    stack.aws.client("ecr").create_repository(
        repositoryName=name,
        imageTagMutability=f"{shipped['tag_mutability']}_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=exceptions,
    )
    here = f"docker://127.0.0.1:{stack.port}/{name}"
    images = [layout_of(image_of(f"{text}\n"), tmp_path / text) for text in ("image", "signature", "two-signatures")]
    image = image_of("image\n").manifest
    digest = hashlib.sha256(json.dumps(image).encode()).hexdigest()

    pushed = [skopeo(images[0], f"{here}:1")]
    pushed += [skopeo(signature, f"{here}:sha256-{digest}.sig") for signature in images[1:]]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    subject = {"mediaType": image["mediaType"], "digest": f"sha256:{digest}", "size": len(json.dumps(image))}
    signature = {**image_of("signature\n").manifest, "subject": subject}
    one = {"mediaType": image["mediaType"], "size": len(json.dumps(signature))}
    one["digest"] = f"sha256:{hashlib.sha256(json.dumps(signature).encode()).hexdigest()}"
    statuses = [
        put_manifest(stack, name, one["digest"], signature),
        put_manifest(stack, name, f"sha256-{digest}", index),
        put_manifest(stack, name, f"sha256-{digest}", {**index, "manifests": [one]}),
    ]
    refused = skopeo(images[1], f"{here}:1")

    # docs/local-aws.md says so; ECR has them.
    assert ask(stack, f"{name}/referrers/sha256:{digest}") == HTTPStatus.NOT_FOUND
    assert [each.stderr for each in pushed if each.returncode] == []
    assert statuses == [201, 201, 201]
    assert refused.returncode != 0


def shipped_rule():
    """The rule of every repository that no other one matches, as it is shipped."""
    rules = yaml.safe_load(Path(settings.__file__).with_name("house_rules.yaml").read_text(encoding="utf-8"))
    return rules["repositories"][-1]


def put_manifest(stack, name, reference, manifest):
    """The status of a push of a manifest, under a tag or a digest, by plain HTTP."""
    content, kind = json.dumps(manifest).encode(), {"Content-Type": manifest["mediaType"]}
    return ask(stack, f"{name}/manifests/{reference}", data=content, headers=kind, method="PUT")


def ask(stack, path, headers=None, **request):
    """The status of a request to the registry."""
    token = stack.aws.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    url, login = f"http://127.0.0.1:{stack.port}/v2/{path}", {"Authorization": f"Basic {token}"}
    asked = urllib.request.Request(url, headers=login | (headers or {}), **request)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status
    except HTTPError as refused:
        with refused:
            return refused.code
