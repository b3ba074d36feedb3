"""Which alerts are sent, to whom, in which words, and how often. No AWS here."""
