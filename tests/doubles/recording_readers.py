"""Readers that keep the alerts that they accept."""

from alerting.domain.alert import PEOPLE, Channel


class RecordingReader:
    """Keeps routed alerts."""

    def __init__(self, step, channels, *, grouped=False, items_only=False):
        self.step = step
        self.grouped = grouped
        self.sent = []
        self._channels = channels
        self._items_only = items_only

    def accepts(self, routed):
        return bool(routed.channels & self._channels) and (routed.item is not None or not self._items_only)

    def send(self, routed):
        self.sent.append(routed)


def recording_topic():
    return RecordingReader("sent", PEOPLE, grouped=True)


def recording_hub():
    return RecordingReader("security_hub", {Channel.SECURITY_HUB}, items_only=True)


def recording_webhook():
    return RecordingReader("webhook", {Channel.WEBHOOK})
