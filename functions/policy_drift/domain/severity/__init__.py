"""How bad it is: what became newly possible."""
