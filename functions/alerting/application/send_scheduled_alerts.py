"""Send, by schedule, the summary of a flood and the weekly digest."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerting.application.ports import DIGEST, FLOOD, OpenItems, PendingAlerts, Reader
from alerting.domain.alert import Alert, Channel, PendingAlert
from alerting.domain.routing import AlertingSettings, RoutedAlert
from alerting.domain.summaries import Context, digest_alert, flood_alert
from steward.clock import Clock


@dataclass(frozen=True, slots=True)
class ScheduledAlertSender:
    """Sends what no single event causes; ``new_id`` names its messages."""

    settings: AlertingSettings
    readers: Sequence[Reader]
    pending: PendingAlerts
    open_items: OpenItems
    clock: Clock
    new_id: Callable[[], str]
    account: str
    region: str

    def send_flood(self) -> int:
        """Send one message per set of channels for all pending alerts; how many it covers. Raises UpstreamError."""
        pending = self.pending.pending(FLOOD)
        groups: dict[frozenset[Channel], list[PendingAlert]] = defaultdict(list)
        for each in pending:
            groups[each.channels].append(each)
        for channels, alerts in groups.items():
            titles = self.settings.flood.listed_titles
            self._send(flood_alert(alerts, listed_titles=titles, context=self._context()), channels)
            self.pending.remove(FLOOD, alerts)
        return len(pending)

    def send_digest(self) -> int:
        """Send the digest; how many open items it was made from. Raises UpstreamError."""
        items, pending = self.open_items.all(), self.pending.pending(DIGEST)
        channels = frozenset(Channel(each) for each in self.settings.digest.channels)
        self._send(digest_alert(items, pending, self.settings.digest, context=self._context()), channels)
        self.pending.remove(DIGEST, pending)
        return len(items)

    def _send(self, alert: Alert, channels: frozenset[Channel]) -> None:
        routed = RoutedAlert(alert, channels)
        for reader in self.readers:
            if reader.accepts(routed):
                reader.send(routed)

    def _context(self) -> Context:
        return Context(self.new_id(), self.clock.now(), self.account, self.region)
