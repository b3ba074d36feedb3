"""Names of repositories, cut from the images of compose and bake files as people and tools write them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from steward.errors import RuleViolationError

MAX_IMAGES = 1000
"""Images of one request; several of them are often tags of one repository."""
_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)(?::443)?"
)
"""Of a private registry: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html"""
_SCHEME = re.compile(r"[a-z-]+://")
_VARIABLE = re.compile(r"\$\{?\w+")


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that is in no repository of this registry, and why."""

    image: str
    reason: str


@dataclass(frozen=True, slots=True)
class CutImages:
    """The names of images in this registry, each once, with its images; and the images that are elsewhere."""

    names: dict[str, list[str]]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of one account in one region."""

    account: str
    region: str

    def cut(self, images: Iterable[str]) -> CutImages:
        """Cut registry, tag and digest off; what is left is checked as any name.

        Raises
        ------
        RuleViolationError
            No image is in this registry: then nothing would be ensured, without a sign of it.
        """
        names: dict[str, list[str]] = {}
        skipped = []
        for image in dict.fromkeys(image.strip() for image in images):
            host, _, path = _SCHEME.sub("", image).partition("/")
            if elsewhere := self._elsewhere(host if path else "", image):
                skipped.append(Skipped(image, elsewhere))
            else:
                names.setdefault(_name(path), []).append(image)
        if not names:
            reason = f"; {skipped[0].image} {skipped[0].reason}" if skipped else ""
            raise RuleViolationError(
                f"none of the images is in the registry {self.account} of {self.region}{reason}: write them with it, "
                f"such as {self.account}.dkr.ecr.{self.region}.amazonaws.com/team-a/web:1"
            )
        return CutImages(names, tuple(skipped))

    def _elsewhere(self, host: str, image: str) -> str:
        """Why an image is not in this registry; empty where it is."""
        if _VARIABLE.search(host or image):
            return "has a variable in the place of its registry: let the tool replace it, such as docker compose config"
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return "names no registry of ECR"
        if found["account"] != self.account:
            return f"is in the registry of the account {found['account']}"
        if found["region"] != self.region:
            return f"is in the region {found['region']}"
        return ""


def _name(path: str) -> str:
    folder, slash, last = path.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"
