"""A topic and a hub that keep what they were told."""


class RecordingTopic:
    """Keeps messages."""

    def __init__(self):
        self.published = []

    def publish(self, message):
        self.published.append(message)


class RecordingHub:
    """Keeps findings."""

    def __init__(self):
        self.told = []

    def tell(self, alert, concern):
        self.told.append((alert, concern))
