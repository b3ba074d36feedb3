"""What a principal effectively has, as one thing that can be compared and asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from iam_policy.document import parse
from iam_policy.errors import PolicyDocumentError, quoted
from iam_policy.source import read_documents
from iam_policy.statement import Document

if TYPE_CHECKING:
    from iam_policy.statement import Statement

PolicyDocument = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Layers of statements: a request is allowed when every layer allows it and no statement of any denies it.

    One layer is a set of policies that add up (identity policies; or a resource or trust policy); a second one is a
    permissions boundary, which only takes away.

    Attributes
    ----------
    notes : tuple of str
        Actions of the documents that can match nothing, such as ones with a trailing blank, and their places.
    """

    layers: tuple[tuple["Statement", ...], ...]
    notes: tuple[str, ...] = field(default=(), compare=False)


Policies = Access | PolicyDocument | Sequence[PolicyDocument]


def effective_access(
    identity: Iterable[PolicyDocument],
    groups: Iterable[PolicyDocument] = (),
    boundary: PolicyDocument | None = None,
) -> Access:
    """The access of a principal, without what resource policies, control policies or session policies do to it.

    Parameters
    ----------
    identity : iterable of documents
        The principal's own policies, inline and attached.
    groups : iterable of documents
        The policies of the groups that a user is in.
    boundary : document, optional
        The permissions boundary. An Allow of an identity policy counts only where the boundary allows it too.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    """
    return _access(identity, groups, boundary, stored=False)


def stored_access(
    identity: Iterable[PolicyDocument],
    groups: Iterable[PolicyDocument] = (),
    boundary: PolicyDocument | None = None,
) -> Access:
    """The same of documents that IAM has: it stores actions of any form, and one that can match none is only noted.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed in another way.
    """
    return _access(identity, groups, boundary, stored=True)


def _access(
    identity: Iterable[PolicyDocument],
    groups: Iterable[PolicyDocument],
    boundary: PolicyDocument | None,
    *,
    stored: bool,
) -> Access:
    layers = [_read(identity, groups, stored=stored)]
    if boundary is not None:
        layers.append(_read([boundary], stored=stored))
    return Access(tuple(one.statements for one in layers), tuple(chain.from_iterable(one.notes for one in layers)))


def access_of(policies: Policies) -> Access:
    """One document, several that add up (also as one JSON array), or the access as it is."""
    if isinstance(policies, Access):
        return policies
    if isinstance(policies, str):
        return effective_access(read_documents(policies))
    return effective_access([policies] if isinstance(policies, Mapping) else policies)


def _read(*sequences: Iterable[PolicyDocument], stored: bool) -> Document:
    """Several documents as one."""
    for sequence in sequences:
        if isinstance(sequence, str | Mapping) or not isinstance(sequence, Iterable):
            problem = "one document" if isinstance(sequence, str | Mapping) else f"{quoted(sequence)}"
            raise PolicyDocumentError(problem, "", "a sequence of documents")
    documents = list(chain(*sequences))
    statements: list[Statement] = []
    notes: list[str] = []
    for index, document in enumerate(documents):
        try:
            read = parse(document, stored=stored)
        except PolicyDocumentError as error:
            if len(documents) == 1:
                raise
            raise PolicyDocumentError(error.problem, f"/{index}{error.pointer}", error.allowed) from error
        statements += read.statements
        notes += [f"/{index}{note}" if len(documents) > 1 else note for note in read.notes]
    return Document(tuple(statements), tuple(notes))
