"""All of what a change of policies added and removed, in groups: actions under the same demands.

A request that is new is allowed by one statement of each layer of live. The baseline refuses it because no statement of
one of its layers allows it, or because one of its Deny statements does not. So every combination of a statement in each
layer of live, and each of those with every Deny of the baseline, is asked for a request that proves it; those that have
one are what was added. Nothing else can have been.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from iam_policy import known_actions
from iam_policy.access import Access, Policies, access_of
from iam_policy.actions import ANY_SERVICE, Members
from iam_policy.budget import Budget, OutOfBudgetError
from iam_policy.comparison import Question, Witness
from iam_policy.danger import rank
from iam_policy.demand_words import demands_in_words
from iam_policy.evaluation import Decision, Request, decide, meets
from iam_policy.known_actions import AccessLevel
from iam_policy.parts import demands_of, parts
from iam_policy.statement import Scope

#: Services of a group that are named one by one.
_MOST_SERVICES = 4


@dataclass(frozen=True)
class Grant:
    """Actions that were added, or removed, under the same demands.

    Attributes
    ----------
    actions : tuple of str
        Those that AWS documents today, and those that a policy names exactly; the most dangerous first.
    others : tuple of str
        Service prefixes of which there may be actions that AWS does not document today; ``*`` for every service.
    services : tuple of str
        The services of the actions, that of the most dangerous first.
    every : bool
        Whether all actions of these services are allowed under the demands; the others were allowed before as well.
    level : AccessLevel or None
        The access level of all of the actions; of ``every``, of the most dangerous. None where AWS documents none.
    demands : tuple of Scope
        What a request must meet besides.
    proof : Witness
        A request of the group that one side allows and the other does not, with its most dangerous action.
    """

    actions: tuple[str, ...]
    others: tuple[str, ...]
    services: tuple[str, ...]
    every: bool
    level: AccessLevel | None
    demands: tuple[Scope, ...]
    proof: Witness

    @property
    def are_all_new(self) -> bool:
        """Whether a group of every action has none that were allowed before."""
        return len(self.actions) == sum(len(known_actions.of_service(service)) for service in self.services)

    @property
    def is_any_action(self) -> bool:
        """Whether no action is left out."""
        return self.every and ANY_SERVICE in self.others and len(self.services) == len(known_actions.services())

    def covers(self, request: Request) -> bool:
        """Whether a request is of this group.

        Raises
        ------
        InvalidRequestError
            When a context value is of a type that AWS does not know.
        """
        known = known_actions.spelled(request.action.lower()) or request.action.lower()
        service = known.partition(":")[0]
        if known not in self._actions and (
            known_actions.level(known) is not None or not {service, ANY_SERVICE} & set(self.others)
        ):
            return False
        return meets(self.demands, request)

    @cached_property
    def _actions(self) -> frozenset[str]:
        return frozenset(self.actions)


@dataclass(frozen=True, slots=True)
class Summary:
    """The answer of `summarize`: groups, the most dangerous first.

    ``reason`` says why there may be more; it is empty when everything that changed is in a group.
    """

    added: tuple[Grant, ...] = ()
    removed: tuple[Grant, ...] = ()
    reason: str = ""


def summarize(baseline: Policies, live: Policies, *, budget: Budget | None = None) -> Summary:
    """What live allows and baseline does not, and the reverse, in groups of actions.

    Parameters
    ----------
    baseline, live : document, sequence of documents, or Access
        As `compare` takes them.
    budget : Budget, optional
        How much work to do; what does not fit is left out, and `Summary.reason` says so.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    """
    first, second = access_of(baseline), access_of(live)
    if first == second:
        return Summary()
    question = Question(first, second, budget or Budget(), 1)
    added, why_not_all_added = _only_allowed_by(question, 1)
    removed, why_not_all_removed = _only_allowed_by(question, 0)
    return Summary(added, removed, why_not_all_added or why_not_all_removed)


def _only_allowed_by(question: Question, side: int) -> tuple[tuple[Grant, ...], str]:
    found: dict[tuple[Scope, ...], list[tuple[Members, Witness]]] = {}
    reason = ""
    try:
        for candidate in question.pairing.candidates(side, question.budget):
            for part in parts(candidate, question.budget):
                demands = demands_of(part)
                proof, why_not = question.proof(side, part)
                reason = reason or why_not
                if proof is not None:
                    members = question.pairing.members(candidate, question.budget)
                    found.setdefault(demands, []).append((members, proof))
    except OutOfBudgetError:
        reason = "not listed within the budget"
    live = question.sides[side]
    grants = [grant for demands, listed in found.items() for grant in _Group(demands, listed, live).grants()]
    return tuple(sorted(grants, key=_danger)), reason


@dataclass(frozen=True)
class _Group:
    """All that one side allows under the same demands: the actions by service, and a proof of each."""

    demands: tuple[Scope, ...]
    parts: list[tuple[Members, Witness]]
    live: Access

    @cached_property
    def proofs(self) -> dict[str, Witness]:
        """A request of each action, though with another action of its kind."""
        return {action: proof for members, proof in self.parts for action in members.named}

    @cached_property
    def others(self) -> set[str]:
        """The services that have actions besides."""
        return {service for members, _ in self.parts for service in members.others}

    @cached_property
    def of_service(self) -> dict[str, list[str]]:
        """The actions of each service, the most dangerous first."""
        found: dict[str, list[str]] = {}
        for action in sorted(self.proofs, key=rank):
            found.setdefault(action.partition(":")[0], []).append(action)
        return found

    def grants(self) -> Iterator[Grant]:
        """Services as a whole, then actions by access level, then actions that AWS does not document today."""
        whole = [service for service in self.of_service if self._is_whole(service)]
        yield from self._together({service: self.of_service[service] for service in whole}, every=True)
        levels: dict[AccessLevel | None, dict[str, list[str]]] = {}
        for service, actions in self.of_service.items():
            for action in actions if service not in whole else ():
                levels.setdefault(known_actions.level(action), {}).setdefault(service, []).append(action)
        for services in levels.values():
            yield from self._together(services, every=False)
        mentioned = {ANY_SERVICE, *self.of_service} if len(whole) > _MOST_SERVICES else {*self.of_service}
        if beyond := self.others - mentioned:
            services_beyond = tuple(sorted(beyond))
            yield Grant(
                actions=(),
                others=services_beyond,
                services=services_beyond,
                every=False,
                level=None,
                demands=self.demands,
                proof=min(self._proofs_beyond(beyond), key=_proof_order),
            )

    def _proofs_beyond(self, services: set[str]) -> Iterator[Witness]:
        """Requests of actions of these services that AWS does not document today."""
        for members, proof in self.parts:
            for service, action in members.others.items():
                if service in services:
                    yield replace(proof, action=action, future_only=True)

    def _is_whole(self, service: str) -> bool:
        """Whether the actions of a service that are not new are allowed as well, so that it reads as one."""
        if self.others.isdisjoint({service, ANY_SERVICE}):
            return False
        proof = self.proofs[self.of_service[service][0]]
        not_new = (action for action in known_actions.of_service(service) if action not in self.proofs)
        return all(decide(self.live, replace(proof, action=action)) is Decision.ALLOWED for action in not_new)

    def _together(self, services: dict[str, list[str]], *, every: bool) -> Iterator[Grant]:
        """A grant for each service, or one for all where there are many; services most dangerous first."""
        services = dict(sorted(services.items(), key=lambda one: rank(one[1][0])))
        if len(services) > _MOST_SERVICES:
            yield self._grant(services, every=every)
        else:
            for service, actions in services.items():
                yield self._grant({service: actions}, every=every)

    def _grant(self, services: dict[str, list[str]], *, every: bool) -> Grant:
        actions = tuple(sorted((action for of_one in services.values() for action in of_one), key=rank))
        others = self.others & {*services, *((ANY_SERVICE,) if every and len(services) > _MOST_SERVICES else ())}
        if every and ANY_SERVICE in self.others:
            others |= services.keys()
        level = known_actions.level(actions[0])
        proof = replace(self.proofs[actions[0]], action=actions[0], future_only=level is None)
        return Grant(actions, tuple(sorted(others)), tuple(services), every, level, self.demands, proof)


def _proof_order(proof: Witness) -> tuple[str, str]:
    return proof.action, proof.resource


def _danger(grant: Grant) -> tuple[object, ...]:
    return (
        not grant.actions,
        rank(grant.actions[0])[:3] if grant.actions else (),
        not grant.every,
        any(one.resources is not None for one in grant.demands),
        -len(grant.actions),
        grant.actions,
        grant.others,
        demands_in_words(grant.demands),
    )
