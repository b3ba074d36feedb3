"""What people get when one scan publishes thousands of findings: how many messages, and the size of the last one.

    python -m benchmarks.many_alerts [--findings N]

The findings of `large_report`, as events, go through alerting with the shipped settings, over its doubles in memory;
then the flood's summary and the digest are made. A message is what SNS is given: mail and chat in one JSON text.
"""

import argparse
import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent, Data
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import body_of
from benchmarks.large_account import ACCOUNT
from benchmarks.large_report import found_in
from policy_drift.domain.lifecycle import Why
from policy_drift.report.finding_events import FindingEvents
from tests.doubles.alerting_over_doubles import AlertingOverDoubles


def main() -> None:
    """Print a line for the first message, for the flood's, and for the digest."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--findings", type=int, default=10_000)
    approved, live, found = found_in(options.parse_args().findings)
    alerting: Any = AlertingOverDoubles()  # type: ignore[no-untyped-call]
    events = FindingEvents(approved, live)
    for finding in found:
        data = Data(json.loads(json.dumps(asdict(events.detection(finding, Why.OPENED)))))
        alerting.sender.send(
            BusEvent(
                str(uuid.uuid4()),
                "policy_drift",
                "PolicyDriftDetected",
                datetime.now(UTC),
                ACCOUNT,
                "eu-central-1",
                data,
            )
        )
    individual = len(alerting.topic.sent)
    counted = alerting.scheduled.send_flood()
    print(f"{len(found)} findings: {individual} messages of one finding, {counted} findings in the next message")
    alerting.scheduled.send_digest()
    for name, sent in zip(("one finding", "flood", "digest"), (0, individual, individual + 1), strict=True):
        print(f"{name}: {_measured(alerting.topic.sent[sent].alert)}")


def _measured(alert: Alert) -> str:
    mail, chat = body_of(alert), json.dumps(notification(alert), ensure_ascii=False)
    message = json.dumps({"default": mail, "https": chat}, ensure_ascii=False)
    sizes = f"mail {len(mail.encode())} bytes, {len(mail.splitlines())} lines; message {len(message.encode())} bytes"
    last = [sentence.plain() for sentence in alert.body if sentence.plain().startswith("…")]
    names_report = "the report named" if "/drift/report" in mail else "no report named"
    return "; ".join((sizes, alert.headline, *last, names_report))


if __name__ == "__main__":
    main()
