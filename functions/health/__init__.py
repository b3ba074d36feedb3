"""Says whether a deployed stack can do its work: what AWS, and not our code, must have for it."""
