"""Repository provisioning, in words."""

from collections.abc import Callable, Mapping

from alerting.domain.alert import Alert, Severity
from alerting.domain.event import BusEvent
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import alert, given

_FORGOTTEN = {
    "reported": Sentence.of("Nothing was created: the safety net reports only, or no rule lets the pusher create it."),
    "created": Sentence.of("The safety net has created it; the same push works now."),
    "denied": Sentence.of("The house rules do not grant the pusher this name, so nothing was created."),
    "unidentified": Sentence.of("CloudTrail does not say who it was, or it was for another registry."),
}


def _created(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.INFO,
        Sentence.of("Repository {} was created", data.text("name")),
        facts=given(("For", data.text("requested_by")), ("Rule", data.text("rule")), ("URI", data.text("uri"))),
    )


def _configured(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.INFO,
        Sentence.of("Repository {} follows the changed rules", data.text("name")),
        facts=given(
            ("Changed", ", ".join(data.texts("changed"))),
            ("Rule", data.text("rule")),
            ("For", data.text("requested_by")),
        ),
    )


def _denied(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.LOW,
        Sentence.of("{} was refused the repository {}", data.text("requested_by"), data.text("name")),
        Sentence.of("The house rules do not grant this caller that name. Either is mended in house_rules.yaml."),
        facts=given(("Why", data.text("reason")), ("It may create", ", ".join(data.texts("allowed")) or "nothing")),
    )


def _forgotten(event: BusEvent) -> Alert:
    data = event.data
    outcome = data.text("outcome")
    return alert(
        event,
        Severity.LOW,
        Sentence.of("{} pushed to {}, which does not exist", data.text("pushed_by"), data.text("name")),
        _FORGOTTEN.get(outcome, Sentence.of("What followed: {}.", outcome)),
        facts=given(("Rule it would follow", data.text("would_create"))),
    )


TEXTS: Mapping[str, Callable[[BusEvent], Alert]] = {
    "RepositoryCreated": _created,
    "RepositoryConfigurationChanged": _configured,
    "RepositoryRequestDenied": _denied,
    "PushToMissingRepositoryObserved": _forgotten,
}
