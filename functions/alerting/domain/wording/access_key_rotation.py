"""Access-key rotation, in words."""

from collections.abc import Callable, Mapping

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import alert, given
from steward.severity import Severity

LEAKED = "compromised"
_FROZEN = Sentence.of("The user is frozen: its keys do not rotate until an operator requests a rotation.")
_DRAINS_AGAIN = Sentence.of("It stays active for another quiet period and is then deactivated again.")


def thread_of(event: BusEvent) -> str:
    """Everything about one user is one thread."""
    return f"rotation:{event.data.text('user_name')}"


def _due(event: BusEvent) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    title = "An access key of {} is exposed" if leaked else "A rotation of {} is due"
    body = (
        Sentence.of("The key was found in public or reported as leaked. It is being replaced and deactivated."),
        Sentence.of("Check what it was used for: CloudTrail records every call under the key's id."),
    )
    return alert(
        event,
        Severity.HIGH if leaked else Severity.INFO,
        Sentence.of(title, data.text("user_name")),
        *(body if leaked else ()),
        facts=given(("Key", data.text("key_id")), ("Requested by", data.text("requested_by"))),
        thread=thread_of(event),
        runbook="key-leaked" if leaked else "",
    )


def _rotated(event: BusEvent) -> Alert:
    data = event.data
    waived = ", ".join(data.texts("waived"))
    return alert(
        event,
        Severity.MEDIUM if waived else Severity.INFO,
        Sentence.of("{} has a new, verified access key", data.text("user_name")),
        facts=given(
            ("New key", data.text("key_id")),
            ("Previous keys, active until unused", ", ".join(data.texts("previous_key_ids"))),
            ("Checks skipped in the emergency", waived),
        ),
        thread=thread_of(event),
    )


def _deactivated(event: BusEvent) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    return alert(
        event,
        Severity.MEDIUM if leaked else Severity.INFO,
        Sentence.of("A key of {} was deactivated", data.text("user_name")),
        *((Sentence.of("It had leaked; anything that still uses it is now denied."),) if leaked else ()),
        facts=given(
            ("Key", data.text("key_id")), ("Reason", data.text("reason")), ("Deleted after", data.text("deleted_after"))
        ),
        thread=thread_of(event),
        runbook="consumer-broke" if leaked else "",
    )


def _deleted(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.INFO,
        Sentence.of("A key of {} was deleted", data.text("user_name")),
        facts=given(("Key", data.text("key_id")), ("Reason", data.text("reason"))),
        thread=thread_of(event),
    )


def _reactivated(event: BusEvent) -> Alert:
    data = event.data
    who, user = data.text("requested_by"), data.text("user_name")
    title, body = Sentence.of("{} reactivated a key of {}", who, user), _FROZEN
    if not who:
        title, body = Sentence.of("A key of {} was reactivated in IAM", user), _DRAINS_AGAIN
    return alert(
        event,
        Severity.MEDIUM,
        title,
        body,
        facts=given(("Key", data.text("key_id"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _blocked(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.HIGH,
        Sentence.of("Key rotation of {} is blocked", data.text("user_name")),
        Sentence.of(
            "No key is deactivated meanwhile, and the keys keep ageing. This alert repeats daily until it is fixed."
        ),
        facts=given(
            ("Reason", data.text("reason")), ("State", data.text("state")), ("Keys", ", ".join(data.texts("key_ids")))
        ),
        thread=thread_of(event),
        runbook="user-blocked",
    )


def _failed(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.MEDIUM,
        Sentence.of("A rotation of {} failed", data.text("user_name")),
        Sentence.of("Nothing was deactivated: the old key works, and the next run resumes from there."),
        facts=given(
            ("Step", data.text("step")), ("Reason", data.text("reason")), ("AWS error code", data.text("code"))
        ),
        thread=thread_of(event),
        runbook="rotation-failed",
    )


def _does_not_authenticate(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.HIGH,
        Sentence.of("The current key of {} does not authenticate", data.text("user_name")),
        Sentence.of("Consumers that read this secret cannot push or pull, or soon will not be able to."),
        facts=given(("Key", data.text("key_id")), ("Region", data.text("region"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _reader_missing(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.MEDIUM,
        Sentence.of("Only {} itself may read its secret", data.text("user_name")),
        Sentence.of(
            "A host whose key no longer works needs another reader to fetch the new one: add one to secret_readers."
        ),
        facts=given(("Secret", data.text("secret"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


TEXTS: Mapping[str, Callable[[BusEvent], Alert]] = {
    "AccessKeyRotationDue": _due,
    "AccessKeyRotated": _rotated,
    "AccessKeyDeactivated": _deactivated,
    "AccessKeyDeleted": _deleted,
    "AccessKeyReactivated": _reactivated,
    "AccessKeyRotationBlocked": _blocked,
    "AccessKeyRotationFailed": _failed,
    "SecretDoesNotAuthenticate": _does_not_authenticate,
    "SecretReaderMissing": _reader_missing,
}
