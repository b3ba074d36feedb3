"""What each page is for, and how its commands are run: the table that the commands of all pages are held to.

A command without a step of its own is run as it is printed, as a person on call, and must succeed. A step changes that:
another person, other names, what must be seen, what happens before. A command that is not run says why: what the local
AWS lacks, or which test runs it.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.docs.test_pages import PROJECT
from tests.local.service_users import secret_of
from tests.pages.world import World

ON_CALL, REPAIR, DEPLOYER, PIPELINE = "on call", "on call, repair", "deployer", "pipeline"

type Names = dict[str, str]
type Prepare = Callable[[World, Path], Names | None]


@dataclass(frozen=True, slots=True)
class Step:
    """How one command of a page is run.

    Attributes
    ----------
    person
        The one who runs it.
    before
        What happens in the world before; the names that it returns take the place of those on the page.
    shows
        What must be in its output.
    instead
        Parts of the command that the local AWS cannot run -> what is run instead.
    not_run
        Why it is not run: what the local AWS lacks, or which test runs it.
    """

    person: str = ON_CALL
    before: Prepare | None = None
    shows: str = ""
    instead: Mapping[str, str] = field(default_factory=dict)
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The state that a page is for, and its commands that are not just run; keys are the beginnings of commands."""

    state: Prepare = lambda _world, _folder: {}
    steps: Mapping[str, Step] = field(default_factory=dict)


NO_REDRIVE = "the local AWS has no StartMessageMoveTask"
NO_OPERATORS_RULE = "the shipped house rules let no caller adopt; tests/local/test_fleet.py runs these calls"
NO_REPLICAS = "the local AWS has no RemoveRegionsFromReplication"
NO_RESTORE = "the local AWS has no backups of DynamoDB"
NO_MULTI_REGION_KEYS = "the stack of the pages has no KMS key of its own"
TAKES_PICTURES = "takes pictures with a browser"
NO_DOCKER = "there is no Docker daemon; tests/local/test_skopeo.py logs in and pushes"
NO_SSH = "there is no other host; tests/local/aws/test_consumer.py runs the helper with --seed"
A_CALL_BY_NAME = "names an operation, without its options"


RECEIPT = (
    """"$(sleep 6; aws sqs receive-message --queue-url "$QUEUE" --query 'Messages[0].ReceiptHandle' --output text)\""""
)
DEPLOYS = "deploys again: tests/docs/test_deploy_commands.py"
DOWNLOADED = {
    "PYTHONPATH=functions:layers": f"PYTHONPATH={PROJECT}/functions:{PROJECT}/layers",
    ".venv/bin/python": sys.executable,
    " events/": f" {PROJECT}/events/",
}
"""Commands that run in the folder of the project, run from another."""


def deployer(**more) -> Step:
    """A command that changes what only a deployer may."""
    return Step(person=DEPLOYER, **more)


def repair(**more) -> Step:
    """A command for OnCallRights=repair."""
    return Step(person=REPAIR, **more)


# The states


def scanned(world: World, _folder: Path) -> Names:
    """A scan of the registry is complete."""
    function = world.stack.function("FleetScan")["FunctionName"]
    world.stack.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"requested_by": "pages"}))
    return {}


def steady(world, _folder):
    return world.steady()


def drifted(world, _folder):
    name = world.drifted()
    return {
        "ci-deploy": name,
        "access:role:deployer": f"unmanaged:role:{name}",
        "access~3Arole~3Adeployer": f"unmanaged~3Arole~3A{name}",
        "2027-01-31": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    }


def with_the_file(world, folder):
    """The baseline's file in the current folder, as git has it."""
    (folder / "iam-baseline.json").write_text(world.baseline())
    return {}


def the_bucket(world, _folder):
    return {"BUCKET": world.stack.physical_id("BaselineBucket")}


def after_a_scan(world, _folder):
    """A scan has seen what the page uploaded before."""
    function = world.stack.function("DriftScan")["FunctionName"]
    world.stack.aws.client("lambda").invoke(FunctionName=function, Payload=b'{"id": "pages"}')
    return {}


def drifted_with_the_file(world, folder):
    with_the_file(world, folder)
    return drifted(world, folder)


def expected_by_nobody(world, folder):
    """Drift of an actor that the settings do not expect: it is selected by its id instead."""
    names = drifted_with_the_file(world, folder)
    return names | {".expected": f'.id == "{names["access:role:deployer"]}"'}


