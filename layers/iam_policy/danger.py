"""How dangerous an action is, so that what a person reads first is what matters most."""

from functools import cache

from iam_policy.escalation.paths import Category, known_paths
from iam_policy.known_actions import FAMILIAR, AccessLevel, level

#: Actions that give away what is kept secret, or data, though AWS calls most of them reading.
_REVEALING = (
    "secretsmanager:GetSecretValue",
    "kms:Decrypt",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "s3:GetObject",
    "dynamodb:Scan",
    "ecr:GetAuthorizationToken",
)
_DESTROYING = ("Delete", "Terminate", "Schedule", "Purge", "Disable", "Stop", "Remove", "Detach", "Put", "Update")
_GIVING = ("Put", "Attach", "Set", "Add", "Create", "Update", "Share", "Modify")
_LEVELS = (*AccessLevel, None)

Rank = tuple[int, int, int, str]


@cache
def rank(action: str) -> Rank:
    """A key by which actions, as AWS spells them, are sorted: the most dangerous first, and never two alike.

    First those that make their caller an administrator, those that manage permissions, those of other known paths to
    more privileges, and those that reveal secrets or data; then by access level, what destroys before what makes.
    Among equals those of services come first that readers know.
    """
    service, _, name = action.partition(":")
    familiar = FAMILIAR.index(service) if service in FAMILIAR else len(FAMILIAR)
    known = level(action)
    if action in _of_paths(Category.SELF_ESCALATION):
        return 0, 0, familiar, action
    if known is AccessLevel.PERMISSIONS:
        return 1, _place(name, _GIVING), familiar, action
    if action in _of_paths(*Category):
        return 2, 0, familiar, action
    if action in _REVEALING:
        return 3, _REVEALING.index(action), familiar, action
    return 4 + _LEVELS.index(known), _place(name, _DESTROYING), familiar, action


def _place(name: str, verbs: tuple[str, ...]) -> int:
    return next((place for place, verb in enumerate(verbs) if name.startswith(verb)), len(verbs))


@cache
def _of_paths(*categories: Category) -> frozenset[str]:
    return frozenset(step.action for path in known_paths() if path.category in categories for step in path.steps)
