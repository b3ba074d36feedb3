"""``python -m ecr_steward``: the same as ``steward``."""

from ecr_steward.app import run

run()
