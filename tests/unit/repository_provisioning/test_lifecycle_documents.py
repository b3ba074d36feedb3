"""Lifecycle documents are judged as ECR judges them, before anything is created."""

import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repository_provisioning.domain.lifecycle_documents import MAX_CHARACTERS, problems, why_refused

ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
EXPIRE = {"type": "expire"}


def rule(priority=1, action=EXPIRE, **selection):
    chosen = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5} | selection
    return {"rulePriority": priority, "selection": chosen, "action": action}


def aged(priority=1, action=EXPIRE, days=90, count_type="sinceImagePushed", **selection):
    return rule(priority, action, **{"countType": count_type, "countUnit": "days", "countNumber": days} | selection)


def archived(priority=1, **selection):
    return aged(priority, count_type="sinceImageTransitioned", storageClass="archive", **selection)


TAKEN = {
    "untagged images by age": [aged(tagStatus="untagged")],
    "images of a pattern": [aged(tagStatus="tagged", tagPatternList=["prod*"])],
    "four wildcards": [rule(tagStatus="tagged", tagPatternList=["*test*1*2*3"])],
    "all of several prefixes": [rule(tagStatus="tagged", tagPrefixList=["alpha", "beta"])],
    "priorities with gaps, in any order": [rule(500), aged(10, tagStatus="untagged")],
    "archived by last pull, then deleted": [aged(1, ARCHIVE, count_type="sinceImagePulled"), archived(2)],
    "any image of each class, the archive first": [archived(1), rule(2)],
    "a rule for the archive with a lower priority": [archived(1), rule(2, tagStatus="untagged"), rule(3)],
    "archived beyond a number": [rule(action=ARCHIVE)],
    "archived by age": [aged(action=ARCHIVE)],
    "the class standard, written": [rule(storageClass="standard")],
    "untagged images of each class": [rule(1, tagStatus="untagged"), archived(2, tagStatus="untagged")],
    "the same prefixes in each class": [
        rule(1, tagStatus="tagged", tagPrefixList=["a"]),
        archived(2, tagStatus="tagged", tagPrefixList=["a"]),
    ],
    "the largest integers": [rule(2**31 - 1, countNumber=2**31 - 1)],
    "a description": [rule() | {"description": "why"}],
    "as many rules as ECR takes": [rule(n, tagStatus="tagged", tagPatternList=[f"v{n}"]) for n in range(1, 51)],
}
S, A = ("rules", 0, "selection"), ("rules", 0, "action")
REFUSED = {
    "no rules": ([], ("rules",), "at least one rule"),
    "too many rules": (
        [rule(n, tagStatus="tagged", tagPatternList=[f"v{n}"]) for n in range(1, 52)],
        ("rules",),
        "at most 50",
    ),
    "a text": ("[]", ("rules",), "write a list"),
    "a rule that is null": ([None], ("rules", 0), "no null"),
    "a rule that is a list": ([[]], ("rules", 0), "write an object"),
    "a rule without an action": ([{"rulePriority": 1, "selection": rule()["selection"]}], ("rules", 0), "action is"),
    "expired by last pull": ([aged(count_type="sinceImagePulled")], (*A, "type"), "transition only"),
    "archived twice": (
        [archived() | {"action": ARCHIVE}],
        (*A, "type"),
        "sinceImageTransitioned goes with expire only",
    ),
    "a prefix list that is null": (
        [rule(tagStatus="tagged", tagPatternList=["x*"], tagPrefixList=None)],
        (*S, "tagPrefixList"),
        "no null",
    ),
    "a target that is null": (
        [rule(action={**EXPIRE, "targetStorageClass": None})],
        (*A, "targetStorageClass"),
        "null",
    ),
    "a description that is null": ([rule() | {"description": None}], ("rules", 0, "description"), "no null"),
    "a target of what expires": (
        [rule(action={**EXPIRE, "targetStorageClass": "archive"})],
        (*A, "targetStorageClass"),
        "leave it out",
    ),
    "a transition to nowhere": ([rule(action={"type": "transition"})], (*A, "targetStorageClass"), "write archive"),
    "a transition to another class": (
        [rule(action={**ARCHIVE, "targetStorageClass": "glacier"})],
        (*A, "targetStorageClass"),
        "write archive",
    ),
    "the archive, counted from the push": ([aged(storageClass="archive")], (*S, "storageClass"), "write standard"),
    "no class, counted from the archiving": (
        [aged(count_type="sinceImageTransitioned")],
        (*S, "storageClass"),
        "write archive",
    ),
    "a unit of a number": ([rule(countUnit="days")], (*S, "countUnit"), "leave it out"),
    "no unit of an age": ([rule(countType="sinceImagePushed")], (*S, "countUnit"), "write days"),
    "weeks": ([aged(countUnit="weeks")], (*S, "countUnit"), "write days"),
    "tagged without a list": ([rule(tagStatus="tagged")], S, "needs either tagPatternList or tagPrefixList"),
    "tagged with both lists": (
        [rule(tagStatus="tagged", tagPatternList=["a"], tagPrefixList=["a"])],
        S,
        "needs either",
    ),
    "any with a list": ([rule(tagPrefixList=["a"])], (*S, "tagPrefixList"), "'tagged' only"),
    "any with an empty list": ([rule(tagPrefixList=[])], (*S, "tagPrefixList"), "'tagged' only"),
    "an empty list": ([rule(tagStatus="tagged", tagPatternList=[])], (*S, "tagPatternList"), "at least one text"),
    "an empty text in a list": (
        [rule(tagStatus="tagged", tagPatternList=["a", ""])],
        (*S, "tagPatternList", 1),
        "at least one character",
    ),
    "a number in a list": ([rule(tagStatus="tagged", tagPrefixList=[1])], (*S, "tagPrefixList", 0), "is not a text"),
    "a list that is a text": ([rule(tagStatus="tagged", tagPrefixList="a")], (*S, "tagPrefixList"), "write a list"),
    "five wildcards": (
        [rule(tagStatus="tagged", tagPatternList=["test*1*2*3*4*"])],
        (*S, "tagPatternList", 0),
        "5 wildcards; ECR takes at most 4",
    ),
    "a priority twice": ([rule(1, tagStatus="untagged"), rule(1)], ("rules", 1, "rulePriority"), "rules[0]"),
    "any before others": ([rule(1), rule(2, tagStatus="untagged")], ("rules", 0, "rulePriority"), "must be above 2"),
    "any twice in a class": ([rule(1), aged(2)], ("rules", 1, "selection", "tagStatus"), "only one rule"),
    "untagged twice in a class": (
        [rule(1, tagStatus="untagged"), aged(2, tagStatus="untagged")],
        ("rules", 1, "selection", "tagStatus"),
        "only one rule",
    ),
    "the same prefixes twice": (
        [rule(n, tagStatus="tagged", tagPrefixList=prefixes) for n, prefixes in ((1, ["a", "b"]), (2, ["b", "a"]))],
        ("rules", 1, "selection", "tagPrefixList"),
        "rules[0]",
    ),
    "more than an integer holds": ([rule(countNumber=2**31)], (*S, "countNumber"), "whole number from 1 to 2147483647"),
    "a priority beyond an integer": ([rule(2**31)], ("rules", 0, "rulePriority"), "from 1 to 2147483647"),
    "no images": ([rule(countNumber=0)], (*S, "countNumber"), "whole number from 1"),
    "half an image": ([rule(countNumber=1.5)], (*S, "countNumber"), "whole number from 1"),
    "a number in quotes": ([rule(countNumber="5")], (*S, "countNumber"), "whole number from 1"),
    "a number that is true": ([rule(countNumber=True)], (*S, "countNumber"), "whole number from 1"),
    "priority zero": ([rule(0)], ("rules", 0, "rulePriority"), "whole number from 1"),
    "an action that ECR does not know": ([rule(action={"type": "delete"})], (*A, "type"), "expire, transition"),
    "a status that ECR does not know": ([rule(tagStatus="sometimes")], (*S, "tagStatus"), "tagged, untagged, any"),
    "a count that ECR does not know": ([rule(countType="imageCountLessThan")], (*S, "countType"), "is not one of"),
    "a misspelt key": ([rule(tagPrefixes=["a"])], (*S, "tagPrefixes"), "known keys are"),
    "keys as in CloudFormation": (
        [{"RulePriority": 1, "Selection": rule()["selection"], "Action": EXPIRE}],
        ("rules", 0, "RulePriority"),
        "write rulePriority",
    ),
}


