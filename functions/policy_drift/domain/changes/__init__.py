"""CloudTrail's events: who changed what, and what a change gave."""
