"""What changed between two sets of policies, with requests that prove it."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from iam_policy import parts, value_classes, variables
from iam_policy.access import Access, Policies, access_of
from iam_policy.binding import bound
from iam_policy.budget import Budget, OutOfBudgetError
from iam_policy.candidate import Candidate
from iam_policy.canonical import merged
from iam_policy.containment import within
from iam_policy.dimensions import Assignment
from iam_policy.evaluation import Decision, Request, decide
from iam_policy.pairing import Pairing
from iam_policy.search import Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iam_policy.statement import PatternSet, Statement


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
    sides : tuple of Access
        What was compared, for `summarize`.
    """

    verdict: Verdict
    newly_allowed: tuple[Witness, ...] = ()
    newly_denied: tuple[Witness, ...] = ()
    reason: str = ""
    sides: tuple[Access, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_out_of_budget(self) -> bool:
        """Whether a larger budget might decide it."""
        return self.reason == _OUT_OF_BUDGET


def compare(baseline: Policies, live: Policies, *, budget: Budget | None = None, most_witnesses: int = 5) -> Comparison:
    """What live allows against what baseline allows.

    Parameters
    ----------
    baseline, live : document, sequence of documents, or Access
        A document (JSON object or text), several that are read together (as a sequence, or as one JSON array), or what
        a principal effectively has.
    budget : Budget, optional
        How much work to do before the answer is UNKNOWN; by default a second's or less, for documents that AWS stores.
    most_witnesses : int
        Most witnesses for each direction; 1 or more.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    ValueError
        When not even one witness is asked for.
    """
    if most_witnesses < 1:
        raise ValueError(f"most_witnesses is {most_witnesses}; allowed: 1 or more")
    first, second = access_of(baseline), access_of(live)
    if [set(layer) for layer in first.layers] == [set(layer) for layer in second.layers]:
        return Comparison(Verdict.EQUIVALENT, sides=(first, second))
    question = Question(first, second, budget or Budget(), most_witnesses)
    allowed, why_not_allowed = question.only_allowed_by(1)
    denied, why_not_denied = question.only_allowed_by(0)
    unsure = [
        reason for reason, found in ((why_not_allowed, allowed), (why_not_denied, denied)) if reason and not found
    ]
    if unsure:
        if _are_spelled_alike(first, second):
            return Comparison(Verdict.EQUIVALENT, sides=(first, second))
        return Comparison(Verdict.UNKNOWN, allowed, denied, unsure[0], (first, second))
    return Comparison(_VERDICTS[bool(allowed), bool(denied)], allowed, denied, sides=(first, second))


def _are_spelled_alike(first: Access, second: Access) -> bool:
    """Whether both are the same in canonical form; that is not looked at where one has layers that the other lacks."""
    if len(first.layers) != len(second.layers):
        return False
    return all(set(merged(one)) == set(merged(other)) for one, other in zip(first.layers, second.layers, strict=True))


_VERDICTS = {
    (False, False): Verdict.EQUIVALENT,
    (True, False): Verdict.BROADENED,
    (False, True): Verdict.NARROWED,
    (True, True): Verdict.INCOMPARABLE,
}


class Question:
    """A comparison under way."""

    def __init__(self, first: Access, second: Access, budget: Budget, most_witnesses: int) -> None:
        self._sides = (first, second)
        self._budget = budget
        self._most = most_witnesses
        self._pairing = Pairing(*bound(first, second))
        self._fresh = variables.fresh_values(variables.keys_of(self._pairing.scopes), self._pairing.scopes)

    @property
    def pairing(self) -> Pairing:
        """The two sides."""
        return self._pairing

    @property
    def sides(self) -> tuple[Access, Access]:
        """Baseline and live."""
        return self._sides

    @property
    def budget(self) -> Budget:
        """What is left of the work that may be done."""
        return self._budget

    def proof(self, side: int, candidate: Candidate) -> tuple[Witness | None, str]:
        """A request of a candidate that only this side allows, and why there may be one when there is none."""
        reason = ""
        assignments = [Assignment(self._fresh)]
        if candidate.keys and not self._is_refuted(candidate):
            likely = variables.likely_values(candidate.keys, candidate.scopes)
            assignments += [Assignment(self._fresh | values) for values in likely]
        for assignment in assignments:
            witness, why_not = self._witness(side, candidate, assignment)
            if witness is not None:
                return witness, ""
            reason = reason or why_not
        reason = reason or self._doubt(candidate)
        if not reason or not candidate.keys:
            return None, reason
        witness, is_decided = self._by_classes(side, candidate)
        return witness, "" if witness is not None or is_decided else reason

    def only_allowed_by(self, side: int) -> tuple[tuple[Witness, ...], str]:
        """Witnesses that only this side allows, and why there may be others when there are none."""
        if self._is_included(side):
            return (), ""
        try:
            found, reason = self._only_allowed_by(side)
            if reason and not found and not self._pairing.has_all_kinds and self._is_refuted_in_outline(side):
                return (), ""
        except OutOfBudgetError:
            return (), _OUT_OF_BUDGET
        return found, reason

    def _is_refuted_in_outline(self, side: int) -> bool:
        """Whether no action can be a difference, judged by the elements that changed and those that come near it.

        Whether other Action elements apply is left open, until a request is found that meets the rest of their
        statements.
        """
        outlined = self._pairing.outlined
        while True:
            request, is_refuted = self._difference_in_outline(side, outlined)
            if request is None:
                return is_refuted
            more = self._pairing.met_by(request, outlined, self._budget)
            if not more:
                return False
            outlined |= more

    def _difference_in_outline(self, side: int, outlined: "set[PatternSet]") -> tuple[Request | None, bool]:
        """A request that may be a difference, and whether there is none; neither where that stays open."""
        assignment = Assignment(self._fresh)
        for candidate in self._pairing.outlines(side, outlined, self._budget):
            found = self._difference(candidate, assignment)
            if found is not None and found.certain:
                return parts.request_of(found, candidate.action, assignment.of(candidate.keys)), False
            if found is not None or self._doubt(candidate):
                return None, False
        return None, True

    def _is_included(self, side: int) -> bool:
        """Whether each Allow of a side is within one of the other, and each Deny of the other within one of its own."""
        here, there = self._sides[side].layers, self._sides[1 - side].layers
        if len(here) != len(there):
            return False
        denies = _of_effect(chain(*here), allows=False)
        try:
            with self._budget.share(_SHARE_OF_A_GLANCE) as budget:
                return all(
                    _are_within(_of_effect(mine, allows=True), _of_effect(theirs, allows=True), budget)
                    for mine, theirs in zip(here, there, strict=True)
                ) and _are_within(_of_effect(chain(*there), allows=False), denies, budget)
        except OutOfBudgetError:
            return False

    def _only_allowed_by(self, side: int) -> tuple[tuple[Witness, ...], str]:
        found, reason = self._exactly(side, Assignment(self._fresh))
        if self._fresh and not found and not reason:
            found, reason = self._exactly(side, Assignment(dict.fromkeys(self._fresh)))
        if not self._fresh or found or reason:
            return found, reason
        doubt = ""
        for candidate in self._pairing.candidates(side, self._budget):
            if why := self._doubt(candidate):
                found = self._at_likely_values(side, candidate)
                if found:
                    return found, ""
                witness, is_decided = self._by_classes(side, candidate)
                if witness is not None:
                    return (witness,), ""
                doubt = doubt or ("" if is_decided else why)
        return (), doubt

    def _doubt(self, candidate: Candidate) -> str:
        """Why a difference cannot be ruled out for all values of the variables; empty when it can."""
        if not candidate.keys or self._is_refuted(candidate):  # without variables it was decided exactly
            return ""
        try:
            for assignment in variables.partial_assignments(candidate.keys):
                if self._difference(candidate, assignment) is not None:
                    names = ", ".join(f"${{{key}}}" for key in candidate.keys)
                    return f"not decided for every value of {names}, at action {candidate.action}"
        except OutOfBudgetError:
            return _OUT_OF_BUDGET
        return ""

    def _by_classes(self, side: int, candidate: Candidate) -> tuple[Witness | None, bool]:
        """A witness at a value of some class, and whether there is none of any class; neither where it stays open."""
        decided = True
        try:
            for piece in parts.pieces(candidate, self._budget):
                witness, is_decided = self._part_by_classes(side, piece)
                if witness is not None:
                    return witness, False
                decided = decided and is_decided
        except OutOfBudgetError:
            return None, False
        return None, decided

    def _part_by_classes(self, side: int, part: Candidate) -> tuple[Witness | None, bool]:
        """The same for a part, with the statements that count."""
        obstacles = parts.Obstacles(part, self._budget)
        while True:
            try:
                with self._budget.half() as budget:
                    request, is_decided = self._request_by_classes(obstacles.candidate, budget)
            except OutOfBudgetError:
                return None, False
            if request is not None:
                if (witness := self._confirmed(side, part, request)) is not None:
                    return witness, False
                if obstacles.add_met(request):
                    continue
            if is_decided or not obstacles.add_near():
                return None, is_decided

    @staticmethod
    def _request_by_classes(candidate: Candidate, budget: Budget) -> tuple[Request | None, bool]:
        """A difference at a value of some class, not confirmed; and whether there is none of any class."""
        decided = True
        of_key = {key: ["", *value_classes.classes(key, candidate.scopes, budget)] for key in candidate.keys}
        for assignment in variables.partial_assignments(candidate.keys):
            if candidate.difference(assignment, budget) is None:
                continue
            for exactly, alike in variables.by_classes(assignment, of_key):
                found = candidate.difference(exactly, budget)
                if found is not None and found.certain:
                    return parts.request_of(found, candidate.action, exactly), False
                decided = decided and candidate.difference(alike, budget) is None
        return None, decided

    def _at_likely_values(self, side: int, candidate: Candidate) -> tuple[Witness, ...]:
        """Witnesses at one of the values of variables that are likely to show this difference."""
        for values in variables.likely_values(candidate.keys, candidate.scopes):
            assignment = Assignment(self._fresh | values)
            witness, _ = self._witness(side, candidate, assignment)
            if witness is not None:
                return self._exactly(side, assignment)[0] or (witness,)
        return ()

    def _exactly(self, side: int, assignment: Assignment) -> tuple[tuple[Witness, ...], str]:
        """Witnesses of an assignment with a value or none for each variable, and why there may be others there."""
        known: list[Witness] = []
        future: list[Witness] = []
        reason = ""
        try:
            for candidate in self._pairing.candidates(side, self._budget):
                if len(future) == self._most and self._pairing.known_action(candidate, self._budget) is None:
                    continue
                witness, why_not = self._witness(side, candidate, assignment)
                reason = reason or why_not
                if witness is not None:
                    (future if witness.future_only else known).append(witness)
                if len(known) == self._most:
                    break
        except OutOfBudgetError:
            reason = _OUT_OF_BUDGET
        return tuple((known + future)[: self._most]), reason

    def _witness(self, side: int, candidate: Candidate, assignment: Assignment) -> tuple[Witness | None, str]:
        """A witness of the candidate, if the point evaluator agrees with it; else why there may be one."""
        try:
            found = self._difference(candidate, assignment)
        except OutOfBudgetError:
            return None, _OUT_OF_BUDGET
        if found is None:
            return None, ""
        request = parts.request_of(found, candidate.action, assignment.of(candidate.keys))
        witness = self._confirmed(side, candidate, request) if found.certain else None
        if witness is not None:
            return witness, ""
        return None, f"a difference that could not be confirmed, at action {candidate.action}"

    def _confirmed(self, side: int, candidate: Candidate, request: Request) -> Witness | None:
        """A request of a candidate as a witness, if the point evaluator agrees that only this side allows it."""
        known_action = self._pairing.known_action(candidate, self._budget)
        action = known_action or candidate.action
        witness = Witness(action, request.resource, request.context, request.principal, known_action is None)
        only = decide(self._sides[side], witness), decide(self._sides[1 - side], witness)
        return witness if only[0] is Decision.ALLOWED and only[1] is not Decision.ALLOWED else None

    def _is_refuted(self, candidate: Candidate) -> bool:
        with self._budget.half() as budget:
            return candidate.is_refuted(budget)

    def _difference(self, candidate: Candidate, assignment: Assignment) -> Found | None:
        with self._budget.half() as budget:
            return candidate.difference(assignment, budget)


def _of_effect(statements: "Iterable[Statement]", *, allows: bool) -> dict["Statement", None]:
    return dict.fromkeys(statement for statement in statements if statement.allows is allows)


def _are_within(narrow: "Iterable[Statement]", wide: dict["Statement", None], budget: Budget) -> bool:
    """Whether each statement is within one of the others, seen at a glance."""
    for one in narrow:
        if one in wide:
            continue
        budget.spend(1 + len(wide))
        if not any(one.actions.is_within(other.actions) and within(one.scope, other.scope, budget) for other in wide):
            return False
    return True


#: The part of the budget for what is seen at a glance.
_SHARE_OF_A_GLANCE = 16
_OUT_OF_BUDGET = "not decided within the budget"