@pytest.mark.parametrize("rules", TAKEN.values(), ids=TAKEN.keys())
def test_what_ecr_takes_is_taken(rules):
    assert list(problems({"rules": rules})) == []


@pytest.mark.parametrize(("rules", "place", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_what_ecr_refuses_is_refused_with_its_place(rules, place, what):
    first = next(problems({"rules": rules}))

    assert first.place == place
    assert what in first.what


@pytest.mark.parametrize("document", [None, [], "rules", {}, {"Rules": [rule()]}, {"rules": [rule()], "version": 1}])
def test_a_document_is_an_object_with_rules_and_nothing_else(document):
    assert list(problems(document))


def test_a_text_is_judged_as_its_document():
    assert why_refused(json.dumps({"rules": [rule()]}, indent=1)) is None
    assert (
        why_refused(json.dumps({"rules": [rule(0)]}, indent=1))
        == "rules[0].rulePriority: is not a whole number from 1 to 2147483647"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("{}".ljust(99), "at least 100"),
        (json.dumps({"rules": [rule()]}).ljust(MAX_CHARACTERS + 1), "at most 30720"),
        (json.dumps([rule()] * 3), "it: write an object"),
    ],
)
def test_a_text_that_ecr_cannot_take_is_refused(text, what):
    assert what in why_refused(text)


COUNT = {"type": "integer", "minimum": 1, "maximum": 2_147_483_647}
TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
PATTERNS = TEXTS | {"items": {"type": "string", "minLength": 1, "pattern": r"^[^*]*(\*[^*]*){0,4}$"}}
TAGS = {
    "oneOf": [
        {"properties": {"tagStatus": {"enum": ["untagged", "any"]}, "tagPatternList": False, "tagPrefixList": False}},
        {
            "properties": {"tagStatus": {"const": "tagged"}, "tagPatternList": PATTERNS, "tagPrefixList": False},
            "required": ["tagPatternList"],
        },
        {
            "properties": {"tagStatus": {"const": "tagged"}, "tagPrefixList": TEXTS, "tagPatternList": False},
            "required": ["tagPrefixList"],
        },
    ]
}


def selection_of(count_types, unit, storage_class, required=()):
    return {
        "properties": {"countType": {"enum": count_types}, "countUnit": unit, "storageClass": {"const": storage_class}},
        "required": [*required],
    }


def action_of(*types):
    return {"properties": {"type": {"enum": types}}}


DAYS, ARCHIVED = {"const": "days"}, {"const": "archive"}
SCHEMA = {
    "type": "object",
    "required": ["rules"],
    "additionalProperties": False,
    "properties": {
        "rules": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["rulePriority", "selection", "action"],
                "additionalProperties": False,
                "properties": {
                    "rulePriority": COUNT,
                    "description": {"type": "string"},
                    "selection": {
                        "type": "object",
                        "required": ["tagStatus", "countType", "countNumber"],
                        "propertyNames": {
                            "enum": [
                                *("tagStatus", "tagPatternList", "tagPrefixList", "storageClass"),
                                *("countType", "countUnit", "countNumber"),
                            ]
                        },
                        "properties": {"countNumber": COUNT},
                        "allOf": [TAGS],
                    },
                    "action": {
                        "type": "object",
                        "propertyNames": {"enum": ["type", "targetStorageClass"]},
                        "required": ["type"],
                        "oneOf": [
                            {"properties": {"type": {"const": "expire"}, "targetStorageClass": False}},
                            {
                                "properties": {
                                    "type": {"const": "transition"},
                                    "targetStorageClass": {"const": "archive"},
                                },
                                "required": ["targetStorageClass"],
                            },
                        ],
                    },
                },
                "oneOf": [
                    {
                        "properties": {
                            "selection": selection_of(["imageCountMoreThan"], unit=False, storage_class="standard")
                        }
                    },
                    {"properties": {"selection": selection_of(["sinceImagePushed"], DAYS, "standard", ["countUnit"])}},
                    {
                        "properties": {
                            "selection": selection_of(["sinceImagePulled"], DAYS, "standard", ["countUnit"]),
                            "action": action_of("transition"),
                        }
                    },
                    {
                        "properties": {
                            "selection": selection_of(
                                ["sinceImageTransitioned"], DAYS, "archive", ["countUnit", "storageClass"]
                            ),
                            "action": action_of("expire"),
                        }
                    },
                ],
            },
        }
    },
}
"""AWS's page "Lifecycle policy properties in Amazon ECR", read once more, as a JSON Schema."""

