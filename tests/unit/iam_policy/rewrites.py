"""Changes of a policy document that mean nothing, and changes that give more access."""

from copy import deepcopy
from random import Random
from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]
_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def rewritten(document: Document, seed: int) -> Document:
    """The document with everything changed that does not matter, some of it by chance."""
    random = Random(seed)  # noqa: S311 - variety, not secrets
    listed = [_restated(statement, random) for statement in _statements(document)]
    listed = [part for statement in listed for part in _split(statement, random)]
    listed += [deepcopy(statement) for statement in listed if random.random() < 0.2]
    random.shuffle(listed)
    for number, statement in enumerate(listed):
        statement.pop("Sid", None)
        if random.random() < 0.5:
            statement["Sid"] = f"Renamed{number}"
    return {key: value for key, value in document.items() if key == "Version"} | {"Statement": listed}


def with_action_added(document: Document) -> Document:
    """An action of a service that nobody has heard of, in the first statement that allows."""
    changed = _copy(document)
    first = _first_allow(changed)
    if "*" in _as_list(first.get("Action", "*")):
        return with_statement_added(document)
    first["Action"] = [*_as_list(first["Action"]), "example-service:DoThis"]
    return changed


def with_wildcard_added(document: Document) -> Document:
    """The same with a wildcard, unconditionally."""
    return _extended(document, {"Effect": "Allow", "Action": "example-serv*:Do?his", "Resource": "*"})


def with_statement_added(document: Document) -> Document:
    """A statement for an action and a resource of its own."""
    return _extended(document, {"Effect": "Allow", "Action": "example-service:*", "Resource": "arn:aws:example:::*"})


def with_conditional_grant(document: Document) -> Document:
    """A statement that depends on the request's context."""
    condition = {"StringLike": {"aws:PrincipalTag/team": "a*"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
    grant = {"Effect": "Allow", "Action": "example-service:DoThis", "Resource": "*", "Condition": condition}
    return _extended(document, grant)


def with_everything_else(document: Document) -> Document:
    """A statement that allows whatever is no action of two services, on one resource."""
    grant = {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "arn:aws:example:::thing"}
    return _extended(document, grant)


ADDITIONS = (
    with_action_added,
    with_wildcard_added,
    with_statement_added,
    with_conditional_grant,
    with_everything_else,
)


def with_service_widened(document: Document) -> Document:
    """The first action of the first Allow becomes every action of its service."""
    changed = _copy(document)
    first = _first_allow(changed)
    if "Action" in first:
        actions = _as_list(first["Action"])
        first["Action"] = [actions[0].split(":")[0] + ":*" if ":" in actions[0] else "*", *actions[1:]]
    return changed


def with_any_resource(document: Document) -> Document:
    """The first Allow that names resources applies to all."""
    changed = _copy(document)
    for statement in changed["Statement"]:
        if statement["Effect"] == "Allow" and statement.get("Resource") not in ("*", ["*"]):
            statement.pop("NotResource", None)
            statement["Resource"] = "*"
            break
    return changed


def without_conditions(document: Document) -> Document:
    """No Allow has a condition."""
    changed = _copy(document)
    for statement in changed["Statement"]:
        if statement["Effect"] == "Allow":
            statement.pop("Condition", None)
    return changed


def without_denies(document: Document) -> Document:
    """No statement denies."""
    changed = _copy(document)
    changed["Statement"] = [statement for statement in changed["Statement"] if statement["Effect"] == "Allow"]
    return changed if changed["Statement"] else document


WIDENINGS = (with_service_widened, with_any_resource, without_conditions, without_denies)


def _restated(statement: Statement, random: Random) -> Statement:
    restated: Statement = {}
    members = list(statement.items())
    random.shuffle(members)
    for key, value in members:
        if key in _LISTS:
            restated[key] = _relisted(value, key, random)
        elif key == "Condition":
            restated[key] = {
                operator: {_recased(name, random): _shuffled(values, random) for name, values in keys.items()}
                for operator, keys in value.items()
            }
        elif key in ("Principal", "NotPrincipal") and value == "*":
            restated[key] = random.choice(["*", {"AWS": "*"}, {"AWS": ["*"]}])
        elif key in ("Principal", "NotPrincipal") and "AWS" in value:
            restated[key] = value | {"AWS": [_other_spelling(one) for one in _as_list(value["AWS"])]}
        else:
            restated[key] = value
    return restated


def _relisted(value: Any, key: str, random: Random) -> Any:
    listed = _as_list(value)
    if key in ("Action", "NotAction"):
        wild = [one for one in listed if one.endswith("*")]
        listed = [_recased(one, random) for one in listed]
        listed += [one[:-1] + "Subsumed" for one in wild if ":" in one]
    elif random.random() < 0.3:
        listed += [one + "subsumed" for one in listed if one.endswith("*") and len(one) > 1 and "${" not in one]
    if random.random() < 0.3:
        listed.append(listed[0])
    return _shuffled(listed, random) if len(listed) > 1 or random.random() < 0.5 else listed[0]


def _split(statement: Statement, random: Random) -> list[Statement]:
    keys = [key for key in ("Action", "Resource") if isinstance(statement.get(key), list) and len(statement[key]) > 1]
    if not keys or random.random() < 0.5:
        return [statement]
    key = random.choice(keys)
    cut = random.randrange(1, len(statement[key]))
    return [statement | {key: statement[key][:cut]}, deepcopy(statement) | {key: statement[key][cut:]}]


def _other_spelling(principal: str) -> str:
    if principal.isdecimal():
        return f"arn:aws:iam::{principal}:root"
    if principal.startswith("arn:aws:iam::") and principal.endswith(":root"):
        return principal.split(":")[4]
    return principal


def _recased(text: str, random: Random) -> str:
    return random.choice([text, text.lower(), text.upper(), text.swapcase()])


def _shuffled(value: Any, random: Random) -> Any:
    if not isinstance(value, list):
        return random.choice([value, [value]])
    return random.sample(value, len(value))


def _extended(document: Document, statement: Statement) -> Document:
    changed = _copy(document)
    changed["Statement"].append(statement)
    return changed


def _copy(document: Document) -> Document:
    return deepcopy(document) | {"Statement": deepcopy(_statements(document))}


def _statements(document: Document) -> list[Statement]:
    listed = document["Statement"]
    return list(listed) if isinstance(listed, list) else [listed]


def _first_allow(document: Document) -> Statement:
    allows = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    return allows[0] if allows else {}


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
