"""Images as compose and bake files have them become names of repositories, or are skipped with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository_provisioning.domain.images import Registry
from steward.errors import RuleViolationError
from tests.unit.repository_provisioning.strategies import names

OWN = Registry("123456789012", "eu-central-1")
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image",
    [
        f"{HOST}/team-a/web",
        f"{HOST}/team-a/web:1",
        f"{HOST}/team-a/web@{DIGEST}",
        f"{HOST}/team-a/web:1@{DIGEST}",
        f"{HOST}/team-a/web:${{TAG:-latest}}",
        f"{HOST}/team-a/web:$TAG",
        f"  {HOST}/team-a/web:1\n",
        "123456789012.dkr.ecr-fips.eu-central-1.amazonaws.com/team-a/web:1",
        "123456789012.dkr-ecr.eu-central-1.on.aws/team-a/web:1",
        f"docker://{HOST}/team-a/web:1",
        f"https://{HOST}/team-a/web",
        f"{HOST.upper()}/team-a/web:1",
        f"{HOST}:443/team-a/web:1",
    ],
)
def test_an_image_of_this_registry_is_cut_to_its_name(image):
    assert list(OWN.cut([image]).names) == ["team-a/web"]


def test_tags_of_one_repository_are_one_name():
    cut = OWN.cut([f"{HOST}/team-a/web:1", f"{HOST}/team-a/web:latest", f"{HOST}/team-a/api", f"{HOST}/team-a/web:1"])

    assert {name: len(images) for name, images in cut.names.items()} == {"team-a/web": 2, "team-a/api": 1}


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("postgres:16", "names no registry of ECR"),
        ("docker.io/library/nginx", "names no registry of ECR"),
        ("public.ecr.aws/docker/library/nginx:1", "names no registry of ECR"),
        ("210987654321.dkr.ecr.eu-central-1.amazonaws.com/team-a/web", "account 210987654321"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team-a/web", "region us-east-1"),
        ("${REGISTRY}/team-a/web:1", "has a variable"),
        ("$IMAGE", "has a variable"),
        ("", "names no registry of ECR"),
    ],
)
def test_an_image_that_is_elsewhere_is_skipped_with_its_reason(image, reason):
    (skipped,) = OWN.cut([f"{HOST}/team-a/web", image]).skipped

    assert (skipped.image, reason in skipped.reason) == (image, True)


def test_images_that_are_all_elsewhere_are_refused():
    with pytest.raises(RuleViolationError, match="postgres:16 names no registry of ECR"):
        OWN.cut(["postgres:16"])


@given(names(), st.sampled_from(["", ":1", f"@{DIGEST}", f":v1.2@{DIGEST}"]))
def test_every_name_survives_with_any_tag_or_digest(name, suffix):
    assert list(OWN.cut([f"{HOST}/{name}{suffix}"]).names) == [name]
