"""The command ``steward``: repositories, keys and drift from the shell, and the comparison of policies in a pull request.

`ecr_steward.gate` is useful without the stack: it needs no AWS account and no network.
"""
