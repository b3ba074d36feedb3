"""What provisioning does: the use cases and the ports that they call."""
