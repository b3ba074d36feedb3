"""Every statement of every policy of both templates against what AWS publishes of its actions.

The data is ``authorization.json``, written by ``scripts/refresh_authorization.py``.
"""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.reading import as_list, both_sides, of_type, statements

GLOBAL_EVENTS = Path(__file__).parents[2] / "global-events.yaml"
DATA = json.loads((Path(__file__).parent / "authorization.json").read_text())["actions"]
PLACE = "arn:aws:{service}:eu-central-1:111122223333:{rest}"
ARNS = {
    "AWS::DynamoDB::Table": PLACE.format(service="dynamodb", rest="table/x"),
    "AWS::Events::EventBus": PLACE.format(service="events", rest="event-bus/x"),
    "AWS::Logs::LogGroup": PLACE.format(service="logs", rest="log-group:x:*"),
    "AWS::Lambda::Function": PLACE.format(service="lambda", rest="function:x"),
    "AWS::S3::Bucket": "arn:aws:s3:::x",
    "AWS::SNS::Topic": PLACE.format(service="sns", rest="x"),
    "AWS::SQS::Queue": PLACE.format(service="sqs", rest="x"),
    "RepositoryKeyArns": PLACE.format(service="kms", rest="key/x"),
    "SyncKeyArns": PLACE.format(service="kms", rest="key/x"),
    "SyncParameterArns": PLACE.format(service="ssm", rest="parameter/x"),
    "SyncRoleArns": "arn:aws:iam::111122223333:role/x",
    "SyncSecretArns": PLACE.format(service="secretsmanager", rest="secret:x"),
    "SecretsKeyArn": PLACE.format(service="kms", rest="key/x"),
    "WebhookSecretArn": PLACE.format(service="secretsmanager", rest="secret:x"),
}
"""What a reference to a resource, by its type, or to a parameter becomes."""
GLOBAL_KEYS = {"aws:principalarn", "aws:securetransport", "aws:sourcearn", "aws:sourceaccount"}
"""Keys that every request has, if they apply, so that no action lists them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
NEEDED_ELSEWHERE = {
    "iam:PassRole": "is needed only where a role is passed",
}


def policies(resources):
    """Every policy of a principal: its name, its document."""
    for name, properties in of_type(resources, "AWS::IAM::ManagedPolicy").items():
        yield name, properties["PolicyDocument"]
    for name, properties in of_type(resources, "AWS::IAM::Role").items():
        for policy in properties.get("Policies", []):
            for sound in both_sides(policy):
                yield name, sound["PolicyDocument"]


RESOURCE_POLICIES = {
    "AWS::Events::EventBusPolicy": lambda properties: {"Statement": properties["Statement"]},
    "AWS::Logs::ResourcePolicy": lambda properties: json.loads(properties["PolicyDocument"]["Fn::Sub"]),
    "AWS::S3::BucketPolicy": lambda properties: properties["PolicyDocument"],
    "AWS::SNS::TopicPolicy": lambda properties: properties["PolicyDocument"],
    "AWS::SQS::QueuePolicy": lambda properties: properties["PolicyDocument"],
}
"""The kind of a resource policy -> its document."""


def resource_policies(resources):
    """Every policy of a resource: its name, its document."""
    for kind, document_of in RESOURCE_POLICIES.items():
        for name, properties in of_type(resources, kind).items():
            yield name, document_of(properties)


def arn_of(resource, resources):
    """A resource of a statement as an ARN, with "x" for every name that CloudFormation puts in."""
    if isinstance(resource, str) and resource.startswith("${"):  # of a document that is one text
        return arn_of({"Fn::Sub": resource}, resources)
    if isinstance(resource, str):
        return resource
    if "Fn::Sub" in resource:
        text = resource["Fn::Sub"] if isinstance(resource["Fn::Sub"], str) else resource["Fn::Sub"][0]
        text = text.replace("${AWS::Partition}", "aws").replace("${ServicePath}", "/x/").replace("${Key}", "key/x")
        return re.sub(r"\$\{(\w+)\.Arn\}", lambda match: ARNS[resources[match[1]]["Type"]], text.replace("${!", "${"))
    target = resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Ref"]
    return ARNS[target if target in ARNS else resources[target]["Type"]]


def expanded_action(action):
    """The published actions that an action of a statement means; itself where none is published."""
    return [name for name in DATA if fnmatchcase(name, action)] or [action]


def cases(resources, found_policies=policies):
    for name, document in found_policies(resources):
        for statement in statements(document):
            # What is left out is of the same kind as what is meant.
            meant = as_list(statement.get("Resource") or statement["NotResource"])
            found = [arn_of(side, resources) for each in meant for side in both_sides(each)]
            for action in as_list(statement["Action"]):
                for each in expanded_action(action):
                    yield name, each, found, statement


@pytest.fixture(scope="module")
def templates(resources):
    """The resources of the stack, and those of the small one in us-east-1."""
    return [resources, yaml_parse(GLOBAL_EVENTS.read_text())["Resources"]]


@pytest.fixture(scope="module", params=[policies, resource_policies], ids=["of principals", "of resources"])
def all_cases(request, templates):
    return [case for resources in templates for case in cases(resources, request.param)]


PLACES = {"${Partition}": "aws", "${Region}": "eu-central-1", "${Account}": "111122223333"}


def matches(arn, published):
    """Whether an ARN with its wildcards is one of a published resource type, or covers one."""
    example = re.sub(r"\$\{[^}]*\}", lambda found: PLACES.get(found[0], "x"), published)
    pattern = re.sub(r"\$\{[^}]*\}", "*", published)
    return fnmatchcase(re.sub(r"\$\{[^}]*\}", "x", arn), pattern) or (arn != "*" and fnmatchcase(example, arn))


def test_every_action_exists(all_cases):
    assert len({action for _, action, _, _ in all_cases}) > 40
    assert {action for _, action, _, _ in all_cases} - DATA.keys() == set()


def test_every_action_stands_on_a_resource_of_its_types(all_cases):
    wrong = []
    for policy, action, arns, _ in all_cases:
        types = DATA[action]["resource_types"]
        if not types:
            wrong += [(policy, action, "has no resource type")] if arns != ["*"] else []
        elif not any(matches(arn, kind["arn"]) for arn in arns for kind in types.values()):
            wrong.append((policy, action, arns))

    assert wrong == []


def test_no_resource_of_a_statement_is_useless(all_cases):
    wrong = []
    by_statement = {}
    for policy, action, arns, statement in all_cases:
        by_statement.setdefault(id(statement), (policy, arns, []))[2].append(action)
    for policy, arns, actions in by_statement.values():
        kinds = [kind["arn"] for action in actions for kind in DATA[action]["resource_types"].values()]
        wrong += [(policy, arn) for arn in arns if arn != "*" and not any(matches(arn, kind) for kind in kinds)]

    assert wrong == []


def test_every_condition_key_has_a_value_for_every_action_of_its_statement(all_cases):
    wrong = []
    for policy, action, _, statement in all_cases:
        published = {*DATA[action]["condition_keys"]}
        for kind in DATA[action]["resource_types"].values():
            published |= {*kind["condition_keys"]}
        known = GLOBAL_KEYS | {re.sub(r"\$\{[^}]*\}|tag-key$", "*", key.lower()) for key in published}
        for keys in statement.get("Condition", {}).values():
            wrong += [
                (policy, action, key) for key in keys if not any(fnmatchcase(key.lower(), each) for each in known)
            ]

    assert wrong == []


def test_every_role_has_what_its_actions_depend_on(templates):
    by_policy = {}
    for resources in templates:
        for policy, action, _, _ in cases(resources):
            by_policy.setdefault(policy, set()).add(action)
    wrong = []
    for policy, actions in by_policy.items():
        for action in actions:
            needed = {*DATA[action]["dependent_actions"]}
            for kind in DATA[action]["resource_types"].values():
                needed |= {*kind["dependent_actions"]} if kind["required"] else set()
            wrong += [(policy, action, each) for each in needed - actions - NEEDED_ELSEWHERE.keys()]

    assert wrong == []


def test_every_kind_of_resource_policy_is_read(templates):
    every = [resource["Type"] for resources in templates for resource in resources.values()]
    kinds = {kind for kind in every if re.search(r"(?<!Managed)Policy$", kind)}

    assert kinds == RESOURCE_POLICIES.keys()


def test_a_function_is_invoked_by_a_named_service_and_source(resources):
    """A permission is a statement of the function's policy; its source keeps other resources of that service out."""
    permissions = of_type(resources, "AWS::Lambda::Permission")

    assert permissions
    assert {permission["Action"] for permission in permissions.values()} <= DATA.keys()
    assert [name for name, one in permissions.items() if not {"SourceArn", "SourceAccount"} & one.keys()] == []