def quarantined_by_aws(world, _folder):
    user = world.steady()
    world.users.quarantine(user["ecr-push"])
    return user


def scheduled_for_deletion(world, _folder):
    user = world.steady()
    world.secrets.delete_secret(SecretId=secret_of(user["ecr-push"]), RecoveryWindowInDays=30)
    return user


def in_dead_letters(world, folder):
    world.dead_letter("QueueDeadLetters", {"detail-type": "AccessKeyRotationDue", "detail": {}})
    (folder / "event.json").write_text(json.dumps({"id": "redriven"}))
    return {"FUNCTION": world.stack.function("DriftScan")["FunctionName"]}


def version_in_force(world, folder):
    return with_the_file(world, folder) | {"GOOD": world.call("GET", "/drift/baseline")["version"]}


def two_versions(world, _folder):
    user = world.steady()
    secret = secret_of(user["ecr-push"])
    bad = world.secrets.list_secret_version_ids(SecretId=secret)["Versions"][0]["VersionId"]
    good = world.secrets.put_secret_value(SecretId=secret, SecretString="{}", VersionStages=["FORMER"])["VersionId"]
    return user | {"GOOD": good, "BAD": bad}


def with_a_tag(world, _folder):
    user = world.steady()
    world.iam.tag_user(UserName=user["ecr-push"], Tags=[{"Key": "steward:max-age-days", "Value": "many"}])
    return user


def renamed(world, _folder):
    name = world.steady()["ecr-push"]
    world.iam.update_user(UserName=name, NewUserName=f"{name}-2")
    return {"ecr-push": name}


def alone(world, _folder):
    """A user; commands for all users concern it alone."""
    user = world.steady()
    return user | {"Values=steward/service-users/": f"Values={secret_of(user['ecr-push'])}"}


def not_enrolled(world, _folder):
    """A user outside of the service path, and the secret part of its key, which `read` would take from the keyboard."""
    name, key_id, secret = world.not_enrolled()
    return {"build-server": name, "AKIA…": key_id, "read -rs SECRET": f"SECRET={secret}"}


def with_a_key_in_quarantine(world, _folder):
    return world.with_a_key_in_quarantine()


def blocked(world, _folder):
    return world.blocked()


def of_the_api(world, _folder):
    """A user to rotate, and another one to reactivate."""
    other = world.with_a_key_in_quarantine()["ecr-push"]
    return {"service-users/ecr-push/reactivation": f"service-users/{other}/reactivation"} | {
        ("AKIAEXAMPLE000000001" if name == "AKIA…" else name): here for name, here in world.steady().items()
    }


def two_accounts(world, folder):
    """The baseline's file, and the answer of IAM."""
    with_the_file(world, folder)
    answer = world.iam.get_account_authorization_details()
    answer.pop("ResponseMetadata")
    (folder / "live.json").write_text(json.dumps(answer, default=str))
    return {}


def a_trail(world, _folder):
    return world.trail()


