"""What differs between the account as approved and as it is."""
