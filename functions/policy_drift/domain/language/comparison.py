"""What changed between two sets of policies, with requests that prove it."""

from dataclasses import dataclass
from enum import StrEnum

from . import variables
from .access import Access, Policies, access_of
from .budget import Budget
from .canonical import merged
from .dimensions import World
from .evaluation import Decision, Request, decide
from .pairing import PRINCIPAL, RESOURCE, Difference, Pairing


class Verdict(StrEnum):
    """How the requests that live allows relate to those that baseline allows."""

    EQUIVALENT = "EQUIVALENT"
    NARROWED = "NARROWED"
    BROADENED = "BROADENED"
    INCOMPARABLE = "INCOMPARABLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Witness(Request):
    """A request that one side allows and the other does not; the point evaluator has confirmed it.

    Attributes
    ----------
    future_only : bool
        Whether the action is none that AWS documents today.
    """

    future_only: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer of `compare`.

    Attributes
    ----------
    verdict : Verdict
        What live is to baseline.
    newly_allowed, newly_denied : tuple of Witness
        Requests that only live allows, and that only baseline allows; one for each kind of action found, at most as
        many as were asked for, those with actions known today first.
    reason : str
        For UNKNOWN, what could not be decided; else empty.
    """

    verdict: Verdict
    newly_allowed: tuple[Witness, ...] = ()
    newly_denied: tuple[Witness, ...] = ()
    reason: str = ""


def compare(baseline: Policies, live: Policies, *, budget: Budget | None = None, most_witnesses: int = 5) -> Comparison:
    """What live allows against what baseline allows.

    Parameters
    ----------
    baseline, live : sequence of documents, or Access
        Documents (JSON objects or text) that are read together, or what a principal effectively has.
    budget : Budget, optional
        How much work to do before the answer is UNKNOWN; by default about a second's.
    most_witnesses : int
        Most witnesses for each direction; 1 or more.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    """
    first, second = access_of(baseline), access_of(live)
    if [set(layer) for layer in first.layers] == [set(layer) for layer in second.layers]:
        return Comparison(Verdict.EQUIVALENT)
    question = _Question(first, second, budget or Budget(), most_witnesses)
    allowed, why_not_allowed = question.only_allowed_by(1)
    denied, why_not_denied = question.only_allowed_by(0)
    unsure = [
        reason for reason, found in ((why_not_allowed, allowed), (why_not_denied, denied)) if reason and not found
    ]
    if unsure:
        if [set(merged(layer)) for layer in first.layers] == [set(merged(layer)) for layer in second.layers]:
            return Comparison(Verdict.EQUIVALENT)
        return Comparison(Verdict.UNKNOWN, allowed, denied, unsure[0])
    return Comparison(_VERDICTS[bool(allowed), bool(denied)], allowed, denied)


_VERDICTS = {
    (False, False): Verdict.EQUIVALENT,
    (True, False): Verdict.BROADENED,
    (False, True): Verdict.NARROWED,
    (True, True): Verdict.INCOMPARABLE,
}


class _Question:
    """A comparison under way."""

    def __init__(self, first: Access, second: Access, budget: Budget, most_witnesses: int) -> None:
        self._sides = (first, second)
        self._budget = budget
        self._most = most_witnesses
        self._keys = variables.keys_of(self._sides)
        self._pairings: dict[str, Pairing] = {}

    def only_allowed_by(self, side: int) -> tuple[tuple[Witness, ...], str]:
        """Witnesses that only this side allows, and why there may be others when there are none."""
        if not self._keys:
            return self._exactly(side, World({}))
        worlds = variables.likely_worlds(self._keys, self._sides)
        for _ in range(2):
            found, reason = self._exactly(side, next(worlds))
            if found or reason:
                return found, reason
        doubt = self._possible(side)
        if doubt is None:
            return (), ""
        for world in worlds:
            found, _ = self._exactly(side, world)
            if found:
                return found, ""
        return (), doubt

    def _possible(self, side: int) -> str | None:
        """Why a difference cannot be ruled out whatever the variables stand for, or None when it can."""
        with_any_values = self._pairing(World({}, frozenset(self._keys)))
        if not list(with_any_values.differences(side)) and with_any_values.only_at_a_glance:
            return None
        if len(self._keys) > variables.MOST_KEYS:
            return f"more than {variables.MOST_KEYS} context keys in policy variables"
        for world in variables.partial_worlds(self._keys):
            for difference in self._pairing(world).differences(side):
                if difference is None:
                    return _OUT_OF_BUDGET
                names = ", ".join(f"${{{key}}}" for key in self._keys)
                return f"not decided for every value of {names}, at action {difference.action}"
        return None

    def _exactly(self, side: int, world: World) -> tuple[tuple[Witness, ...], str]:
        known: list[Witness] = []
        future: list[Witness] = []
        reason = ""
        for difference in self._pairing(world).differences(side):
            if difference is None:
                reason = _OUT_OF_BUDGET
            elif difference.known_action is None and len(future) == self._most:
                continue
            elif (witness := self._confirmed(side, difference, world)) is None:
                reason = reason or f"a difference that could not be confirmed, at action {difference.action}"
            else:
                (future if witness.future_only else known).append(witness)
                if len(known) == self._most:
                    break
        return tuple((known + future)[: self._most]), reason

    def _confirmed(self, side: int, difference: Difference, world: World) -> Witness | None:
        """The witness, if the point evaluator agrees with it on both sides."""
        if not difference.found.certain:
            return None
        examples = difference.found.examples
        context: dict[str, str | tuple[str, ...]] = {
            key: value for key, value in world.values.items() if value is not None
        }
        for key, values in difference.context.items():
            context[key] = values[0] if len(values) == 1 else values
        witness = Witness(
            difference.known_action or difference.action,
            examples.get(RESOURCE, ("*",))[0] or "*",
            context,
            examples[PRINCIPAL][0] if PRINCIPAL in examples else None,
            difference.known_action is None,
        )
        only = decide(self._sides[side], witness), decide(self._sides[1 - side], witness)
        return witness if only[0] is Decision.ALLOWED and only[1] is not Decision.ALLOWED else None

    def _pairing(self, world: World) -> Pairing:
        name = repr(world)
        if name not in self._pairings:
            first, second = (variables.grounded(access, world) for access in self._sides)
            self._pairings[name] = Pairing(first, second, world, self._budget)
        return self._pairings[name]


_OUT_OF_BUDGET = "not decided within the budget"
