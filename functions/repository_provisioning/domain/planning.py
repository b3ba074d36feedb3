"""From what a caller asks for to what has to be there: authorised, checked, nothing done yet."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from repository_provisioning.domain.configuration import Configuration
from repository_provisioning.domain.house_rules import CallerRule, HouseRules, Overrides, RepositoryRule
from repository_provisioning.domain.names import RepositoryName
from steward.errors import NotAllowedError, RuleViolationError
from steward.principals import Principal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from, and the moment by which it wants its answer."""

    caller: Principal
    correlation_id: str
    deadline: datetime
    session: str = ""

    @property
    def quota_owner(self) -> str:
        """The owner of the daily limit that a creation counts against.

        Anyone with sts:GetFederationToken invents names of federated users, and a request does not show the user that
        stands behind one: all of an account share one quota.
        """
        federated = self.caller.kind == "federated-user"
        return f"{self.caller.account}:federated-user/*" if federated else str(self.caller)


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

    overridden_by: str = ""

    @property
    def target(self) -> "Target":
        """What it must look like for any caller."""
        return Target(self.name, self.rule, self.configuration, self.overrides or Overrides())

    def keeping(self, remembered: Overrides, by: str) -> Self:
        """The plan of a call that gave no overrides, for a repository that ``by`` configured with some."""
        if self.overrides is not None or remembered == Overrides():
            return self
        wanted = self.rule.with_overrides(remembered)
        configuration = Configuration.of(self.name, wanted)
        return replace(self, overrides=remembered, overridden_by=by, configuration=configuration)


@dataclass(frozen=True, slots=True)
class Target:
    """What one repository must look like for any caller, with the overrides that are in force."""

    name: RepositoryName
    rule: RepositoryRule
    configuration: Configuration
    overrides: Overrides


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
        companions = tuple(_companion(pattern, name) for pattern in rule.companions)
        for companion in companions:  # refused here, before anything is done, where the rules have no place for it
            self._rules.caller_rule(caller, companion, own_account=self._own_account)
            self._rules.repository_rule(companion)
        overrides = request.overrides or Overrides()
        rule.refuse_below_floor(overrides)
        configuration = Configuration.of(name, rule.with_overrides(overrides))
        configuration.refuse_tags_beyond_limits()
        return Plan(
            name,
            caller_rule,
            rule,
            request.overrides,
            companions,
            configuration,
            create_only=request.create_only,
            dry_run=request.dry_run,
            overridden_by=str(caller) if overrides.given() else "",
        )

    def plan_companion(self, name: RepositoryName, of: Plan, caller: Principal) -> Plan:
        """The plan of a companion: authorised and configured like any other name, but without companions of its own."""
        caller_rule = self._rules.caller_rule(caller, name, own_account=self._own_account)
        rule, configuration = self.configuration(name)
        configuration.refuse_tags_beyond_limits()
        return Plan(name, caller_rule, rule, None, (), configuration, dry_run=of.dry_run)

    def plan_adoption(self, name: RepositoryName, caller: Principal, remembered: Overrides, by: str) -> Plan:
        """What a repository that exists becomes when ``caller`` adopts it, or brings it back to its rule.

        Parameters
        ----------
        remembered, by
            Overrides that it was configured with, and who gave them; those that are still permitted stay.

        Raises
        ------
        NotAllowedError
            The caller may not create the name, or its rule does not let it adopt.
        RuleViolationError
            No rule speaks of the name.
        """
        caller_rule = self._rules.caller_rule(caller, name, own_account=self._own_account)
        if not caller_rule.may_adopt:
            raise NotAllowedError(
                f"{caller} may create {name}, but neither adopt it nor bring it back to its rule: "
                "the house rule of this caller needs may_adopt: true",
                allowed=self.allowed_to(caller),
            )
        overrides = self.in_force(name, remembered, by)
        rule, configuration = self.configuration(name, overrides)
        configuration.refuse_tags_beyond_limits()
        return Plan(
            name, caller_rule, rule, overrides, (), configuration, overridden_by=by if overrides.given() else ""
        )

    def target(self, name: RepositoryName, remembered: Overrides, by: str) -> Target:
        """What the rules say of a repository that ``by`` configured with overrides. Raises RuleViolationError."""
        overrides = self.in_force(name, remembered, by)
        rule, configuration = self.configuration(name, overrides)
        return Target(name, rule, configuration, overrides)

    def configuration(
        self, name: RepositoryName, overrides: Overrides | None = None
    ) -> tuple[RepositoryRule, Configuration]:
        """What the rules say of ``name`` for any caller, with what a caller has overridden."""
        rule = self._rules.repository_rule(name)
        return rule, Configuration.of(name, rule.with_overrides(overrides or Overrides()))

    def in_force(self, name: RepositoryName, remembered: Overrides, by: str) -> Overrides:
        """Those of the remembered overrides that today's rules still let ``by``, who gave them, decide.

        Parameters
        ----------
        by
            The caller as ``str`` of its principal; one that is not known may override nothing.
        """
        rule, kept = self._rules.repository_rule(name), Overrides()
        try:
            permitted = self._rules.caller_rule(
                Principal.from_text(by), name, own_account=self._own_account
            ).may_override
        except (ValueError, NotAllowedError):
            return kept
        for setting, value in remembered.given().items():
            if setting in permitted:
                with_it = replace(kept, **{setting: value})
                with suppress(RuleViolationError):  # the rule has another form or a higher floor now
                    rule.refuse_below_floor(with_it)
                    rule.with_overrides(with_it)
                    kept = with_it
        return kept

    def may_create(self, name: RepositoryName, caller: Principal) -> bool:
        """Whether the rules let ``caller`` create ``name``."""
        try:
            self._rules.caller_rule(caller, name, own_account=self._own_account)
        except NotAllowedError:
            return False
        return True

    def allowed_to(self, caller: Principal) -> list[str]:
        """The patterns of names that ``caller`` may create."""
        return self._rules.allowed_to(caller, own_account=self._own_account)


def _companion(pattern: str, name: RepositoryName) -> RepositoryName:
    try:
        return RepositoryName(pattern.replace("{name}", name))
    except RuleViolationError as error:
        raise RuleViolationError(f"the rule creates a companion {pattern} with {name[:32]}…, and {error}") from error
