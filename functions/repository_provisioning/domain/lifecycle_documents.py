"""Which lifecycle policy documents ECR takes, by the standard library alone: the local ECR judges by the same code.

Sources:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html (keys and values),
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html (evaluation rules: one rule for untagged
images, a unique set of tag prefixes) and https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html.
That the rules about untagged images and about ``any`` hold per storage class is in ECR's own error messages: "Only one
rule can select Untagged images per storage class", "Rule for tagStatus=ANY must have the lowest priority per storage
class".
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_RULES = 50
MIN_CHARACTERS, MAX_CHARACTERS = 100, 30_720
MAX_WILDCARDS = 4
"""In one pattern of tags."""
MAX_NUMBER = 2**31 - 1
"""Of priorities, days and images. AWS documents integers, which have 32 bits, and no smaller limit.

Source (a rule's priority):
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_LifecyclePolicyPreviewResult.html
"""

type Place = tuple[str | int, ...]
"""The way from the document's root to a place in it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What ECR refuses: where in the document it is, and what would be right."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class _Count:
    """What goes with a count type."""

    in_days: bool
    storage_class: str
    actions: tuple[str, ...]


_COUNTS = {
    "imageCountMoreThan": _Count(in_days=False, storage_class="standard", actions=("expire", "transition")),
    "sinceImagePushed": _Count(in_days=True, storage_class="standard", actions=("expire", "transition")),
    "sinceImagePulled": _Count(in_days=True, storage_class="standard", actions=("transition",)),
    "sinceImageTransitioned": _Count(in_days=True, storage_class="archive", actions=("expire",)),
}
_TAG_STATUSES = ("tagged", "untagged", "any")
_TAG_LISTS = ("tagPatternList", "tagPrefixList")
_ACTIONS = ("expire", "transition")
_NO_COUNT = f"is not a whole number from 1 to {MAX_NUMBER}"


def problems(document: object) -> Iterator[Problem]:
    """Everything for which ECR refuses a document, in the order of the document.

    What rules say of each other is looked at once every rule is sound by itself.
    """
    found = list(_keys(document, ("rules",), (), ()))
    yield from found
    rules = document.get("rules") if isinstance(document, dict) else None
    if rules is None:
        return
    if not isinstance(rules, list | tuple) or not rules:
        yield Problem(("rules",), "write a list of at least one rule")
        return
    if len(rules) > MAX_RULES:
        yield Problem(("rules",), f"has {len(rules)} rules; ECR takes at most {MAX_RULES}")
    of_rules = [problem for index, rule in enumerate(rules) for problem in _of_rule(rule, ("rules", index))]
    yield from of_rules or _between(rules)


def why_refused(text: str) -> str | None:
    """The first reason for which ECR refuses a document as it is sent; None for one that it takes."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if len(text) < MIN_CHARACTERS:
        return f"it has {len(text)} characters; ECR takes at least {MIN_CHARACTERS}"
    if len(text) > MAX_CHARACTERS:
        return f"it has {len(text)} characters; ECR takes at most {MAX_CHARACTERS}"
    first = next(problems(document), None)
    return f"{_written(first.place)}: {first.what}" if first else None


def _of_rule(rule: object, place: Place) -> Iterator[Problem]:
    yield from _keys(rule, ("rulePriority", "selection", "action"), ("description",), place)
    if not isinstance(rule, dict):
        return
    if "rulePriority" in rule and not _is_count(rule["rulePriority"]):
        yield Problem((*place, "rulePriority"), _NO_COUNT)
    if "description" in rule and not isinstance(rule["description"], str):
        yield Problem((*place, "description"), "is not a text")
    selection, action = rule.get("selection"), rule.get("action")
    if "selection" in rule:
        yield from _of_selection(selection, (*place, "selection"))
    if "action" in rule:
        yield from _of_action(action, (*place, "action"))
    if isinstance(selection, dict) and isinstance(action, dict):
        count = _count(selection)
        kind = action.get("type")
        if count and kind in _ACTIONS and kind not in count.actions:
            yield Problem(
                (*place, "action", "type"),
                f"{selection['countType']} goes with {_or(count.actions)} only{_OTHER_WAY.get(kind, '')}",
            )


_OTHER_WAY = {
    "expire": ": archive the images first, and expire them by sinceImageTransitioned in another rule",
}


def _of_selection(selection: object, place: Place) -> Iterator[Problem]:
    required = ("tagStatus", "countType", "countNumber")
    yield from _keys(selection, required, (*_TAG_LISTS, "storageClass", "countUnit"), place)
    if not isinstance(selection, dict):
        return
    yield from _of_tags(selection, place)
    yield from _one_of(selection, "countType", _COUNTS, place)
    if "countNumber" in selection and not _is_count(selection["countNumber"]):
        yield Problem((*place, "countNumber"), _NO_COUNT)
    count = _count(selection)
    if count is None:
        return
    if count.in_days and selection.get("countUnit") != "days":
        yield Problem((*place, "countUnit"), f"write days, which goes with {selection['countType']}")
    if not count.in_days and "countUnit" in selection:
        yield Problem((*place, "countUnit"), f"leave it out: {selection['countType']} counts images, not days")
    if selection.get("storageClass", "standard") != count.storage_class:
        yield Problem(
            (*place, "storageClass"), f"write {count.storage_class}, which goes with {selection['countType']}"
        )
    elif "storageClass" in selection and not isinstance(selection["storageClass"], str):
        yield Problem((*place, "storageClass"), "is not a text")


def _of_tags(selection: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    yield from _one_of(selection, "tagStatus", _TAG_STATUSES, place)
    given = [name for name in _TAG_LISTS if name in selection]
    status = selection.get("tagStatus")
    if status == "tagged" and len(given) != 1:
        yield Problem(place, f"tagStatus 'tagged' needs either {_or(_TAG_LISTS)}")
    for name in given:
        values = selection[name]
        if status in {"untagged", "any"}:
            yield Problem((*place, name), f"leave it out: it goes with tagStatus 'tagged' only, not with '{status}'")
        elif not isinstance(values, list | tuple) or not values:
            yield Problem((*place, name), "write a list of at least one text")
        else:
            for index, value in enumerate(values):
                yield from _of_tag(name, value, (*place, name, index))


def _of_tag(name: str, value: object, place: Place) -> Iterator[Problem]:
    if not isinstance(value, str) or not value:
        yield Problem(place, "is not a text of at least one character")
    elif name == "tagPatternList" and value.count("*") > MAX_WILDCARDS:
        yield Problem(place, f"{value!r} has {value.count('*')} wildcards; ECR takes at most {MAX_WILDCARDS} *")


def _of_action(action: object, place: Place) -> Iterator[Problem]:
    yield from _keys(action, ("type",), ("targetStorageClass",), place)
    if not isinstance(action, dict):
        return
    yield from _one_of(action, "type", _ACTIONS, place)
    if action.get("type") == "transition" and action.get("targetStorageClass") != "archive":
        yield Problem((*place, "targetStorageClass"), "write archive, the only class for a transition")
    if action.get("type") == "expire" and "targetStorageClass" in action:
        yield Problem((*place, "targetStorageClass"), "leave it out: it goes with a transition only")


def _between(rules: Collection[Mapping[str, Any]]) -> Iterator[Problem]:
    """What rules, each sound by itself, say against each other."""
    seen: dict[object, int] = {}
    for index, rule in enumerate(rules):
        for key, place, what in _unique(rule):
            if key in seen:
                yield Problem(("rules", index, *place), f"{what}: see rules[{seen[key]}]")
            seen.setdefault(key, index)
    for index, rule in enumerate(rules):
        of_class = [other["rulePriority"] for other in rules if _class(other) == _class(rule)]
        if rule["selection"]["tagStatus"] == "any" and rule["rulePriority"] < max(of_class):
            yield Problem(
                ("rules", index, "rulePriority"),
                f"must be above {max(of_class)}: a rule for tagStatus 'any' comes last among those for the storage "
                f"class {_class(rule)}",
            )


def _unique(rule: Mapping[str, Any]) -> Iterator[tuple[object, Place, str]]:
    """What no two rules may share: a key for it, where it is, and how to say so."""
    yield ("priority", rule["rulePriority"]), ("rulePriority",), "every rule needs a priority of its own"
    selection, storage_class = rule["selection"], _class(rule)
    status = selection["tagStatus"]
    if status != "tagged":
        place: Place = ("selection", "tagStatus")
        yield (status, storage_class), place, f"only one rule for the storage class {storage_class} may have '{status}'"
    elif "tagPrefixList" in selection:
        prefixes = frozenset(selection["tagPrefixList"])
        yield (prefixes, storage_class), ("selection", "tagPrefixList"), "every rule needs prefixes of its own"


def _keys(value: object, required: Collection[str], optional: Collection[str], place: Place) -> Iterator[Problem]:
    """What is missing or unknown in an object, or null: ECR takes no null."""
    if not isinstance(value, dict):
        yield Problem(place, "write an object" if value is not None else "leave it out: ECR takes no null")
        return
    known = {name.lower(): name for name in (*required, *optional)}
    for key in value:
        if key not in known.values():
            meant = known.get(str(key).lower())
            hint = f"write {meant}" if meant else f"known keys are {', '.join(sorted(known.values()))}"
            yield Problem((*place, key), f"unknown key; {hint}")
        elif value[key] is None:
            yield Problem((*place, key), "leave it out: ECR takes no null")
    missing = [name for name in required if name not in value]
    if missing:
        yield Problem(place, f"{', '.join(missing)} is missing")


def _one_of(value: Mapping[str, Any], key: str, choices: Collection[str], place: Place) -> Iterator[Problem]:
    if key in value and not (isinstance(value[key], str) and value[key] in choices):
        yield Problem((*place, key), f"is not one of {', '.join(choices)}")


def _count(selection: Mapping[str, Any]) -> _Count | None:
    kind = selection.get("countType")
    return _COUNTS.get(kind) if isinstance(kind, str) else None


def _class(rule: Mapping[str, Any]) -> str:
    return _COUNTS[rule["selection"]["countType"]].storage_class


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MAX_NUMBER


def _or(names: Collection[str]) -> str:
    return " or ".join(names)


def _written(place: Place) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.lstrip(".") or "it"
