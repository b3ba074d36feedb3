"""The rules that choose a user's next step: pure functions of what a run has read."""
