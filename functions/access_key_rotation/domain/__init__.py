"""The rules of access-key rotation: what is seen, what is wanted, and the one next step. Standard library only."""
