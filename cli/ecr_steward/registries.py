"""Logins at ECR: a token of a registry, and the files in which docker, podman, buildah and skopeo keep theirs."""

import base64
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecr_steward.errors import CommandError

if TYPE_CHECKING:
    from botocore.session import Session

USER = "AWS"
"""The name with which a token logs in."""
_REGION = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)(?::\d+)?")


def region_of(registry: str) -> str:
    """The region in the host name of a registry; empty for a host that is none of ECR's."""
    found = _REGION.fullmatch(registry)
    return found[1] if found else ""


def token(session: "Session", region: str) -> str:
    """A password for the registries of a region, valid for twelve hours.

    Raises
    ------
    CommandError
        ECR refuses it, or there are no credentials.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client: Any = session.create_client("ecr", region_name=region)
        (given,) = client.get_authorization_token()["authorizationData"]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CommandError(f"ECR gives no token: {error}", "The caller needs ecr:GetAuthorizationToken") from error
    return base64.b64decode(given["authorizationToken"]).decode().partition(":")[2]


def log_in(registry: str, password: str, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Keep a login where docker, and podman, buildah and skopeo look for it; the files.

    Where docker keeps its logins in a credential store, so does this. A registry with a credential helper of its own
    is left alone: the helper answers for it.

    Raises
    ------
    CommandError
        A file is no JSON object or cannot be written, or the store refuses.
    """
    return [path for path in (_docker(environment), _containers(environment)) if _kept(path, registry, password)]


def _docker(environment: Mapping[str, str]) -> Path:
    """https://docs.docker.com/reference/cli/docker/#environment-variables."""
    folder = environment.get("DOCKER_CONFIG")
    return (Path(folder) if folder else _home(environment) / ".docker") / "config.json"


def _containers(environment: Mapping[str, str]) -> Path:
    """https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md."""
    if named := environment.get("REGISTRY_AUTH_FILE"):
        return Path(named)
    if folder := environment.get("XDG_RUNTIME_DIR"):
        return Path(folder) / "containers" / "auth.json"
    return _home(environment) / ".config" / "containers" / "auth.json"


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def _kept(path: Path, registry: str, password: str) -> bool:
    """Keep it in one file, or in the store that the file names; False where a helper answers for the registry."""
    found = _read(path)
    if registry in (found.get("credHelpers") or {}):
        return False
    if store := found.get("credsStore"):
        _store(str(store), registry, password)
        return True
    login = {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}
    _write(path, {**found, "auths": {**(found.get("auths") or {}), registry: login}})
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8") or "{}")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}", "Correct the file, or remove it") from error
    if not isinstance(found, dict) or not isinstance(found.get("auths") or {}, dict):
        raise CommandError(f"{path} is no file of logins", "Correct the file, or remove it")
    return found


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file at once, for its owner alone; through a link, so that the link stays."""
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as written:
            json.dump(content, written, indent="\t")
        Path(written.name).replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", "Name another folder with HOME") from error


def _store(store: str, registry: str, password: str) -> None:
    """https://github.com/docker/docker-credential-helpers#development."""
    helper = f"docker-credential-{store}"
    login = json.dumps({"ServerURL": registry, "Username": USER, "Secret": password})
    try:
        done = subprocess.run([helper, "store"], input=login, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CommandError(f"{helper} cannot be run: {error.strerror}", "Install it, or remove credsStore") from error
    if done.returncode:
        raise CommandError(f"{helper} keeps no login: {done.stdout.strip()}", "See its documentation")
