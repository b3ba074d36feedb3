"""The rules of policy drift: no AWS, no I/O, standard library only."""
