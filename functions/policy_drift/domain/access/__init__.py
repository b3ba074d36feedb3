"""What a principal holds, and what that allows."""
