"""The rules and values of access-key rotation. They call no port, see no clock, publish nothing, do no I/O."""
