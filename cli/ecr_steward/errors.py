"""Errors of the command line, and what its exit codes mean."""

NOTHING, FINDINGS, UNUSABLE = 0, 1, 2
"""Exit codes: done and nothing found; something found, or a part failed; the command or its input cannot be used."""


class CommandError(Exception):
    """The command cannot do what it was asked: what is wrong, and what to do next."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.remedy = remedy
        super().__init__(self.problem.rstrip(".") + f". {remedy}" if remedy else self.problem)
