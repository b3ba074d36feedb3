"""Which alerts are sent, to which readers, in which words, and how often. No AWS here."""
