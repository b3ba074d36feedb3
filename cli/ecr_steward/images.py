"""Names of repositories, cut from images as people and build files write them.

Imports little: `ecr_steward.one_name` starts with it.
"""

from __future__ import annotations

from ecr_steward.errors import CommandError

TYPE_CHECKING = False  # typing, which has it, takes time to import
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_ECR = r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)/"
_VARIABLE = r"\$\{?\w+"


def repository_of(image: str) -> str:
    """The name of the repository of an image: without this registry, tag and digest."""
    name = image.strip()
    if ".dkr" in name:
        import re

        name = re.sub(_ECR, "", name, count=1)
    name = name.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def is_in_ecr(image: str) -> bool:
    """Whether an image names an ECR registry."""
    import re

    return re.match(_ECR, image) is not None


def in_lines(text: str) -> Iterator[str]:
    """One image or name a line; what follows a ``#`` is a comment."""
    for line in text.splitlines():
        if name := line.partition("#")[0].strip():
            yield name


def in_compose(text: str, file: str) -> Iterator[str]:
    """The images of a compose file that are in ECR.

    Raises
    ------
    CommandError
        It is no compose file, or an image rests on a variable.
    """
    services = _mapping(text, file).get("services")
    if not isinstance(services, dict):
        raise CommandError(f"{file}: it has no services", "Give a compose file, such as docker compose config prints")
    for name, service in services.items():
        image = service.get("image") if isinstance(service, dict) else None
        if isinstance(image, str):
            yield from _known(image, f"{file}: service {name}", "docker compose config | steward ensure --compose -")


def in_bake(text: str, file: str) -> Iterator[str]:
    """The tags of all targets of what ``docker buildx bake --print`` prints, as far as they are in ECR.

    Raises
    ------
    CommandError
        It is not that.
    """
    targets = _mapping(text, file).get("target")
    if not isinstance(targets, dict):
        remedy = "Pipe it: docker buildx bake --print | steward ensure --bake -"
        raise CommandError(f"{file}: it has no targets", remedy)
    for name, target in targets.items():
        tags = target.get("tags") if isinstance(target, dict) else None
        for tag in tags if isinstance(tags, list) else []:
            yield from _known(
                str(tag), f"{file}: target {name}", "docker buildx bake --print | steward ensure --bake -"
            )


def _known(image: str, where: str, remedy: str) -> Iterator[str]:
    import re

    if re.search(_VARIABLE, image):
        raise CommandError(f"{where}: the image {image} has a variable", f"Let the tool replace it: {remedy}")
    if is_in_ecr(image):
        yield image


def _mapping(text: str, file: str) -> dict[str, Any]:
    import json

    import yaml

    try:
        value = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise CommandError(f"{file}: it is neither JSON nor YAML: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"{file}: it is no object")
    return value
