"""The effects of a run, one module per kind of step; ``domain/rules`` decides which step is next."""
