"""From what a caller asks for to what has to be there: authorised, checked, nothing done yet."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from repository_provisioning.domain.configuration import Configuration
from repository_provisioning.domain.house_rules import CallerRule, HouseRules, Overrides, RepositoryRule
from repository_provisioning.domain.names import RepositoryName
from steward.errors import RuleViolationError
from steward.principals import Principal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from, and the moment by which it wants its answer."""

    caller: Principal
    correlation_id: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One repository that a caller requests."""

    name: str
    overrides: Overrides | None = None
    create_only: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one repository must look like, and under which rules its caller may have it."""

    name: RepositoryName
    caller_rule: CallerRule
    rule: RepositoryRule
    overrides: Overrides | None
    companions: tuple[RepositoryName, ...]
    configuration: Configuration

    create_only: bool = False
    dry_run: bool = False

    def keeping(self, remembered: Overrides) -> Self:
        """The plan of a call that gave no overrides, for a repository that was configured with some."""
        if self.overrides is not None or remembered == Overrides():
            return self
        wanted = self.rule.with_overrides(remembered)
        return replace(self, overrides=remembered, configuration=Configuration.of(self.name, wanted))


class Planner:
    """Applies the house rules to what a caller asks for."""

    def __init__(self, rules: HouseRules, *, own_account: str) -> None:
        self._rules = rules
        self._own_account = own_account

    def plan(self, request: Request, caller: Principal) -> Plan:
        """What has to be there for ``request``.

        Raises
        ------
        RuleViolationError
            The name is none, no rule speaks of it, or the caller may not override what it wants to.
        NotAllowedError
            The caller may not create the name, or a companion that the rules join to it.
        """
        name = RepositoryName(request.name)
        name.refuse_registry(meant=self.allowed_to(caller))
        caller_rule = self._rules.caller_rule(caller, name, own_account=self._own_account)
        rule = self._rules.repository_rule(name)
        forbidden = sorted((request.overrides or Overrides()).given().keys() - set(caller_rule.may_override))
        if forbidden:
            may = ", ".join(caller_rule.may_override) or "nothing"
            raise RuleViolationError(
                f"{caller} may not override {', '.join(forbidden)} of {name}; it may override {may}"
            )
        companions = tuple(RepositoryName(pattern.replace("{name}", name)) for pattern in rule.companions)
        for companion in companions:  # refused here, before anything is done, where the rules have no place for it
            self._rules.caller_rule(caller, companion, own_account=self._own_account)
            self._rules.repository_rule(companion)
        return Plan(
            name,
            caller_rule,
            rule,
            request.overrides,
            companions,
            Configuration.of(name, rule.with_overrides(request.overrides or Overrides())),
            create_only=request.create_only,
            dry_run=request.dry_run,
        )

    def plan_companion(self, name: RepositoryName, of: Plan, caller: Principal) -> Plan:
        """The plan of a companion: authorised and configured like any other name, but without companions of its own."""
        caller_rule = self._rules.caller_rule(caller, name, own_account=self._own_account)
        rule, configuration = self.configuration(name)
        return Plan(name, caller_rule, rule, None, (), configuration, dry_run=of.dry_run)

    def configuration(
        self, name: RepositoryName, overrides: Overrides | None = None
    ) -> tuple[RepositoryRule, Configuration]:
        """What the rules say of ``name`` for any caller, with what a caller has overridden."""
        rule = self._rules.repository_rule(name)
        return rule, Configuration.of(name, rule.with_overrides(overrides or Overrides()))

    def allowed_to(self, caller: Principal) -> list[str]:
        """The patterns of names that ``caller`` may create."""
        return self._rules.allowed_to(caller, own_account=self._own_account)