TABLES: dict[str, Page] = {
    "docs/runbooks/README.md": Page(),
    "docs/runbooks/adopt-after-a-planned-change.md": Page(
        expected_by_nobody,
        {
            "call GET '/drift/findings?limit=1000'": Step(shows='"fingerprint"'),
            "jq -e 'length > 0'": Step(shows='"how": "adopted"'),
        },
    ),
    "docs/runbooks/alert-came.md": Page(drifted, {"aws cloudtrail lookup-events": Step(shows="AttachRolePolicy")}),
    "docs/runbooks/alert-not-confirmed.md": Page(
        steps={"call GET /service-users/NAME": Step(instead={"NAME": "ecr-push"})}
    ),
    "docs/runbooks/alerts-missing.md": Page(),
    "docs/runbooks/api-errors.md": Page(
        steps={
            "call GET /whoami": Step(shows="role/on-call"),
            "aws cloudformation describe-stack-events": Step(shows="CREATE_COMPLETE"),
        }
    ),
    "docs/runbooks/baseline-is-wrong.md": Page(
        version_in_force,
        {
            "call GET /drift/baseline": Step(shows='"reviewed"'),
            "aws s3api put-bucket-versioning": deployer(),
            "aws s3api get-object": Step(shows='"version"'),
            "aws s3api put-object": deployer(shows="VersionId"),
        },
    ),
    "docs/runbooks/change-the-secrets-key.md": Page(
        alone,
        {
            "NEW_KEY=": deployer(instead={"arn:aws:kms:…": "alias/aws/secretsmanager"}),
            "aws kms replicate-key": Step(not_run=A_CALL_BY_NAME),
            "secrets | while read -r name; do\n  aws secretsmanager remove": Step(not_run=NO_REPLICAS),
            "secrets | while read -r name; do\n  aws secretsmanager describe": deployer(
                shows="alias/aws/secretsmanager"
            ),
        },
    ),
    "docs/runbooks/consumer-broke.md": Page(
        with_a_key_in_quarantine,
        {
            "call POST /service-users/ecr-push/reactivation": Step(shows='"frozen": "the build server cannot push"'),
            "call GET": Step(shows="AKIA"),
            "aws logs tail": Step(shows='"Active"'),
        },
    ),
    "docs/runbooks/dead-letters.md": Page(
        in_dead_letters,
        {
            "QUEUE=$(output QueueDeadLettersUrl)": repair(shows="AccessKeyRotationDue"),
            "aws logs tail /aws/lambda/…": Step(instead={"/aws/lambda/…": '"/aws/lambda/$STACK-alerts"'}),
            "aws iam get-access-key-last-used": Step(before=steady, shows="AccessKeyLastUsed"),
            "ARN=": Step(not_run=NO_REDRIVE),
            "aws events list-targets-by-rule": Step(not_run="the local AWS decides on the bus, AWS on the rule"),
            "aws lambda invoke": deployer(),
            "aws sqs delete-message": repair(instead={"handle …": f"handle {RECEIPT}"}),
            "aws sqs purge-queue": repair(),
        },
    ),
    "docs/runbooks/drift-events-stopped.md": Page(
        drifted,
        {
            "aws cloudtrail get-event-selectors": Step(before=a_trail, shows="EventSelectors"),
            "aws cloudtrail get-trail-status": Step(before=a_trail),
            "aws events list-rules --region us-east-1": Step(shows="ENABLED"),
            "aws events list-rules --event-bus-name": Step(shows="IamChangeRule"),
            "aws logs tail": Step(shows="change checked"),
            "aws iam create-user": deployer(instead={"sleep 60": "sleep 6"}, shows='"state"'),
        },
    ),
    "docs/runbooks/drift-scan-failed.md": Page(),
    "docs/runbooks/drift-table-lost.md": Page(
        with_the_file,
        {
            "TABLE=$(resources": Step(shows='"version"'),
            "aws dynamodb restore-table-to-point-in-time": Step(not_run=NO_RESTORE),
            "aws dynamodb update-time-to-live": Step(not_run=NO_RESTORE),
        },
    ),
    "docs/runbooks/existing-repositories.md": Page(
        scanned,
        {
            "call GET '/repositories?limit=1'": Step(shows='"stale": false'),
            "call GET /whoami": Step(shows='"allowed"'),
            "call POST": Step(not_run=NO_OPERATORS_RULE),
        },
    ),
    "docs/runbooks/key-leaked.md": Page(
        quarantined_by_aws,
        {
            "aws secretsmanager get-secret-value": Step(not_run=NO_SSH),
            "call GET": Step(shows='"reason": "compromised"'),
            "aws iam update-access-key": repair(),
            "aws iam list-access-keys": Step(shows='"Inactive"'),
            "aws iam list-attached-user-policies": repair(shows="AWSCompromisedKeyQuarantineV3"),
            "for region in": Step(instead={"Regions[].RegionName": "Regions[:2].RegionName"}),
            "aws ecr describe-images": Step(instead={"name …": "name demo/hello"}, shows="imageDigest"),
        },
    ),
    "docs/runbooks/restore-the-table.md": Page(
        steps={
            "physical()": Step(not_run=NO_RESTORE),
            "aws events disable-rule": Step(not_run=NO_RESTORE),
            "TABLE=$(physical": Step(not_run=NO_RESTORE),
            "aws dynamodb create-table": deployer(instead={'"$TABLE"': "page-table"}, shows="page-table"),
            "item=$(aws": Step(not_run=NO_RESTORE),
            "aws dynamodb update-item": deployer(instead={'"$TABLE"': "page-table"}),
        }
    ),
    "docs/runbooks/rotation-failed.md": Page(
        steady,
        {
            "call GET": Step(shows='"state"'),
            "aws kms replicate-key": Step(not_run=A_CALL_BY_NAME),
            "call POST": Step(shows='"waits_for"'),
            "call DELETE": Step(not_run="the rotation that was requested above runs at once: none is pending"),
            "aws secretsmanager rotate-secret": Step(not_run=A_CALL_BY_NAME),
        },
    ),
    "docs/runbooks/secret-sync-failed.md": Page(steps={"SYNC=": Step()}),
    "docs/runbooks/secrets-not-proven.md": Page(
        scheduled_for_deletion,
        {
            "PROOF=": Step(),
            "aws kms describe-key": Step(not_run=NO_MULTI_REGION_KEYS),
            "aws secretsmanager restore-secret": repair(shows="ARN"),
            "aws lambda invoke": repair(shows="StatusCode"),
        },
    ),
    "docs/runbooks/too-many-alerts.md": Page(steps={"aws logs filter-log-events": Step(shows="PolicyDriftDetected")}),
    "docs/runbooks/two-stacks.md": Page(
        steady,
        {
            "aws secretsmanager describe-secret": Step(shows="ecr-steward"),
            "aws secretsmanager tag-resource": deployer(shows='"state"'),
        },
    ),
    "docs/runbooks/user-blocked.md": Page(
        blocked,
        {
            "call GET /service-users |": Step(shows="is active and was never in the secret"),
            "aws iam update-access-key --user-name ecr-push --access-key-id AKIA… --status Active": repair(),
            "aws iam untag-user": deployer(before=with_a_tag),
            "aws secretsmanager restore-secret": repair(before=scheduled_for_deletion),
            "aws iam get-access-key-last-used": Step(shows="AccessKeyLastUsed"),
            "aws iam update-access-key --user-name ecr-push --access-key-id AKIA… --status Inactive": repair(),
            "aws secretsmanager list-secret-version-ids": repair(before=two_versions, shows="FORMER"),
            "aws iam update-user": deployer(before=renamed),
            "aws secretsmanager delete-secret": deployer(before=steady, shows="DeletionDate"),
        },
    ),
    "README.md": Page(
        steps={
            "curl": Step(person=PIPELINE, shows='"created"'),
            "aws iam detach-role-policy": Step(not_run="printed by make start: tests/pages/test_headlines.py"),
            "AWS_PROFILE": Step(not_run=NO_DOCKER),
        }
    ),
    "docs/access-key-rotation.md": Page(
        not_enrolled,
        {
            "USER_NAME=": deployer(shows="steward/service-users/"),
            "aws iam update-user": deployer(),
            "aws iam tag-user": deployer(),
            "read -rs TOKEN": deployer(
                instead={"read -rs TOKEN": "TOKEN=a-token-of-the-tests"}, shows="sync-tokens/github"
            ),
            "call GET '/access-keys": Step(),
            "aws secretsmanager cancel-rotate-secret": Step(not_run=A_CALL_BY_NAME),
            "aws secretsmanager rotate-secret": Step(not_run=A_CALL_BY_NAME),
        },
    ),
    "docs/alerting.md": Page(
        steps={
            "aws secretsmanager create-secret": deployer(shows="ecr-steward-webhook"),
            "PYTHONPATH": Step(not_run=TAKES_PICTURES),
        }
    ),
    "docs/api.md": Page(
        of_the_api,
        {
            "STEWARD_API_URL=": Step(
                not_run="the output ApiUrl is an address of AWS; all others use its function `call`"
            ),
            "call PUT": Step(person=PIPELINE, shows='"rule"'),
            "docker compose config": Step(not_run=NO_DOCKER),
            "call POST '/repositories": Step(person=PIPELINE, shows='"status":201'),
            # A request that has begun is not withdrawn, and the block asks for both.
            "call GET /service-users": Step(
                instead={"# withdraw": "|| : # withdraw"}, shows='"frozen":"the build server cannot read the secret"'
            ),
            "QUERY=": Step(before=drifted, shows='"unmanaged:role:'),
            "SCAN=": Step(shows="DriftScanCompleted"),
        },
    ),
    "docs/baseline-bucket.md": Page(
        with_the_file,
        {
            "aws s3api put-bucket": deployer(before=the_bucket),
            "BUCKET=": deployer(shows="VersionId"),
            "SHA256=": Step(before=after_a_scan, shows='"uploaded"'),
        },
    ),
    "docs/consumers.md": Page(
        steps={"aws secretsmanager": Step(not_run=NO_SSH), "AWS_PROFILE": Step(not_run=NO_DOCKER)}
    ),
    "docs/deployment.md": Page(
        steady,
        {
            "aws cloudformation deploy": Step(not_run=DEPLOYS),
            "call GET /whoami": Step(person=PIPELINE, shows="role/team-a-ci"),
            "aws secretsmanager list-secrets": deployer(),
            "aws iam list-entities-for-policy": deployer(
                instead={"arn …": 'arn "$(output OperatorPolicyArn)"'}, shows="on-call"
            ),
            "aws iam list-access-keys": deployer(shows="AKIA"),
            "aws iam delete-access-key": deployer(instead={"id …": "id AKIA…"}),
            "aws cloudformation delete-stack": Step(not_run="would delete the stack of all pages"),
            "aws secretsmanager remove-regions": Step(not_run=NO_REPLICAS),
        },
    ),
    "docs/events.md": Page(),
    "docs/fleet.md": Page(
        scanned,
        {
            "call GET /repositories": Step(shows='"as_of"'),
            "call POST": Step(not_run=NO_OPERATORS_RULE),
        },
    ),
    "docs/local-aws.md": Page(
        steps={". .local/env": Step(instead={". .local/env": '. "$PROJECT/.local/env"'}, shows="Login Succeeded")}
    ),
    "docs/policy-drift.md": Page(
        drifted_with_the_file,
        {
            "call GET /drift/baseline": Step(shows='"reviewed"'),
            "call GET /drift/findings": Step(shows='"fingerprint"'),
            "jq '{findings": Step(not_run="a person decides about each; the other pages need the baseline as it is"),
            "ID=": Step(shows='"ACKNOWLEDGED"'),
            "PYTHONPATH": Step(before=two_accounts, instead=DOWNLOADED | {"markdown": "markdown || [ $? = 1 ]"}),
            "aws iam get-account-authorization-details": Step(not_run=A_CALL_BY_NAME),
        },
    ),
    "docs/policy-drift-report.md": Page(
        steps={
            "PYTHONPATH=functions:layers .venv": Step(instead=DOWNLOADED),
            "PYTHONPATH=functions:layers:.": Step(not_run=TAKES_PICTURES),
        }
    ),
    "docs/policy-gate.md": Page(
        steps={
            "aws iam get-account-authorization-details": Step(not_run=A_CALL_BY_NAME),
            "aws cloudformation get-template": Step(not_run=A_CALL_BY_NAME),
        }
    ),
    "docs/attacks.md": Page(steps={"curl": Step(not_run="what a forged alert says, not a command")}),
    "docs/threat-model.md": Page(steps={"aws iam": Step(not_run="names a service, not a command")}),
    "policies/README.md": Page(
        steps={"sed": Step(instead={"policies/guard.json >": f"{PROJECT}/policies/guard.json >"})}
    ),
}

