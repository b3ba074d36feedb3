"""Values that the files do not hold: what an intrinsic function will return, or what is known after a deployment.

Such a value becomes a token, a text in angle brackets such as ``<Bucket.Arn>``. A token equals itself. Whether it
equals anything else is not known: `ecr_steward.gate.certainty` decides what may be said nevertheless. What names a
resource of the file holds no wildcard; any other value may (a parameter can be ``*``): such a token is *open* and
begins with ``<~``. A token stands where a policy takes text. Where it takes something else (a number, an address, a
whole statement), a text is put in its place that the engine reads and that occurs nowhere else.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from iam_policy.globs import overlap

OWN_ACCOUNT = "000000000000"
"""Stands for the account of a template, whose number the template does not hold."""

WHOLE_ARN = "arn:aws:opaque:::"
"""Is put before a token that must be a whole ARN, or its beginning."""

ANY_OTHER = "any-other"
"""A part of a resource's name that nothing in a file has."""

PSEUDO_SERVICE = "opaque"
"""The service of the one action that stands for all that an opaque statement or policy allows."""

_REGION = "<Region>"
_TOKEN = re.compile(r"<[^<>]*>|99999\d{7}")
_UNFIT = re.compile(r"[^A-Za-z0-9_.,=@+/-]+")
_LONGEST = 60
_accounts: dict[str, str] = {}
"""The tokens of accounts by the number that stands for each where only a number will do; it follows from the token."""


def token(text: str, *, is_open: bool = True) -> str:
    """The token of a value, from what the file calls it; long ones are shortened, with a digest."""
    name = _UNFIT.sub(".", text).strip(".")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}.{digest(text)}"
    return f"<{'~' if is_open else ''}{name}>"


def digest(value: Any) -> str:
    """Some digits that differ where the values do."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:8]


def has_token(text: str) -> bool:
    """Whether a part of a text is not known."""
    return _TOKEN.search(text) is not None or text.startswith(f"{PSEUDO_SERVICE}:")


def widened(text: str) -> str:
    """A glob of all that a text can be."""
    return _TOKEN.sub("*", text.replace(WHOLE_ARN, ""))


def may_overlap(glob: str, text: str) -> bool:
    """Whether a glob and a text, each with tokens, may match for some values of these.

    The name of a region has no colon: where nothing else is unknown in front of an ARN's last part, the parts are
    compared one by one, so that ``*`` for a region does not stand for the rest of the ARN as well.
    """
    parts = [one.replace(WHOLE_ARN, "").split(":", 5) for one in (glob, text)]
    heads = [part for one in parts for part in one[:5]]
    is_plain = all({*_TOKEN.findall(part)} <= {_REGION} and not {"*", "?"} & {*part} for part in heads)
    if is_plain and all(len(one) == 6 for one in parts):  # noqa: PLR2004 - an ARN's parts
        return all(overlap(widened(one), widened(other)) for one, other in zip(*parts, strict=True))
    return overlap(widened(glob), widened(text))


def can_match(glob: str, text: str) -> bool:
    """Whether a glob with tokens can match a text that names nothing of the file: what is open can, a name cannot."""
    parts = re.split(r"(<[^<>]*>|\*|\?)", glob.replace(WHOLE_ARN, ""))
    name = f"(?:(?!{ANY_OTHER}).)*"
    known = {"*": ".*", "?": "."}
    pattern = "".join(
        known.get(part) or ((".*" if part.startswith("<~") else name) if part.startswith("<") else re.escape(part))
        for part in parts
    )
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def is_opaque(value: Any) -> bool:
    """Whether a JSON value has an opaque part."""
    return has_token(value if isinstance(value, str) else json.dumps(value, default=str))


def opaque_statement(name: str) -> dict[str, Any]:
    """A statement that stands for one (or several) of which nothing is known."""
    return {"Effect": "Allow", "Action": f"{PSEUDO_SERVICE}:{name}", "Resource": "*"}


def opaque_document(name: str) -> dict[str, Any]:
    """A policy that stands for one of which nothing is known."""
    return {"Version": "2012-10-17", "Statement": [opaque_statement(name)]}


def shown(text: str) -> str:
    """A text for people, without what was put in for the engine."""
    text = text.replace(WHOLE_ARN, "").replace(OWN_ACCOUNT, "<AWS.AccountId>")
    return _TOKEN.sub(lambda found: _accounts.get(found[0], found[0]), text).replace("<~", "<")


def fitted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document in which every token stands where the engine takes text."""
    statements = document.get("Statement")
    if isinstance(statements, Mapping) or (isinstance(statements, str) and has_token(statements)):
        statements = [statements]
    if not isinstance(statements, list):
        return dict(document)
    return {**document, "Statement": [_fitted_statement(one) for one in statements]}


