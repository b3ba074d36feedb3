"""The use cases of access-key rotation, one module per handler: the only code that calls ports."""
