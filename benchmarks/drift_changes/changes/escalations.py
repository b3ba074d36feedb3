"""Ways to more privileges."""

from benchmarks.drift_changes.calls import allow, attach, detach, document, policy, policy_arn, put, role, take
from benchmarks.drift_changes.change import Change, Step, access
from benchmarks.drift_changes.changes.documents import READ

ESCALATIONS = (
    Change(
        "a role may write new versions of its own policy",
        (
            *policy("escalates-self", READ),
            *role("escalates-self"),
            attach("role", "escalates-self", policy_arn("escalates-self")),
        ),
        (
            Step(
                (
                    put(
                        "role",
                        "escalates-self",
                        document(allow("iam:CreatePolicyVersion", on=policy_arn("escalates-self"))),
                    ),
                ),
                (access("escalates-self", "CRITICAL", "BROADENED", "iam:CreatePolicyVersion"),),
            ),
        ),
        undo=(take("role", "escalates-self"),),
    ),
    Change(
        "a role may run a function under another role, by two policies together",
        (
            *policy("escalates-target", document(allow("lambda:CreateFunction", "lambda:InvokeFunction"))),
            *role("escalates-target", rights=READ),
        ),
        (
            Step(
                (
                    attach("role", "escalates-target", policy_arn("escalates-target")),
                    put("role", "escalates-target", document(allow("iam:PassRole")), inline="more"),
                ),
                (access("escalates-target", "HIGH", "BROADENED", "*"),),
            ),
        ),
        undo=(
            take("role", "escalates-target", inline="more"),
            detach("role", "escalates-target", policy_arn("escalates-target")),
        ),
    ),
    Change(
        "the same permission to write policies, on a policy that the role does not have",
        (*policy("escalates-not", READ), *role("escalates-not", rights=READ)),
        (
            Step(
                (
                    put(
                        "role",
                        "escalates-not",
                        document(allow("iam:CreatePolicyVersion", on=policy_arn("escalates-not"))),
                        inline="more",
                    ),
                ),
                (access("escalates-not", "MEDIUM", "BROADENED", "iam:CreatePolicyVersion"),),
            ),
        ),
        undo=(take("role", "escalates-not", inline="more"),),
    ),
)
