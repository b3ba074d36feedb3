"""Changes that the settings expect of their author: they are marked, and not mailed below HIGH."""

from benchmarks.drift_changes.calls import allow, attach, detach, document, made_by, put, role, take, user
from benchmarks.drift_changes.change import Change, Step, access, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, READ, WRITE

SEND = document(allow("sqs:SendMessage"))

EXPECTED = (
    Change(
        "the deployer widens a role: expected",
        role("deployed", rights=READ),
        (
            Step(
                made_by("deployer", put("role", "deployed", WRITE, inline="more")),
                (access("deployed", "MEDIUM", "BROADENED", "s3:PutObject", expected=True),),
            ),
        ),
        undo=made_by("deployer", take("role", "deployed", inline="more")),
    ),
    Change(
        "the deployer creates a role: expected",
        (),
        (
            Step(
                made_by("deployer", *role("deployed-new", rights=READ)),
                (told("unmanaged", "role/deployed-new", "MEDIUM", "BROADENED", "s3:GetObject", expected=True),),
            ),
        ),
        adopted=("unmanaged:role:deployed-new",),
    ),
    Change(
        "the deployer makes a user an administrator: expected, but still mailed",
        user("deployed-admin", rights=READ),
        (
            Step(
                made_by("deployer", attach("user", "deployed-admin", ADMINISTRATOR)),
                (access("deployed-admin", "CRITICAL", "BROADENED", "*", kind="user", expected=True),),
            ),
        ),
        undo=made_by("deployer", detach("user", "deployed-admin", ADMINISTRATOR)),
    ),
    Change(
        "another person adds to what the deployer did: not expected",
        role("deployed-and-more", rights=READ),
        (
            Step(
                made_by("deployer", put("role", "deployed-and-more", WRITE, inline="first")),
                (access("deployed-and-more", "MEDIUM", "BROADENED", "s3:PutObject", expected=True),),
            ),
            Step(
                (put("role", "deployed-and-more", SEND, inline="second"),),
                (access("deployed-and-more", "MEDIUM", "BROADENED", "sqs:SendMessage"),),
            ),
        ),
        undo=(
            take("role", "deployed-and-more", inline="second"),
            take("role", "deployed-and-more", inline="first"),
        ),
    ),
    Change(
        "the deployer and another person at once: not expected",
        role("deployed-by-two", rights=READ),
        (
            Step(
                (
                    *made_by("deployer", put("role", "deployed-by-two", WRITE, inline="first")),
                    put("role", "deployed-by-two", SEND, inline="second"),
                ),
                (access("deployed-by-two", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(
            take("role", "deployed-by-two", inline="second"),
            take("role", "deployed-by-two", inline="first"),
        ),
    ),
)