READER = jsonschema.Draft202012Validator(SCHEMA)


def is_taken(document):
    """An independent reading: the schema, and the sentences of AWS's pages about several rules."""
    if not READER.is_valid(document):
        return False
    by_class = {"standard": [], "archive": []}
    for one in document["rules"]:
        by_class[one["selection"].get("storageClass", "standard")].append(one)
    priorities = [one["rulePriority"] for one in document["rules"]]
    if sorted(set(priorities)) != sorted(priorities):
        return False
    for rules in by_class.values():
        ordered = sorted(rules, key=lambda one: one["rulePriority"])
        statuses = [one["selection"]["tagStatus"] for one in ordered]
        prefixes = [sorted(set(p)) for one in ordered if (p := one["selection"].get("tagPrefixList"))]
        if "any" in statuses[:-1] or statuses.count("untagged") > 1:
            return False
        if any(prefixes.count(some) > 1 for some in prefixes):
            return False
    return True


def usually(strategy, others):
    """A value of the strategy nearly always, so that sound documents are made as often as broken ones."""
    return st.integers(0, 29 * len(others)).flatmap(lambda n: st.sampled_from(others) if n == 0 else strategy)


@st.composite
def rules_of_documents(draw):
    count_type = draw(
        st.sampled_from(["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"])
    )
    in_days, of_archive = count_type != "imageCountMoreThan", count_type == "sinceImageTransitioned"
    status = draw(usually(st.sampled_from(["tagged", "untagged", "any"]), ["Any", None]))
    chosen = {
        "tagStatus": status,
        "countType": draw(usually(st.just(count_type), ["imageCount", None])),
        "countNumber": draw(usually(st.integers(1, 400), [0, -1, "5", 2.5, True, None, 99_999_999_999])),
    }
    if draw(usually(st.just(in_days), [not in_days])):
        chosen["countUnit"] = draw(usually(st.just("days"), ["hours", None]))
    if draw(usually(st.just(of_archive), [not of_archive])):
        chosen["storageClass"] = draw(
            usually(st.just("archive" if of_archive else "standard"), ["archive", "standard", None])
        )
    if draw(usually(st.just(status == "tagged"), [status != "tagged"])):
        name = draw(st.sampled_from(["tagPatternList", "tagPrefixList"]))
        text = st.sampled_from(["v*", "a", "b", "*x*y*", "*a*b*c*d", "*a*b*c*d*"])
        chosen[name] = draw(usually(st.lists(text, min_size=1, max_size=3), [[], None, "v*", [""], [3]]))
    sound = "transition" if count_type == "sinceImagePulled" else "expire"
    kind = draw(usually(st.just(sound), ["expire", "transition", "delete", None]))
    action = {"type": kind}
    if draw(usually(st.just(kind == "transition"), [kind != "transition"])):
        action["targetStorageClass"] = draw(usually(st.just("archive"), ["standard", None]))
    made = {
        "rulePriority": draw(usually(st.integers(1, 9), [0, "1", 1.5, True, None, 2**31])),
        "selection": draw(usually(st.just(chosen), [None, [], "any"])),
        "action": draw(usually(st.just(action), [None, [], "expire"])),
    }
    if draw(st.booleans()):
        made["description"] = draw(usually(st.text(max_size=5), [None, 7]))
    for part in (made, made["selection"], made["action"]):
        if isinstance(part, dict) and draw(usually(st.just(value=False), [True])):
            part.pop(draw(st.sampled_from(sorted(part))))
        if isinstance(part, dict) and draw(usually(st.just(value=False), [True])):
            part[draw(st.sampled_from(["RulePriority", "tags", "targetstorageclass"]))] = 1
    return draw(usually(st.just(made), [None, [], "rule"]))


documents = usually(
    st.lists(rules_of_documents(), min_size=1, max_size=4).map(lambda rules: {"rules": rules}),
    [{}, {"rules": []}, {"rules": None}, {"Rules": []}, [], None],
)


def judged(document):
    """Have both judge it; whether it is taken."""
    taken = is_taken(document)
    assert (not list(problems(document))) == taken, document
    assert (why_refused(json.dumps(document).ljust(100)) is None) == taken, document
    return taken


@given(documents)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_the_check_and_an_independent_reading_of_awss_pages_agree(document):
    judged(document)


@pytest.mark.slow
def test_the_check_and_the_reading_agree_on_ten_thousand_documents_of_which_many_are_sound():
    taken = []

    @given(documents)
    @settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def agree(document):
        taken.append(judged(document))

    agree()

    assert len(taken) >= 9_000
    assert 500 < sum(taken) < len(taken) - 500
