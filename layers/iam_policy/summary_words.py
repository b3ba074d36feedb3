"""A summary in words, of a stated length."""

from collections.abc import Sequence

from iam_policy.demand_words import demands_in_words, listed
from iam_policy.summary import Grant
from iam_policy.wording import visible

#: Groups that are written out; those beyond are counted.
MOST_GROUPS = 20
#: Characters of one group's words; ARNs and conditions beyond are cut.
MOST_CHARACTERS = 600
_MOST_NAMED = 3


def summary_in_words(grants: Sequence[Grant], most: int = MOST_GROUPS) -> tuple[str, ...]:
    """The groups in words, one line each, the most dangerous first; the last line counts those beyond the most."""
    lines = tuple(map(grant_in_words, grants[:most]))
    if beyond := grants[most:]:
        actions = len({action for grant in beyond for action in grant.actions})
        lines = (*lines, f"and {_number(len(beyond), 'more group')} of {_number(actions, 'action')}")
    return lines


def grant_in_words(grant: Grant) -> str:
    """What a group allows, such as ``12 write actions of dynamodb, such as …, on …``."""
    words = f"{_actions(grant)} {demands_in_words(grant.demands)}"
    return words if len(words) <= MOST_CHARACTERS else f"{words[: MOST_CHARACTERS - 1]}…"


def _actions(grant: Grant) -> str:
    new = "" if grant.are_all_new or not grant.every else f" ({len(grant.actions):,} of them new)"
    if grant.is_any_action:
        return f"any action{new}"
    services = listed([visible(service) for service in grant.services], "and", of="services")
    if not grant.actions:
        return "actions that AWS does not document today, of " + services.replace("*", "any service")
    if grant.every:
        words = f"every {services} action" if len(grant.services) == 1 else f"every action of {_services(grant)}"
        return f"{words}{new}"
    level = f"{grant.level.lower()} " if grant.level else "unknown "
    if len(grant.actions) <= _MOST_NAMED:
        return f"{listed([visible(action) for action in grant.actions], 'and')} ({level.strip()})"
    such = visible(grant.actions[0])
    return f"{_number(len(grant.actions), f'{level}action')} of {_services(grant)}, such as {such},"


def _services(grant: Grant) -> str:
    names = listed([visible(service) for service in grant.services], "and")
    return names if len(grant.services) <= _MOST_NAMED else f"{len(grant.services)} services ({names})"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
