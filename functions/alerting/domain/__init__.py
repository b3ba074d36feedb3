"""What is told, to whom, in which words, and how often. No AWS here."""
