"""docs/threat-model.md names every channel, function, table and secret of the template, and what closes each."""

import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.reading import as_list, statements

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "threat-model.md").read_text()
TEMPLATE = yaml_parse((PROJECT / "template.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
CHANNELS = {"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket", "AWS::Events::EventBus"}
GUARDED = {"AWS::Serverless::Function", "AWS::DynamoDB::Table"}
ROWS = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (`.+`) \| .+ \| `(\w+)` \|$", PAGE, re.MULTILINE)
ATTACKS = (PROJECT / "docs" / "attacks.md").read_text()
OF_TODAY = {path.stem for path in (PROJECT / "tests" / "attacks").glob("test_*.py")}
BY_GUARD = re.findall(r"^\| `(\w+)` \| .+ \| guard \|$", PAGE, re.MULTILINE)


def of(kinds):
    return sorted(name for name, resource in RESOURCES.items() if resource["Type"] in kinds)


def test_every_queue_topic_bucket_and_bus_has_its_row():
    assert sorted(row[0] for row in ROWS) == of(CHANNELS)


def test_every_log_of_events_has_its_row():
    of_functions = re.compile(r"^/aws/(lambda|apigateway)/")
    logs = [
        name
        for name in of({"AWS::Logs::LogGroup"})
        if not of_functions.search(str(RESOURCES[name]["Properties"]["LogGroupName"].get("Fn::Sub", "")))
    ]

    assert logs == sorted(re.findall(r"^\| `(\w+Log)` \|", PAGE, re.MULTILINE))


def test_every_function_and_table_has_its_row():
    assert sorted(BY_GUARD) == of(GUARDED)


@pytest.mark.parametrize(("channel", "policy", "denied", "attacks"), ROWS)
def test_a_row_names_the_policy_of_its_channel_and_what_it_denies(channel, policy, denied, attacks):
    properties = RESOURCES[policy]["Properties"]
    document = properties.get("PolicyDocument") or {"Statement": properties["Statement"]}
    of_policy = [s.get("Sid", properties.get("StatementId")) for s in statements(document) if s["Effect"] == "Deny"]
    member = next(properties[name] for name in ("Queues", "Topics", "Bucket", "EventBusName") if name in properties)

    assert {"Ref": channel} in as_list(member)
    assert re.findall(r"`(\w+)`", denied) == of_policy
    assert (PROJECT / "tests" / "attacks" / f"{attacks}.py").exists()


def test_every_attack_names_the_module_that_makes_it_today():
    rows = [line for line in ATTACKS.splitlines() if line.startswith("| ") and not line.startswith("| attack")]
    named = [re.fullmatch(r"\| .+ \| `(\w+)` \|", row) for row in rows]

    assert len(rows) > 30
    assert {found and found[1] for found in named} <= OF_TODAY
    assert set(re.findall(r"`(test_\w+)`", ATTACKS + PAGE)) >= OF_TODAY


def test_every_secret_of_the_template_has_its_row():
    text = (PROJECT / "template.yaml").read_text()
    parameters = {parameter for parameter in TEMPLATE["Parameters"] if "SecretArn" in parameter}
    named = set(re.findall(r":secret:(steward/[a-z-]+)/", text)) | parameters
    rows = set(re.findall(r"^\| `([\w/*-]+)` \| .+ \| .+ \|$", PAGE.partition("## Secrets")[2], re.MULTILINE))

    assert {row.removesuffix("/*") for row in rows} == named


def test_the_guard_covers_every_kind_of_resource_that_it_is_said_to_close():
    guard = (PROJECT / "policies" / "guard.json").read_text()

    for service in ("lambda", "dynamodb", "sqs", "sns", "s3", "events", "secretsmanager", "logs", "cloudwatch"):
        assert f"arn:aws:{service}:" in guard, service
