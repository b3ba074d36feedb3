"""What people and pipelines read of a finding: events, words, commands, the report."""
