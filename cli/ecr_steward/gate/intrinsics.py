"""Intrinsic functions of CloudFormation: what they return where the template says it, else an opaque token.

A condition of the template is true or false for both sides alike, so each combination is a *case* of its own. The
parts of conditions that are not known (``Fn::Equals`` of a parameter) are the atoms of these cases.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ecr_steward.gate.opaque import OWN_ACCOUNT, digest, is_opaque, opaque_statement, token

MOST_ATOMS = 3
"""Unknown parts of conditions for which every combination is looked at; beyond, ``Fn::If`` is opaque."""

_PSEUDO = {"AWS::AccountId": OWN_ACCOUNT, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
_REF_IS_ARN = {
    "AWS::IAM::OIDCProvider": "Arn",
    "AWS::IAM::SAMLProvider": "Arn",
    "AWS::SNS::Topic": "TopicArn",
    "AWS::SecretsManager::Secret": "Id",
    "AWS::StepFunctions::StateMachine": "Arn",
}
"""Resources of which ``Ref`` and an attribute return the same."""
_NO_VALUE = "AWS::NoValue"
_DYNAMIC = re.compile(r"\{\{resolve:([^{}]*(?:<[^<>]*>[^{}]*)*)\}\}")
"""A dynamic reference: to a parameter of Systems Manager, or to a secret."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")

_LOGIC: dict[str, Callable[[list[Any]], bool]] = {
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Not": lambda parts: not parts[0],
}

Case = Mapping[str, bool]
"""Atoms of conditions, and whether they are true."""


class _Nothing:
    """What ``AWS::NoValue`` leaves."""


NOTHING = _Nothing()


