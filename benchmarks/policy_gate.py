"""How the gate answers on the corpus of public templates and plans: right, opaque, refused, wrong, and how fast.

    python -m benchmarks.policy_gate

Each template is compared with itself (nothing may be found), each SAM template with what AWS's own translator made of
it (the same access), and each with five changes that add access (found, with a request that proves it). A change is
made to the source, before anything is expanded, as an author would. What cannot be judged is refused with a reason.
"""

import copy
import gzip
import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import Text, checked
from ecr_steward.gate.templates import parsed, read_template
from iam_policy import Verdict

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "templates.jsonl.gz"
STRANGER = "arn:aws:iam::210987654321:root"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

Change = Callable[[Any], bool]
"""Changes a template in place; False where there is nothing to change so."""


def rows() -> list[dict[str, Any]]:
    """The corpus."""
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _properties(body: Any, *kinds: str) -> Iterator[dict[str, Any]]:
    for resource in (body.get("Resources") or {}).values():
        if isinstance(resource, dict) and resource.get("Type") in kinds:
            yield resource.setdefault("Properties", {})


def _statements(body: Any) -> Iterator[dict[str, Any]]:
    """The Allow statements of identity policies, in IAM's resources and in functions of SAM."""
    for properties in _properties(
        body,
        *("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"),
        *("AWS::IAM::RolePolicy", "AWS::Serverless::Function", "AWS::Serverless::StateMachine"),
    ):
        inline = properties.get("Policies")
        listed = inline if isinstance(inline, list) else [inline]
        documents = [one.get("PolicyDocument", one) for one in listed if isinstance(one, dict)]
        for document in (*documents, properties.get("PolicyDocument")):
            said = document.get("Statement") if isinstance(document, dict) else None
            for statement in said if isinstance(said, list) else [said]:
                if isinstance(statement, dict) and statement.get("Effect") == "Allow":
                    yield statement


