"""The use case: run every check; one that fails stops no other."""