def _fitted_statement(statement: Any) -> Any:
    if isinstance(statement, str) and has_token(statement):
        return opaque_statement(statement)
    if not isinstance(statement, Mapping):
        return statement
    if isinstance(statement.get("Effect"), str) and has_token(statement["Effect"]):
        return opaque_statement(token(f"Statement.{digest(statement)}"))
    return {element: _fitted_element(element, value) for element, value in statement.items()}


def _fitted_element(element: str, value: Any) -> Any:
    match element:
        case "Sid" if isinstance(value, int | float):
            return str(value)  # CloudFormation makes texts of numbers
        case "Action" | "NotAction":
            return _each(value, _action)
        case "Resource" | "NotResource":
            return _each(value, _arn)
        case "Principal" | "NotPrincipal":
            named = {"AWS": value} if isinstance(value, str) and has_token(value) else value
            if not isinstance(named, Mapping):
                return named
            return {kind: _each(one, _principal) if kind == "AWS" else one for kind, one in named.items()}
        case "Condition" if isinstance(value, str) and has_token(value):
            return {"StringEquals": {f"{PSEUDO_SERVICE}/condition": value}}
        case "Condition" if isinstance(value, Mapping):
            return _fitted_condition(value)
    return value


def _each(value: Any, fit: Any) -> Any:
    return [fit(one) for one in value] if isinstance(value, list) else fit(value)


def _action(text: Any) -> Any:
    return f"{PSEUDO_SERVICE}:{text}" if isinstance(text, str) and has_token(text) and ":" not in text else text


def _arn(text: Any) -> Any:
    if isinstance(text, str) and text.startswith("execute-api:/"):  # API Gateway puts the API in front
        return f"arn:aws:execute-api:<Region>:{OWN_ACCOUNT}:<Api>{text.removeprefix('execute-api:')}"
    if isinstance(text, str) and not text.startswith(("arn:", "*", "?", "$")):
        return f"{WHOLE_ARN}{text}"  # a token, or what is no ARN: IAM would refuse it, and it names nothing
    return text


def _principal(text: Any) -> Any:
    """A principal, with a number for an account that is not known."""
    if isinstance(text, int) and not isinstance(text, bool):
        return str(text)
    parts = text.split(":", 5) if isinstance(text, str) else []
    if len(parts) == 6 and "<" in parts[4]:  # noqa: PLR2004 - an ARN's parts
        number = f"99999{int(hashlib.sha256(parts[4].encode()).hexdigest(), 16) % 10**7:07}"
        _accounts[number] = parts[4]
        parts[4] = number
        return ":".join(parts)
    return f"{WHOLE_ARN}{text}" if isinstance(text, str) and text.startswith("<") else text


_TEXT_OPERATORS = ("String", "Arn")


def _fitted_condition(block: Mapping[str, Any]) -> dict[str, Any]:
    fit: dict[str, Any] = {}
    opaque: dict[str, Any] = {}
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            if isinstance(keys, str) and has_token(keys):
                opaque[f"{PSEUDO_SERVICE}/{operator}"] = keys
            else:
                fit[operator] = keys
            continue
        name = operator.rpartition(":")[2]
        for key, value in keys.items():
            if not is_opaque(value) or name.startswith(_TEXT_OPERATORS):
                whole = _arn if name.startswith("Arn") else lambda text: text
                fit.setdefault(operator, {})[key] = _each(value, whole)
            else:
                opaque[f"{PSEUDO_SERVICE}/{operator}/{key}"] = json.dumps(value, sort_keys=True)
    if opaque:
        fit["StringEquals"] = {**fit.get("StringEquals", {}), **opaque}
    return fit
