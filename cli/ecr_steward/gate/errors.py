"""The error of the gate: input that it cannot judge."""


class UnusableInputError(Exception):
    """An input that cannot be judged: where it is, what is wrong, and what would be right, on one line."""

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        self.where = where
        self.problem = " ".join(problem.split())
        self.remedy = remedy
        super().__init__(f"{where}: {self.problem}" + (f"; {remedy}" if remedy else ""))
