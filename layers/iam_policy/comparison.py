"""What changed between two sets of policies, with requests that prove it."""

from dataclasses import dataclass, field
from enum import StrEnum

from iam_policy import variables
from iam_policy.access import Access, Policies, access_of
from iam_policy.budget import Budget, OutOfBudgetError
from iam_policy.candidate import Candidate
from iam_policy.canonical import merged
from iam_policy.dimensions import PRINCIPAL, RESOURCE, Assignment, context_of
from iam_policy.evaluation import Decision, Request, decide
from iam_policy.pairing import Pairing
from iam_policy.search import Found


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
        self._pairing = Pairing(first, second)
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
        return None, reason or self._doubt(candidate)

    def only_allowed_by(self, side: int) -> tuple[tuple[Witness, ...], str]:
        """Witnesses that only this side allows, and why there may be others when there are none."""
        if self._is_included(side):
            return (), ""
        try:
            return self._only_allowed_by(side)
        except OutOfBudgetError:
            return (), _OUT_OF_BUDGET

    def _is_included(self, side: int) -> bool:
        """Whether a side has no Allow that the other one lacks, and every Deny of the other."""
        here, there = self._sides[side].layers, self._sides[1 - side].layers
        if len(here) != len(there):
            return False
        denies = {statement for layer in here for statement in layer if not statement.allows}
        return all(
            {statement for statement in mine if statement.allows} <= set(theirs)
            for mine, theirs in zip(here, there, strict=True)
        ) and all(statement in denies for layer in there for statement in layer if not statement.allows)

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
                doubt = doubt or why
        return (), doubt

    def _doubt(self, candidate: Candidate) -> str:
        """Why a difference cannot be ruled out for all values of the variables; empty when it can."""
        if not candidate.keys or self._is_refuted(candidate):  # without variables it was decided exactly
            return ""
        at_action = f", at action {candidate.action}"
        if len(candidate.keys) > variables.MOST_KEYS:
            return f"more than {variables.MOST_KEYS} context keys in policy variables{at_action}"
        try:
            for assignment in variables.partial_assignments(candidate.keys):
                if self._difference(candidate, assignment) is not None:
                    names = ", ".join(f"${{{key}}}" for key in candidate.keys)
                    return f"not decided for every value of {names}{at_action}"
        except OutOfBudgetError:
            return _OUT_OF_BUDGET
        return ""

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
        context: dict[str, str | tuple[str, ...]] = {
            key: value for key, value in assignment.of(candidate.keys).values.items() if value is not None
        }
        known_action = self._pairing.known_action(candidate, self._budget)
        witness = Witness(
            known_action or candidate.action,
            found.examples.get(RESOURCE, ("*",))[0] or "*",
            context | context_of(found.examples),
            found.examples[PRINCIPAL][0] if PRINCIPAL in found.examples else None,
            known_action is None,
        )
        only = decide(self._sides[side], witness), decide(self._sides[1 - side], witness)
        if found.certain and only[0] is Decision.ALLOWED and only[1] is not Decision.ALLOWED:
            return witness, ""
        return None, f"a difference that could not be confirmed, at action {candidate.action}"

    def _is_refuted(self, candidate: Candidate) -> bool:
        with self._budget.half() as budget:
            return candidate.is_refuted(budget)

    def _difference(self, candidate: Candidate, assignment: Assignment) -> Found | None:
        with self._budget.half() as budget:
            return candidate.difference(assignment, budget)


_OUT_OF_BUDGET = "not decided within the budget"
