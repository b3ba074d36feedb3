"""Plain values become dataclasses, strictly, and errors lead to the place."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.conversion import convert
from steward.errors import ValidationError


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Shouted(str):
    __slots__ = ()

    def __new__(cls, text):
        if text != text.upper():
            raise ValueError(f"{text!r} is not shouted")
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True)
class Box:
    label: Shouted
    size: Size = Size.SMALL
    colours: tuple[Literal["red", "blue"], ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    rest: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    boxes: tuple[Box, ...]
    lid: Literal["open"] | Box | None = None


def test_values_become_dataclasses():
    shelf = convert({"boxes": [{"label": "A", "size": "large", "colours": ["red"]}], "lid": "open"}, Shelf)

    assert shelf == Shelf((Box(Shouted("A"), Size.LARGE, ("red",)),), "open")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "Object missing required field `boxes`"),
        ({"boxes": 1}, "boxes: Expected `array`, got `int`"),
        ({"boxes": [{}]}, "boxes[0]: Object missing required field `label`"),
        ({"boxes": [{"label": "quiet"}]}, "boxes[0].label: 'quiet' is not shouted"),
        ({"boxes": [{"label": 1}]}, "boxes[0].label: Expected `str`, got `int`"),
        ({"boxes": [{"label": "A", "size": "huge"}]}, "boxes[0].size: Invalid enum value 'huge'; one of small, large"),
        (
            {"boxes": [{"label": "A"}, {"label": "B", "colours": ["red", "green"]}]},
            "boxes[1].colours[1]: Invalid enum value 'green'; one of red, blue",
        ),
        (
            {"boxes": [{"label": "A", "notes": {"a": 1}}]},
            "boxes[0].notes.a: Expected `str`, got `int`; write it in quotes",
        ),
        ({"boxes": [], "colour": 1}, "colour: unknown key; known keys are boxes, lid"),
        ({"boxes": [{"label": "A", "weight": 1}]}, "boxes[0].weight: unknown key; known keys are colours, label"),
        ({"boxes": [], "lid": "ajar"}, "lid: Invalid enum value 'ajar'; one of open"),
        ({"boxes": [], "lid": {"label": "A", "x": 1}}, "lid.x: unknown key"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place_and_what_would_fit(raw, says):
    with pytest.raises(ValidationError) as refused:
        convert(raw, Shelf)

    assert says in str(refused.value)


def test_what_may_be_anything_is_left_as_it_is():
    anything = {"a": [1, {"b": None}], "c": {"d": [[]]}}

    assert convert({"label": "A", "rest": anything}, Box).rest == anything


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["boxes", "label", "lid", "x"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_value_fits_or_is_refused_with_a_place_that_exists(raw):
    try:
        convert(raw, Shelf)
    except ValidationError as refused:
        assert exists(raw, refused.path)  # noqa: PT017 - or it fits


def exists(raw, path):
    for step in path:
        if isinstance(raw, dict) and step not in raw:
            return False
        raw = raw[step]
    return True
