"""Identifiers as segments of a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.errors import InvalidRequestError
from steward.path_segments import identifier_in, segment_of


@given(st.text())
def test_a_segment_has_unreserved_characters_only_and_leads_back_to_its_identifier(identifier):
    segment = segment_of(identifier)

    assert all(character.isascii() and (character.isalnum() or character in "._-~") for character in segment)
    assert identifier_in(segment) == identifier


@pytest.mark.parametrize(
    "identifier", ["access:role:deployer", "ecr-push", "ci+eu=west,1@example.org", "unmanaged:user:ü"]
)
def test_an_identifier_that_is_sent_as_it_is_stays_as_it_is(identifier):
    assert identifier_in(identifier) == identifier


def test_escapes_may_be_in_either_case():
    assert identifier_in("access~3arole~3Adeployer") == "access:role:deployer"


def test_escapes_that_are_not_utf_8_are_refused():
    with pytest.raises(InvalidRequestError, match="not UTF-8"):
        identifier_in("access~ff")
