"""The YAML files that an operator edits, checked by ``make check``, by ``make deploy`` and when they are loaded."""