@dataclass(slots=True)
class Resolver:
    """Resolves the values of one template in one case.

    Attributes
    ----------
    template : mapping
        The template, with long names of functions.
    names : mapping of str to (str, str)
        What ``Ref`` and ``Fn::GetAtt`` of ``Arn`` return for the resources of IAM.
    case : mapping, or None
        Which atoms of conditions are true; None makes ``Fn::If`` opaque.
    changed : collection of str
        Parameters, mappings and conditions that the other side defines otherwise: their values are other ones.
    """

    template: Mapping[str, Any]
    names: Mapping[str, tuple[str, str]]
    case: Case | None = None
    changed: Collection[str] = ()
    _depth: int = field(default=0, init=False)

    def resolve(self, value: Any) -> Any:
        """The value without intrinsic functions; `NOTHING` for none at all."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
                    return self._function(name, argument)
            if any(isinstance(key, str) and key.startswith("Fn::") for key in value):
                return self._token("members", value)  # a loop or a macro beside others: what it makes is not known
            members = {key: self.resolve(member) for key, member in value.items()}
            return {key: member for key, member in members.items() if member is not NOTHING}
        if isinstance(value, list):
            resolved: list[Any] = []
            for member in value:
                one = self.resolve(member)
                if isinstance(one, list) and isinstance(member, Mapping):
                    resolved += one  # a list inside of a list: an Fn::If of several
                elif one is not NOTHING:
                    resolved.append(one)
            return resolved
        return _without_references(value) if isinstance(value, str) else value

    def text(self, value: Any) -> str:
        """The value as text; a token for what is none."""
        resolved = self.resolve(value)
        if isinstance(resolved, bool):
            return str(resolved).lower()
        if isinstance(resolved, str | int | float):
            return str(resolved)
        return self._token("value", value)

    def is_true(self, condition: str) -> bool | None:
        """Whether a condition of the template is true in this case; None when it is not known."""
        expression = self.template.get("Conditions", {}).get(condition)
        return None if expression is None or condition in self.changed else self._truth(expression, frozenset())

    def _truth(self, expression: Any, seen: frozenset[str]) -> bool | None:
        if not isinstance(expression, Mapping) or len(expression) != 1:
            return None
        name, argument = next(iter(expression.items()))
        if name == "Condition" and argument not in seen and argument not in self.changed:
            return self._truth(self.template.get("Conditions", {}).get(argument), seen | {argument})
        if name in _LOGIC and isinstance(argument, list):
            parts = [self._truth(part, seen) for part in argument]
            return None if None in parts else _LOGIC[name](parts)
        atom = _atom(argument) if name == "Fn::Equals" else None
        return None if atom is None or self.case is None else self.case.get(atom)

    def _function(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ToJsonString": self._as_json,
            "Fn::Length": self._length,
        }
        function = known.get(name)
        found = None if function is None else function(argument)
        return self._token(name, argument) if found is None else found

    def _token(self, name: str, argument: Any) -> str:
        if name == "Ref" and isinstance(argument, str):
            is_resource = argument in self.template.get("Resources", {}) or argument.startswith("AWS::")
            return token(argument.removeprefix("AWS::") + self._if_changed(argument), is_open=not is_resource)
        if name == "Fn::GetAtt":
            named = argument if isinstance(argument, str) else ".".join(map(str, argument))
            return token(named, is_open=named.split(".")[0] not in self.template.get("Resources", {}))
        short = name.removeprefix("Fn::")
        if name == "Fn::ImportValue":
            return token(f"{short}.{self.text(argument)}")
        named = f"{short}.{argument[0]}" if isinstance(argument, list) and isinstance(argument[0], str) else short
        return token(f"{named}.{digest(argument)}{self._if_changed(json.dumps(argument, default=str))}")

    def _if_changed(self, text: str) -> str:
        """A mark for a value that rests on a definition that the other side has otherwise."""
        names = set(re.findall(r"[A-Za-z0-9:]+", text))
        return ",changed" if not names.isdisjoint(self.changed) else ""

    def _ref(self, name: Any) -> Any:
        if name == _NO_VALUE:
            return NOTHING
        if not isinstance(name, str):
            return None
        if name in _PSEUDO:
            return _PSEUDO[name]
        resource = self.template.get("Resources", {}).get(name)
        kind = resource.get("Type") if isinstance(resource, Mapping) else None
        if isinstance(kind, str) and kind in _REF_IS_ARN:
            return self._token("Fn::GetAtt", [name, _REF_IS_ARN[kind]])
        return self.names[name][0] if name in self.names else None

    def _get_att(self, argument: Any) -> str | None:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) == 2 and parts[1] == "Arn" and parts[0] in self.names:  # noqa: PLR2004
            return self.names[parts[0]][1]
        return None

    def _sub(self, argument: Any) -> str | None:
        text, own = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})  # noqa: PLR2004
        if not isinstance(text, str) or not isinstance(own, Mapping):
            return None

        def replaced(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return self.text(own[name])
            return self.text({"Fn::GetAtt": name} if "." in name else {"Ref": name})

        return _without_references(_VARIABLE.sub(replaced, text))

    def _join(self, argument: Any) -> str | None:
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - a separator and a list
            return None
        separator, listed = argument[0], self.resolve(argument[1])
        if not isinstance(separator, str) or not isinstance(listed, list):
            return None
        return _without_references(separator.join(map(self.text, listed)))

    def _split(self, argument: Any) -> list[str] | None:
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - a separator and a text
            return None
        separator, text = argument[0], self.resolve(argument[1])
        if not isinstance(text, str) or not separator or is_opaque(text):
            return None
        return text.split(separator)

    def _select(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - an index and a list
            return None
        index, listed = self.resolve(argument[0]), self.resolve(argument[1])
        if not isinstance(listed, list) or not str(index).isdecimal() or int(index) >= len(listed):
            return None
        return listed[int(index)]

    def _as_json(self, argument: Any) -> Any:
        """The object or list itself: what searches for policies reads it like the text."""
        resolved = self.resolve(argument)
        return resolved if isinstance(resolved, Mapping | list) else None

    def _length(self, argument: Any) -> str | None:
        listed = self.resolve(argument)
        return str(len(listed)) if isinstance(listed, list) and not any(map(is_opaque, listed)) else None

    def _find_in_map(self, argument: Any) -> Any:
        """A value with keys that the template says; one with a default, or a key of the region, is not known."""
        keys = [self.resolve(key) for key in argument] if isinstance(argument, list) else []
        found: Any = self.template.get("Mappings")
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) and isinstance(key, str) else None
        return found if len(keys) == 3 and isinstance(found, str | list) else None  # noqa: PLR2004 - map, key, key

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:  # noqa: PLR2004 - a condition and two values
            return None
        truth = self.is_true(argument[0]) if isinstance(argument[0], str) else None
        if truth is not None:
            return self.resolve(argument[1] if truth else argument[2])
        if any(isinstance(branch, Mapping) and "Effect" in branch for branch in argument[1:]):
            return opaque_statement(self._token("Fn::If", argument))
        return None


def _without_references(text: str) -> str:
    """A text with a token for each dynamic reference: its value is elsewhere."""
    return _DYNAMIC.sub(lambda found: token(f"resolve.{found[1]}"), text) if "{{resolve:" in text else text


def _atom(argument: Any) -> str | None:
    """The text that stands for an ``Fn::Equals``, whichever side is written first."""
    if not isinstance(argument, list):
        return None
    sides = sorted(argument, key=lambda side: (isinstance(side, str), json.dumps(side, sort_keys=True, default=str)))
    return json.dumps(sides, sort_keys=True, default=str)


def canonical(expression: Any) -> Any:
    """A condition's expression, in one way of writing: the order of its parts decides nothing."""
    if not isinstance(expression, Mapping) or len(expression) != 1:
        return expression
    name, argument = next(iter(expression.items()))
    if name == "Fn::Equals":
        return {name: _atom(argument)}
    if name in _LOGIC and isinstance(argument, list):
        return {name: sorted((canonical(part) for part in argument), key=lambda part: json.dumps(part, default=str))}
    return expression


