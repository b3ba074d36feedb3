"""Run every check of a stack. A check that may not read, or fails, is unknown, and stops no other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from health.application.ports import (
    ChannelReader,
    RegistryReader,
    SettingsReader,
    StackReader,
    StorageReader,
    TrailReader,
)
from health.domain import rules
from health.domain.facts import Stack
from health.domain.report import Report, Result, State
from steward.clock import Clock
from steward.errors import AccessDeniedError, NotFoundError, StewardError

SIDE_BY_SIDE = 8
"""Checks that run at once: together they take about as long as the slowest."""


class CheckHealth:
    """Checks one stack."""

    def __init__(
        self,
        stack: StackReader,
        trails: TrailReader,
        channels: ChannelReader,
        storage: StorageReader,
        registry: RegistryReader,
        settings: SettingsReader,
        clock: Clock,
        *,
        name: str,
        account: str,
        region: str,
    ) -> None:
        self._stack = stack
        self._trails = trails
        self._channels = channels
        self._storage = storage
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._name = name
        self._account = account
        self._region = region

    def check(self) -> Report:
        """All checks, in the order of the report. No error escapes but programming errors."""
        found: list[Stack] = []

        def read() -> Result:
            found.append(self._stack.stack())
            return rules.stack_is_complete(found[0])

        first = attempted("stack", read)
        checks = dict(self._beside_the_stack())
        names = list(checks)
        deployed = bool(found and found[0].resources)
        if deployed:
            checks |= dict(self._of_the_stack(found[0]))
            names = list(checks)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            results = list(pool.map(attempted, names, checks.values()))
        if not deployed:
            detail = "the stack has no resources" if found else "the stack's resources are not known"
            results += [Result(name, State.UNKNOWN, detail, missing_right=first.missing_right) for name in OF_THE_STACK]
        return Report(self._name, self._account, self._region, rules.mended_at_the_cause([first, *results]))

    def _beside_the_stack(self) -> Iterator[tuple[str, Callable[[], Result]]]:
        registry, settings = self._registry, self._settings
        yield "trail", lambda: rules.trail_records(self._trails.trails(), self._region)
        yield "house rules", lambda: rules.pushes_create_nothing_by_themselves(registry.creation_templates())
        yield "quarantine", lambda: rules.no_user_is_quarantined(registry.quarantines())
        yield "secret readers", lambda: rules.secrets_have_readers(settings.secret_readers())
        if (warnings := settings.warnings()) is not None:
            yield "settings", lambda: rules.settings_are_sound(warnings)
        yield "alarms", lambda: rules.no_alarm_is_raised(self._stack.raised_alarms())

    def _of_the_stack(self, stack: Stack) -> Iterator[tuple[str, Callable[[], Result]]]:
        resources, parameters = stack.resources, stack.parameters
        if parameters.get("PolicyDrift", "on") == "on":
            yield "forwarding", lambda: self._forwarding(resources["Bus"])
            yield "IAM events", lambda: self._arrivals(resources["DriftQueue"])
        else:
            off = "policy drift is switched off, which alone needs IAM's events"
            yield "forwarding", lambda: Result("forwarding", State.OK, off)
            yield "IAM events", lambda: Result("IAM events", State.OK, off)
        yield "alarm topic", lambda: self._subscribed("alarm", resources["AlarmTopic"])
        yield "alert topic", lambda: self._subscribed("alert", resources["AlertTopic"])
        asked = parameters.get("SecurityHub", "off") == "on"
        yield (
            "Security Hub",
            lambda: rules.security_hub_is_there(asked, self._channels.security_hub_enabled() if asked else None),
        )
        yield "dead letters", lambda: self._dead_letters(stack)
        yield "tables", lambda: self._tables(stack)
        yield "buckets", lambda: self._buckets(stack)

    def _forwarding(self, bus: str) -> Result:
        arn = f"arn:aws:events:{self._region}:{self._account}:event-bus/{bus}"
        forwarding = [] if self._region == rules.GLOBAL_REGION else self._trails.forwarding_rules(arn)
        return rules.events_are_forwarded(forwarding, self._region)

    def _arrivals(self, queue_url: str) -> Result:
        events = self._trails.iam_events(queue_url.rpartition("/")[2])
        return rules.iam_events_arrive(events, self._clock.now(), self._region)

    def _subscribed(self, topic: str, arn: str) -> Result:
        return rules.people_are_subscribed(topic, arn, self._channels.subscriptions(arn))

    def _dead_letters(self, stack: Stack) -> Result:
        counts = {name: self._channels.messages(stack.resources[name]) for name in rules.QUEUES}
        return rules.no_dead_letters(counts, stack.resources)

    def _tables(self, stack: Stack) -> Result:
        tables = {name: self._storage.table(stack.resources[name]) for name in rules.TABLES}
        return rules.tables_are_safe(tables, stack.resources)

    def _buckets(self, stack: Stack) -> Result:
        baseline = stack.resources.get("BaselineBucket") or stack.parameters["BaselineBucketName"]
        owner = stack.parameters.get("BaselineBucketOwner") or self._account
        buckets = {
            baseline: self._storage.bucket(baseline, owner),
            stack.resources["ReportsBucket"]: self._storage.bucket(stack.resources["ReportsBucket"], self._account),
        }
        elsewhere = owner if owner != self._account else ""
        return rules.buckets_are_safe(buckets, baseline, self._region, elsewhere)


OF_THE_STACK = (
    "forwarding",
    "IAM events",
    "alarm topic",
    "alert topic",
    "Security Hub",
    "dead letters",
    "tables",
    "buckets",
)
"""Checks that cannot be made without the stack's resources."""


def attempted(name: str, check: Callable[[], Result]) -> Result:
    """The result of a check; one that could not be made is unknown, and says why."""
    try:
        return check()
    except AccessDeniedError as error:
        right = error.code or ""
        return Result(name, State.UNKNOWN, f"not checked: the right {right} is missing", missing_right=right)
    except NotFoundError as error:
        return Result(name, State.BROKEN, str(error), ("make deploy",))
    except StewardError as error:
        return Result(name, State.UNKNOWN, f"not checked: {error}")
    except KeyError as error:
        detail = f"the stack has no resource or parameter {error.args[0]}: it is of another version than these checks"
        return Result(name, State.UNKNOWN, detail, ("make deploy",))
