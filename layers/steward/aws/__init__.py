"""The way to AWS: clients that are configured alike, errors that are translated alike, the bus."""