def cases(templates: Collection[Mapping[str, Any]], used: Collection[str]) -> Iterator[Case | None]:
    """Every combination of what the used conditions may be; a single None where these are too many."""
    atoms: set[str] = set()
    for template in templates:
        for name in used:
            atoms |= _atoms(template, template.get("Conditions", {}).get(name), frozenset())
    if len(atoms) > MOST_ATOMS:
        yield None
        return
    for truths in product((True, False), repeat=len(atoms)):
        case = dict(zip(sorted(atoms), truths, strict=True))
        if _can_be(case):
            yield case


def _can_be(case: Case) -> bool:
    """Whether no value would have to equal two different texts, and none has to differ from itself."""
    equal: dict[str, set[str]] = {}
    for atom, is_true in case.items():
        sides = json.loads(atom)
        literal = [side for side in sides if isinstance(side, str)]
        other = [side for side in sides if not isinstance(side, str)]
        if len(literal) == 2 and (literal[0] == literal[1]) != is_true:  # noqa: PLR2004 - two texts are decided
            return False
        if is_true and len(literal) == len(other) == 1:
            equal.setdefault(json.dumps(other[0], sort_keys=True), set()).add(literal[0])
    return all(len(texts) == 1 for texts in equal.values())


def _atoms(template: Mapping[str, Any], expression: Any, seen: frozenset[str]) -> set[str]:
    if not isinstance(expression, Mapping) or len(expression) != 1:
        return set()
    name, argument = next(iter(expression.items()))
    if name == "Condition" and isinstance(argument, str):
        if argument in seen:
            return set()
        named = template.get("Conditions", {}).get(argument)
        return _atoms(template, named, seen | {argument})
    if name in _LOGIC and isinstance(argument, list):
        return set().union(*(_atoms(template, part, seen) for part in argument))
    atom = _atom(argument) if name == "Fn::Equals" else None
    return set() if atom is None else {atom}


def conditions_used(value: Any) -> set[str]:
    """The conditions that ``Fn::If`` names inside a value."""
    if isinstance(value, Mapping):
        found = set().union(*map(conditions_used, value.values()))
        branch = value.get("Fn::If")
        if isinstance(branch, list) and branch and isinstance(branch[0], str):
            found.add(branch[0])
        return found
    return set().union(*map(conditions_used, value)) if isinstance(value, list) else set()
