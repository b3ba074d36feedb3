"""What is used and taken back before anybody looks."""

from benchmarks.drift_changes.calls import attach, detach, policy, policy_arn, role, user
from benchmarks.drift_changes.change import Change, Step, finding, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, READ, WRITE

TRANSIENTS = (
    Change(
        "a policy attached, and detached before it was checked",
        (*policy("used", WRITE), *role("used", rights=READ)),
        (
            Step(
                (attach("role", "used", policy_arn("used")), detach("role", "used", policy_arn("used"))),
                (told("transient", "role/used", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        lasting=frozenset({finding("transient", "role/used")}),
    ),
    Change(
        "AdministratorAccess attached, and detached before it was checked",
        user("used-admin", rights=READ),
        (
            Step(
                (attach("user", "used-admin", ADMINISTRATOR), detach("user", "used-admin", ADMINISTRATOR)),
                (told("transient", "user/used-admin", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        lasting=frozenset({finding("transient", "user/used-admin")}),
    ),
    Change(
        "a policy attached that grants nothing new, and detached",
        (*policy("used-same", READ), *role("used-same", rights=READ)),
        (
            Step(
                (
                    attach("role", "used-same", policy_arn("used-same")),
                    detach("role", "used-same", policy_arn("used-same")),
                )
            ),
        ),
    ),
)
