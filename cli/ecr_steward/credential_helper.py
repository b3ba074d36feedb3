"""``docker-credential-steward``: a login for a registry with the key of the service user that the configuration names.

One host may use several registries and accounts, each with a user of its own::

    # ~/.config/steward/config.toml
    [registries]
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com" = { user = "ecr-push", profile = "secret-reader" }

The protocol is that of https://github.com/docker/docker-credential-helpers: the action is the argument, the registry
comes on the standard input, the answer and errors go to the standard output.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from ecr_steward.errors import CommandError
from ecr_steward.options import Registry, registries
from ecr_steward.registries import USER, region_of, token

NOT_FOUND = "credentials not found in native keychain"
"""What the protocol says where there is no login: a client then goes on without one."""
_SECRETS = "steward/service-users/"


def answer(action: str, asked: str) -> Mapping[str, Any]:
    """Answer one request of the protocol; ``asked`` is what came on the standard input.

    Raises
    ------
    CommandError
        There is no login; the text is for the client.
    """
    known = registries()
    match action:
        case "get":
            registry = _host(asked)
            if registry not in known:
                raise CommandError(NOT_FOUND)
            return {"ServerURL": asked.strip(), "Username": USER, "Secret": _password(registry, known[registry])}
        case "list":
            return dict.fromkeys(known, USER)
        case "erase":
            return {}  # a logout: nothing is kept
    raise CommandError(f"{action} is not supported: logins come from the keys of service users")


def _host(address: str) -> str:
    """The host, and the port if there is one, of a registry as clients write it."""
    return address.strip().removeprefix("https://").removeprefix("http://").partition("/")[0]


def _password(registry: str, configured: Registry) -> str:
    """The token of the registry, with the key that is current now."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

    region = region_of(registry) or configured.region
    secret = f"{_SECRETS}{configured.user}"
    try:
        reader = Session(profile=configured.profile or None)
        home = configured.region or reader.get_config_variable("region") or region
        secrets: Any = reader.create_client("secretsmanager", region_name=home)
        key = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
        user = Session()
        user.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"the secret {secret} cannot be read: {error}", "See docs/consumers.md") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"the secret {secret} has no key", "See docs/consumers.md") from error
    return token(user, region or home)


def main(arguments: list[str], asked: str) -> int:
    """Answer as the protocol wants it; the exit code."""
    if len(arguments) != 1:
        sys.stdout.write("usage: docker-credential-steward get|list|erase\n")
        return 1
    try:
        said = answer(arguments[0], asked)
    except CommandError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    if said or arguments[0] == "list":
        sys.stdout.write(json.dumps(said) + "\n")
    return 0


def run() -> None:
    """Run as a program."""
    sys.exit(main(sys.argv[1:], "" if sys.argv[1:] == ["list"] else sys.stdin.read()))


if __name__ == "__main__":
    run()
