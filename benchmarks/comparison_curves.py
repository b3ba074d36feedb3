"""How the work of a comparison grows with what makes it hard: steps of the budget, which do not depend on the machine.

    python -m benchmarks.comparison_curves

Each line is one kind of policies, with a growing number of parts, of which one is changed. The default budget is
400,000 steps; ``-`` is what they do not decide.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.hostile_policies import INNER_STARS
from iam_policy import Budget, compare

type Statements = list[dict[str, Any]]
SIZES = (5, 10, 20, 40, 80, 160)
_MOST_STEPS = 400_000
_WORDS = ("secret", "admin", "prod", "audit", "vault", "token", "billing", "master", "ledger", "payroll")
_TEAM = "${aws:PrincipalTag/team}"


def allow(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def inner_star_actions(size: int) -> Statements:
    """Statements with an action that has a star inside, each on a bucket of its own."""
    names = [f"s3:{INNER_STARS[number % len(INNER_STARS)]}{number // len(INNER_STARS) or ''}" for number in range(size)]
    return [allow(name, f"arn:aws:s3:::bucket-{number}/*") for number, name in enumerate(names)]


def word_denies(size: int) -> Statements:
    """Denies of words in names, each without a tag of its own."""
    words = [f"{_WORDS[number % len(_WORDS)]}{number // len(_WORDS) or ''}" for number in range(size)]
    denies = [
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": f"arn:aws:*{word}*",
            "Condition": {"StringNotEquals": {f"aws:PrincipalTag/{word}": "yes"}},
        }
        for word in words
    ]
    return [allow(["iam:*", "s3:*", "lambda:*"], "*"), *denies]


def one_star_resources(size: int) -> Statements:
    """One statement on many resources with a star inside."""
    return [allow("s3:*", [f"arn:aws:s3:::team-{number * 7919 % 9973}*-data" for number in range(size)])]


def dense_variables(size: int) -> Statements:
    """Many resources with one variable, under a condition of as many ARNs."""
    arns = [f"arn:aws:iam::*:role/*{_WORDS[number % len(_WORDS)]}*/{number}" for number in range(size)]
    tables = [f"arn:aws:dynamodb:*:*:table/{_TEAM}-{number}*" for number in range(size)]
    return [allow("dynamodb:*", tables, Condition={"ArnLike": {"aws:PrincipalArn": arns}})]


def changed(statements: Statements) -> Statements:
    """The last resource is another one."""
    *others, last = statements
    names = last["Resource"] if isinstance(last["Resource"], list) else [last["Resource"]]
    return [*others, {**last, "Resource": [*names[:-1], names[-1].rstrip("*") + "-other*"]}]


KINDS: dict[str, Callable[[int], Statements]] = {
    "statements with an inner-star action": inner_star_actions,
    "conditioned Denies of *word*": word_denies,
    "one-star resources of a statement": one_star_resources,
    "pairs of a variable and an ARN": dense_variables,
}


def main() -> None:
    """Print the steps of each kind by size."""
    print(f"{'':38}" + "".join(f"{size:>10}" for size in SIZES))
    for name, make in KINDS.items():
        line = ""
        for size in SIZES:
            budget = Budget(_MOST_STEPS)
            sides = ({"Version": "2012-10-17", "Statement": one} for one in (make(size), changed(make(size))))
            verdict = compare(*sides, budget=budget).verdict
            line += f"{'-' if verdict == 'UNKNOWN' else _MOST_STEPS - budget.steps:>10}"
        print(f"{name:38}{line}", flush=True)


if __name__ == "__main__":
    main()
