"""Access-key rotation, in words."""

from collections.abc import Callable, Mapping

from alerting.domain.alert import Alert, Severity
from alerting.domain.event import BusEvent
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import alert, given

LEAKED = "compromised"
_FROZEN = Sentence.of("The user is frozen: nothing rotates it until somebody asks for a rotation.")
_DRAINS_AGAIN = Sentence.of("The key is left alone for another quiet period, and is then deactivated again.")


def thread_of(event: BusEvent) -> str:
    """All about one user stands together."""
    return f"rotation:{event.data.text('user_name')}"


def _due(event: BusEvent) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    title = "An access key of {} is exposed" if leaked else "{} has a rotation to do"
    body = (
        Sentence.of("The key was found in public, or somebody says so. It is replaced and cut off now."),
        Sentence.of("Look at what it was used for: CloudTrail has every call, by the key's id."),
    )
    return alert(
        event,
        Severity.HIGH if leaked else Severity.INFO,
        Sentence.of(title, data.text("user_name")),
        *(body if leaked else ()),
        facts=given(("Key", data.text("key_id")), ("Asked by", data.text("requested_by"))),
        thread=thread_of(event),
        runbook="key-leaked" if leaked else "",
    )


def _rotated(event: BusEvent) -> Alert:
    data = event.data
    waived = ", ".join(data.texts("waived"))
    return alert(
        event,
        Severity.MEDIUM if waived else Severity.INFO,
        Sentence.of("{} has a new key, and it works", data.text("user_name")),
        facts=given(
            ("New key", data.text("key_id")),
            ("Still works, until nobody uses it", ", ".join(data.texts("previous_key_ids"))),
            ("The emergency did without", waived),
        ),
        thread=thread_of(event),
    )


def _deactivated(event: BusEvent) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    return alert(
        event,
        Severity.MEDIUM if leaked else Severity.INFO,
        Sentence.of("A key of {} no longer works", data.text("user_name")),
        *((Sentence.of("It had leaked; whatever still used it is refused now."),) if leaked else ()),
        facts=given(
            ("Key", data.text("key_id")), ("Why", data.text("reason")), ("Deleted after", data.text("deleted_after"))
        ),
        thread=thread_of(event),
        runbook="consumer-broke" if leaked else "",
    )


def _deleted(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.INFO,
        Sentence.of("A key of {} is gone for good", data.text("user_name")),
        facts=given(("Key", data.text("key_id")), ("Why", data.text("reason"))),
        thread=thread_of(event),
    )


def _reactivated(event: BusEvent) -> Alert:
    data = event.data
    who, user = data.text("requested_by"), data.text("user_name")
    title, body = Sentence.of("{} brought a key of {} back", who, user), _FROZEN
    if not who:
        title, body = Sentence.of("Somebody brought a key of {} back in IAM", user), _DRAINS_AGAIN
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
        Sentence.of("The keys of {} cannot rotate until somebody looks", data.text("user_name")),
        Sentence.of("Nothing is cut off meanwhile, and the keys grow older. This is reported again every day."),
        facts=given(
            ("Why", data.text("reason")), ("State", data.text("state")), ("Keys", ", ".join(data.texts("key_ids")))
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
        Sentence.of("Nothing is cut off: the old key works, and the next run goes on from there."),
        facts=given(("Step", data.text("step")), ("Why", data.text("reason")), ("AWS's code", data.text("code"))),
        thread=thread_of(event),
        runbook="rotation-failed",
    )


def _does_not_authenticate(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.HIGH,
        Sentence.of("AWS refuses what consumers of {} read", data.text("user_name")),
        Sentence.of("Whoever reads this secret cannot push or pull, or will not be able to soon."),
        facts=given(("Key", data.text("key_id")), ("Region", data.text("region"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _reader_missing(event: BusEvent) -> Alert:
    data = event.data
    return alert(
        event,
        Severity.MEDIUM,
        Sentence.of("Nobody but {} itself may read its secret", data.text("user_name")),
        Sentence.of("A host whose key has died needs another reader to get the new one: name it in secret_readers."),
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
