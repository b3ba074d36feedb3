"""The test alert that an operator sends, in words: none of them comes from the event, which anyone may publish."""

from collections.abc import Mapping

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import Wording, alert
from steward.severities import EventSeverities

SOURCE = "steward-test"


def _test(event: BusEvent, _severities: EventSeverities) -> Alert:
    return alert(
        event,
        "INFO",
        Sentence.of("Test alert: nothing happened"),
        Sentence.of("Sent with `steward alerts test`. Whoever reads it gets the alerts of this account."),
    )


TEXTS: Mapping[str, Wording] = {"TestAlertRequested": _test}
