"""Policy documents read once each, however many principals hold them."""

import json
from collections.abc import Iterable
from functools import lru_cache

from iam_policy import Access, canonical_hash, effective_access
from iam_policy.access import stored_access
from policy_drift.domain.account import Document

#: Documents of some thousand characters are kept: tens of megabytes at most.
_KEPT = 8_192

Statements = Access
"""The statements of one document."""

NOTHING = Access(((),))
"""The access of a principal without policies."""

EVERYTHING = effective_access(
    [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
)
"""The access of an administrator, and what no boundary leaves."""


def read(document: Document) -> Statements:
    """Parse a document.

    Raises
    ------
    PolicyDocumentError
        The document is malformed.
    """
    return read_text(text_of(document))


def same(one: Document, other: Document) -> bool:
    """Whether two documents differ in spelling alone (order, Sid, capitals, lists of one, split statements).

    Raises
    ------
    PolicyDocumentError
        They differ, and one is malformed.
    """
    if one == other:
        return True
    first, second = read(one), read(other)
    return set(first.layers[0]) == set(second.layers[0]) or _hash(text_of(one)) == _hash(text_of(other))


def together(documents: Iterable[Statements], boundary: Statements | None = None) -> Access:
    """The access that these documents give within a permissions boundary."""
    read = [*documents]
    identity = tuple(statement for document in read for statement in document.layers[0])
    notes = tuple(note for document in (*read, *filter(None, [boundary])) for note in document.notes)
    return Access((identity,) if boundary is None else (identity, boundary.layers[0]), notes)


def complexity(document: Document) -> int:
    """How hard a document may be to compare: what is wild in it, and what is under conditions."""
    text = text_of(document)
    return text.count("*") + text.count("?") + 4 * text.count('"Condition"') + text.count("${")


def text_of(document: Document) -> str:
    """A document as JSON text."""
    return json.dumps(document, separators=(",", ":"))


@lru_cache(_KEPT)
def read_text(text: str) -> Statements:
    """`read` of the text."""
    return stored_access([text])


@lru_cache(_KEPT)
def _hash(text: str) -> str:
    return canonical_hash(read_text(text))
