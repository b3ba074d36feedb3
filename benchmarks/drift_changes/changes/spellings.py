"""Changes that change no access: none is reported, or only a note."""

from benchmarks.drift_changes.calls import allow, call, document, put, role, user
from benchmarks.drift_changes.change import Change, Step, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, READ, READ_AND_WRITE, REPORTS
from benchmarks.drift_changes.changes.inline import rewritten

SPELLINGS = (
    Change(
        "a tag put on a role",
        role("tagged", rights=READ),
        (Step((call("tag-role", RoleName="tagged", Tags=[{"Key": "team", "Value": "a"}]),)),),
    ),
    Change(
        "a role's description changed",
        role("described", rights=READ),
        (Step((call("update-role", RoleName="described", Description="other words"),)),),
    ),
    Change(
        "an attachment without permission: denied by IAM",
        user("refused", rights=READ),
        (Step((call("attach-user-policy", by="outsider", UserName="refused", PolicyArn=ADMINISTRATOR),)),),
    ),
    rewritten(
        "reordered",
        "statements and actions in another order",
        document(allow("s3:GetObject", "s3:PutObject", on=REPORTS), allow("sqs:SendMessage")),
        document(allow("sqs:SendMessage"), allow("s3:PutObject", "s3:GetObject", on=REPORTS)),
    ),
    rewritten(
        "sid-only",
        "a Sid renamed",
        document(allow("s3:GetObject", on=REPORTS, Sid="Read")),
        document(allow("s3:GetObject", on=REPORTS, Sid="ReadReports")),
    ),
    rewritten(
        "respelled",
        "lists for single values, case, a repetition",
        document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": REPORTS}),
        {"Version": "2012-10-17", "Statement": allow("S3:getobject", "s3:GetObject", on=[REPORTS])},
    ),
    rewritten(
        "split",
        "a statement split in two",
        READ_AND_WRITE,
        document(allow("s3:GetObject", on=REPORTS), allow("s3:PutObject", on=REPORTS)),
    ),
    rewritten(
        "subsumed",
        "a pattern added that another covers",
        document(allow("s3:Get*", on=REPORTS)),
        document(allow("s3:Get*", "s3:GetObject", on=REPORTS)),
    ),
    Change(
        "a statement moved from one policy of a role to another",
        role("moved", rights=READ_AND_WRITE, more=document(allow("sqs:SendMessage"))),
        (
            Step(
                (
                    put(
                        "role",
                        "moved",
                        document(allow("sqs:SendMessage"), allow("s3:PutObject", on=REPORTS)),
                        inline="more",
                    ),
                    put("role", "moved", READ),
                ),
                (told("note", "role/moved", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(
            put("role", "moved", READ_AND_WRITE),
            put("role", "moved", document(allow("sqs:SendMessage")), inline="more"),
        ),
    ),
)
