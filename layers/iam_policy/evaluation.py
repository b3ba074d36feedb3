"""The point evaluator: one request, put to one or more sets of policies.

AWS: "Policy evaluation logic". An explicit Deny wins, then an Allow, else the request is denied implicitly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iam_policy.access import Access, Policies, access_of
from iam_policy.errors import InvalidRequestError, quoted
from iam_policy.patterns import has_private_use, literal
from iam_policy.principals import Principal, parse
from iam_policy.values import plain_text

if TYPE_CHECKING:
    from iam_policy.statement import Scope, Statement

ContextValue = str | bool | int | float | Sequence[str]


class Decision(StrEnum):
    """What policies say to a request."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: a principal, an action, a resource and a context.

    Attributes
    ----------
    action : str
        ``service:Action``, capitals ignored.
    resource : str
        The ARN, or ``*`` where an action has no resource. Capitals count.
    context : mapping
        Context keys (capitals ignored, each once) with one value or several; a key with no value at all is a missing
        key.
    principal : str, optional
        Who asks, as a policy would name it; see `principals.parse`. Only resource and trust policies look at it.
        None stands for whoever holds the policy, and is nobody that a Principal element names.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    principal: str | None = None

    def __post_init__(self) -> None:
        service, colon, name = self.action.partition(":") if isinstance(self.action, str) else ("", "", "")
        if not (colon and service and name) or ":" in name:
            raise InvalidRequestError(f"{quoted(self.action)} is no action; allowed: service:Action")
        if not isinstance(self.resource, str) or not self.resource:
            raise InvalidRequestError(f"{quoted(self.resource)} is no resource; allowed: an ARN or '*'")
        if not isinstance(self.principal, str | None) or self.principal == "":
            raise InvalidRequestError(
                f"{quoted(self.principal)} is no principal; allowed: as a policy names one, or None"
            )
        if not isinstance(self.context, Mapping):
            raise InvalidRequestError(f"{quoted(self.context)} is no context; allowed: a mapping of context keys")
        keys: set[str] = set()
        for key in self.context:
            if not isinstance(key, str) or not key:
                raise InvalidRequestError(f"{quoted(key)} is no context key; allowed: a string")
            if key.lower() in keys:
                raise InvalidRequestError(f"context key {quoted(key)} occurs twice; allowed: once, capitals ignored")
            keys.add(key.lower())


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request made ready for matching."""

    action: str
    resource: str
    principal: Principal | None
    context: dict[str, tuple[str, ...]]

    def value_of(self, key: str) -> str | None:
        """What a policy variable stands for; AWS gives keys with several values to no variable."""
        values = self.context.get(key, ())
        return values[0] if len(values) == 1 else None

    def is_met_by(self, statement: "Statement") -> bool:
        return statement.actions.match(self.action, self.value_of) and self.meets(statement.scope)

    def meets(self, scope: "Scope") -> bool:
        if scope.principals is not None and (self.principal is None or not scope.principals.match(self.principal)):
            return False
        if scope.resources is not None and not scope.resources.match(self.resource, self.value_of):
            return False
        return all(
            condition.holds(self.context.get(condition.key, ()), self.value_of) for condition in scope.conditions
        )


def evaluate(policies: Policies, request: Request) -> Decision:
    """What policies say to a request.

    Parameters
    ----------
    policies : document, sequence of documents, or Access
        A document (JSON object or text), several that are read together (as a sequence, or as one JSON array), or what
        a principal effectively has.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    InvalidRequestError
        When a context value is of a type that AWS does not know, or a text has private use characters.
    """
    return decide(access_of(policies), request)


def decide(access: Access, request: Request) -> Decision:
    """`evaluate` for policies that are read already."""
    asked = _asked(request)
    allowed_by_all = True
    for layer in access.layers:
        allowed = False
        for statement in layer:
            if asked.is_met_by(statement):
                if not statement.allows:
                    return Decision.EXPLICITLY_DENIED
                allowed = True
        allowed_by_all = allowed_by_all and allowed
    return Decision.ALLOWED if allowed_by_all else Decision.IMPLICITLY_DENIED


def meets(demands: "Iterable[Scope]", request: Request) -> bool:
    """Whether a request meets all that statements ask besides the action.

    Raises
    ------
    InvalidRequestError
        As `evaluate` does.
    """
    asked = _asked(request)
    return all(asked.meets(scope) for scope in demands)


def met_by(scopes: "Iterable[Scope]", request: Request) -> "list[Scope]":
    """Those of some demands that a request meets."""
    asked = _asked(request)
    return [scope for scope in scopes if asked.meets(scope)]


def _asked(request: Request) -> _Asked:
    if has_private_use(request.resource):
        raise InvalidRequestError(f"{quoted(request.resource)} is no resource; allowed: an ARN or '*'")
    return _Asked(
        literal(request.action.lower()),
        literal(request.resource),
        None if request.principal is None else parse(request.principal),
        {key.lower(): _texts(key, value) for key, value in request.context.items()},
    )


def _texts(key: str, value: ContextValue) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (str(value).lower(),)
    texts: Sequence[object] = (None,)
    if isinstance(value, int | float):
        texts = (plain_text(value),)
    elif isinstance(value, Sequence):
        texts = (value,) if isinstance(value, str) else value
    strings = tuple(text for text in texts if isinstance(text, str) and not has_private_use(text))
    if len(strings) < len(texts):
        raise InvalidRequestError(
            f"context key {quoted(key)}: {quoted(value)} is no value; allowed: a string, number, boolean, or strings"
        )
    return strings