def _is_wide(body: Any, action: Any = None) -> bool:
    """Whether something allows or denies everything, or the action on everything: then to widen may change nothing."""
    written = json.dumps(body)
    if any(name in written for name in ("AdministratorAccess", "PowerUserAccess", "SecurityAudit")):
        return True
    return any(
        '"*"' in json.dumps(one.get("Resource"))
        and ('"*"' in json.dumps(one.get("Action")) or one.get("Action") == action)
        for one in _objects(body)
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(member)


def any_action(body: Any) -> bool:
    """The first narrow statement allows every action."""
    for statement in _statements(body):
        if statement.get("Action", "*") not in ("*", ["*"]) and not _is_wide(body):
            statement["Action"] = "*"
            return True
    return False


def any_resource(body: Any) -> bool:
    """The first statement about some resources is about all."""
    for statement in _statements(body):
        narrow = isinstance(statement.get("Resource"), str | list) and "*" not in json.dumps(statement["Resource"])
        if narrow and not _is_wide(body, statement.get("Action")):
            statement["Resource"] = "*"
            return True
    return False


def without_condition(body: Any) -> bool:
    """The first statement with a condition has none."""
    return not _is_wide(body) and any(statement.pop("Condition", None) for statement in _statements(body))


def another_principal(body: Any) -> bool:
    """A role trusts an account that it did not."""
    for properties in _properties(body, "AWS::IAM::Role"):
        trust = properties.get("AssumeRolePolicyDocument")
        said = trust.get("Statement") if isinstance(trust, dict) else None
        if isinstance(said, list) and '"*"' not in json.dumps(said):
            said.append({"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "sts:AssumeRole"})
            return True
    return False


def an_administrator(body: Any) -> bool:
    """A role has AWS's policy for administrators."""
    for properties in _properties(body, "AWS::IAM::Role"):
        if _is_wide(body):
            return False
        attached = properties.setdefault("ManagedPolicyArns", [])
        if isinstance(attached, list) and ADMINISTRATOR not in attached:
            attached.append(ADMINISTRATOR)
            return True
    return False


def another_statement(body: Any) -> bool:
    """A policy allows one action more."""
    for properties in _properties(body, "AWS::IAM::Role", "AWS::Serverless::Function"):
        policies = properties.setdefault("Policies", [])
        if isinstance(policies, str | dict):
            policies = properties["Policies"] = [policies]
        if not isinstance(policies, list) or properties.get("Role") or _is_wide(body):
            continue
        added = {"Version": "2012-10-17", "Statement": [_ONE_MORE]}
        is_role = "AssumeRolePolicyDocument" in properties and "Handler" not in properties
        policies.append({"PolicyName": "added", "PolicyDocument": added} if is_role else added)
        return True
    return False


_ONE_MORE = {"Effect": "Allow", "Action": "glacier:PurchaseProvisionedCapacity", "Resource": "*"}


def another_user(body: Any) -> bool:
    """There is a user more, who may read every secret."""
    if not isinstance(body.get("Resources"), dict):
        return False
    document = {"Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}
    policies = [{"PolicyName": "added", "PolicyDocument": document}]
    body["Resources"]["AddedUser"] = {"Type": "AWS::IAM::User", "Properties": {"Policies": policies}}
    return True


CHANGES: tuple[Change, ...] = (
    *(any_action, any_resource, without_condition, another_principal, an_administrator),
    *(another_statement, another_user),
)
MOST_CHANGES = 5


def changed(text: str) -> Iterator[tuple[str, str]]:
    """At most five changes that fit a template: their names, and the text that they make."""
    body = parsed(text, "corpus")
    made = 0
    for change in CHANGES:
        now = copy.deepcopy(body)
        if made < MOST_CHANGES and isinstance(now, dict) and change(now):
            made += 1
            yield change.__name__, json.dumps(now)


def outcome(before: str, after: str) -> tuple[str, tuple[Any, ...]]:
    """What the gate says: clean, found, found without a witness, opaque, or refused."""
    try:
        found = [one for one in checked(Text("base", before), Text("head", after)).findings if one.adds]
    except UnusableInputError:
        return "refused", ()
    if not found:
        return "clean", ()
    if any(one.added and one.verdict is not Verdict.UNKNOWN for one in found):
        return "found", tuple(found)
    return "opaque", tuple(found)


def others(before: str, after: str) -> tuple[bool, bool]:
    """What two other ways would say: the rule of ``cdk diff --security-only``, and a structural diff.

    The rule is "an Allow or an attached policy was added, or a Deny removed", on the text of each statement
    (https://docs.aws.amazon.com/cdk/v2/guide/cli.html). The diff is "something about access is written otherwise".
    """
    one, other = _written(before), _written(after)
    broadened = any('"Effect": "Deny"' not in text for text in other - one) or any(
        '"Effect": "Deny"' in text for text in one - other
    )
    return broadened, one != other


def _written(text: str) -> set[str]:
    """Every statement and attached policy of a template after SAM's transform, as text."""
    body = parsed(text, "corpus")
    template = read_template(body, text, "corpus")
    found = set()
    for name, resource in template.resources.items():
        for one in _objects(resource):
            if "Effect" in one:
                found.add(f"{name} {json.dumps(one, sort_keys=True, default=str)}")
        attached = (resource.get("Properties") or {}) if isinstance(resource, dict) else {}
        arns = attached.get("ManagedPolicyArns") if isinstance(attached, dict) else None
        found |= {f"{name} {json.dumps(arn, default=str)}" for arn in arns or () if isinstance(arns, list)}
    return found


def main() -> int:
    """Print the table."""
    told: Counter[str] = Counter()
    wrong: list[str] = []
    seconds: list[float] = []
    for row in rows():
        started = perf_counter()
        answer, _ = outcome(row["text"], row["text"])
        seconds.append(perf_counter() - started)
        told[f"itself: {answer}"] += 1
        wrong += [f"{row['source']}: differs from itself"] if answer in {"found", "opaque"} else []
        if answer == "refused":
            continue
        if "output" in row:
            output = row["output"] if isinstance(row["output"], str) else json.dumps(row["output"])
            for one, other in ((row["text"], output), (output, row["text"])):
                answer, _ = outcome(one, other)
                told[f"translator: {answer}"] += 1
                wrong += [f"{row['source']}: differs from its output"] if answer == "found" else []
                rule, structure = others(one, other)
                told["translator: broadened by cdk's rule"] += rule
                told["translator: another structure"] += structure
        if row["kind"] == "tfplan":
            continue
        for name, text in changed(row["text"]):
            started = perf_counter()
            answer, _ = outcome(row["text"], text)
            seconds.append(perf_counter() - started)
            told[f"changed: {answer}"] += 1
            rule, structure = others(row["text"], text)
            told["changed: broadened by cdk's rule"] += rule
            told["changed: another structure"] += structure
            told[f"{name}: {answer}"] += 1
            wrong += [f"{row['source']}: {name} was not found"] if answer == "clean" else []
    for what, count in sorted(told.items()):
        print(f"{what:40} {count:6}")
    print(f"{'wrong':40} {len(wrong):6}")
    print("\n".join(wrong))
    print(f"time: median {statistics.median(seconds):.3f} s, slowest {max(seconds):.2f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
