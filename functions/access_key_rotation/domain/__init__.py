"""The rules of access-key rotation: current state, desired state, and the one next step. Standard library only."""
