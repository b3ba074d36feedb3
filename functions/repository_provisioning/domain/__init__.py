"""The rules of repository provisioning: standard library and the kernel's pure half only."""
