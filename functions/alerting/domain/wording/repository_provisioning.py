"""Repository provisioning, in words."""

from collections.abc import Mapping

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent, Data
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import Wording, alert, given
from steward.severities import EventSeverities

_FORGOTTEN = {
    "reported": Sentence.of(
        "Nothing was created: the safety net only reports, or no rule allows the pusher to create it."
    ),
    "created": Sentence.of("The safety net created it; the same push works now."),
    "denied": Sentence.of("The house rules do not allow the pusher to create this name, so nothing was created."),
    "unidentified": Sentence.of("CloudTrail does not identify the caller, or the push was to another registry."),
}


def _created(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.RepositoryCreated,
        Sentence.of("Repository {} was created", data.text("name")),
        facts=given(
            ("Requested by", data.text("requested_by")), ("Rule", data.text("rule")), ("URI", data.text("uri"))
        ),
    )


def _configured(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.RepositoryConfigurationChanged,
        Sentence.of("Repository {} was updated to the current rules", data.text("name")),
        facts=given(
            ("Changed", ", ".join(data.texts("changed"))),
            ("Rule", data.text("rule")),
            ("Requested by", data.text("requested_by")),
        ),
    )


def _adopted(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    scope = "follows its rule" if data.text("scope") == "whole" else "has the tags of its rule"
    return alert(
        event,
        severities.RepositoryAdopted,
        Sentence.of(f"The existing repository {{}} now {scope}", data.text("name")),
        facts=given(
            ("Changed", ", ".join(data.texts("changed"))),
            ("Rule", data.text("rule")),
            ("Adopted by", data.text("requested_by")),
            ("Session", data.text("session")),
        ),
    )


def _scanned(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.RepositoryFleetScanned,
        Sentence.of("Repositories of the registry: {}", _fleet(data)),
        facts=given(("Scan", data.text("scan_id"))),
    )


def _fleet(data: Data) -> str:
    """The counts of a scan of the registry."""
    owners = data.inner("owners")
    counts = ", ".join(f"{owners.text(owner)} {owner}" for owner in owners.values) or "none"
    texts = [counts, f"{data.text('differing') or 0} of ours differ from their rules"]
    texts += [f"{data.text(what)} {what}" for what in ("empty", "unreadable") if data.text(what) not in {"", "0"}]
    return "; ".join(texts)


def _shortened(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.RepositoryRetentionShortened,
        Sentence.of("Images of {} may now expire sooner", data.text("name")),
        Sentence.of(
            "Its lifecycle policy was replaced. ECR expires images within 24 hours and cannot restore them: if this is "
            "wrong, PUT the repository with ?clear_overrides=true now."
        ),
        facts=given(
            ("Requested by", data.text("requested_by")),
            ("Session", data.text("session")),
            ("Rule", data.text("rule")),
            ("Before", data.text("before") or "no lifecycle policy"),
            ("Now", data.text("after") or "no lifecycle policy"),
        ),
    )


def _denied(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.RepositoryRequestDenied,
        Sentence.of("{} was denied the repository {}", data.text("requested_by"), data.text("name")),
        Sentence.of(
            "The house rules do not allow this caller to create that name. To allow it, edit house_rules.yaml."
        ),
        facts=given(("Reason", data.text("reason")), ("Allowed names", ", ".join(data.texts("allowed")) or "nothing")),
    )


def _forgotten(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    outcome = data.text("outcome")
    return alert(
        event,
        severities.PushToMissingRepositoryObserved,
        Sentence.of("{} pushed to {}, which does not exist", data.text("pushed_by"), data.text("name")),
        _FORGOTTEN.get(outcome, Sentence.of("Outcome: {}.", outcome)),
        facts=given(("Matching rule", data.text("would_create"))),
    )


TEXTS: Mapping[str, Wording] = {
    "RepositoryCreated": _created,
    "RepositoryConfigurationChanged": _configured,
    "RepositoryAdopted": _adopted,
    "RepositoryFleetScanned": _scanned,
    "RepositoryRetentionShortened": _shortened,
    "RepositoryRequestDenied": _denied,
    "PushToMissingRepositoryObserved": _forgotten,
}
