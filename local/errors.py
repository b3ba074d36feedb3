"""The one error of the commands: a sentence for the person who typed them."""


class LocalAwsError(Exception):
    """A command cannot go on. The text is one clear sentence, and names the log to read where there is one."""