PRINTED = {
    "docs/health.md": "what the checks print of broken stacks, which are doubles: tests/docs/test_health_page.py"
}
"""Pages whose commands are printed by a program -> the test that holds them to it."""
ELSEWHERE = {
    r"make ": "tests/pages/test_page_commands.py: its targets exist",
    r"steward |docker buildx": "tests/docs/test_cli_page.py, tests/docs/test_policy_gate_page.py",
    r"signed\(\) |BASE=|stewardEnsure ": "tests/integrations",
    r"(PYTHONPATH=layers )?python\S* -m iam_policy": "tests/docs/test_pages.py",
    r"python (-m )?(benchmarks|tests)": "measures for minutes",
    r"\S*python -m deployment\.acceptance": "tests/unit/deployment/test_acceptance.py",
    r"sam (build|deploy)$": "make runs it",
    r"git ": "changes the reader's clone",
    r"uv tool install|integrations/steward ": "tests/packaging/test_command_line.py, tests/integrations",
    r"sudo install": "tests/local/aws/test_consumer.py",
    r"(export|mkdir) \$?SETTINGS|\$EDITOR": DEPLOYS,
    r"aws ecr describe-repositories … |curl --aws-sigv4$|aws --version$": "what the benchmarks measure beside",
}
"""Commands that no page's stack runs, by their beginning -> the test that runs them, or why none does."""
