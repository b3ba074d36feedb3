"""The command ``steward``: repositories, keys and drift from the shell, and policies compared in a pull request.

`ecr_steward.gate` is useful without the stack: it needs no AWS account and no network.
"""

__version__ = "0.1.0"
