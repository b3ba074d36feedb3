"""Who is in which group."""

from benchmarks.drift_changes.calls import attach, call, group, user
from benchmarks.drift_changes.change import Change, Step, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, READ, WRITE

MEMBERSHIPS = (
    Change(
        "a user joins a group that may write",
        (*user("joins", rights=READ), *group("joins-writers", rights=WRITE)),
        (
            Step(
                (call("add-user-to-group", GroupName="joins-writers", UserName="joins"),),
                (told("membership", "user/joins", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="joins-writers", UserName="joins"),),
    ),
    Change(
        "a user joins a group of administrators",
        (*user("joins-admins"), *group("admins"), attach("group", "admins", ADMINISTRATOR)),
        (
            Step(
                (call("add-user-to-group", GroupName="admins", UserName="joins-admins"),),
                (told("membership", "user/joins-admins", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="admins", UserName="joins-admins"),),
    ),
    Change(
        "a user leaves a group",
        (*user("leaves"), *group("leaves-readers", "leaves", rights=READ)),
        (
            Step(
                (call("remove-user-from-group", GroupName="leaves-readers", UserName="leaves"),),
                (told("membership", "user/leaves", "LOW", "NARROWED"),),
            ),
        ),
        undo=(call("add-user-to-group", GroupName="leaves-readers", UserName="leaves"),),
    ),
    Change(
        "a user joins a group that grants nothing new",
        (*user("joins-same", rights=READ), *group("joins-same-readers", rights=READ)),
        (
            Step(
                (call("add-user-to-group", GroupName="joins-same-readers", UserName="joins-same"),),
                (told("note", "user/joins-same", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="joins-same-readers", UserName="joins-same"),),
    ),
)
