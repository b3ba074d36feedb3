"""Least privilege, read off the template: one function, one role, listed actions on named resources."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from iam_policy import Decision, Request, evaluate
from tests.local.proven_actions import ROLES, Shared
from tests.template.reading import (
    AWS_MANAGED_ACTIONS,
    as_list,
    aws_managed_of_role,
    both_sides,
    of_type,
    statements,
    statements_of_role,
)

OWN_SECRET = (
    "arn:${AWS::Partition}:secretsmanager:*:${AWS::AccountId}:secret:steward/service-users/${!aws:username}-??????"
)
SERVICE_USERS = "arn:${AWS::Partition}:iam::${AWS::AccountId}:user${ServicePath}*"

WITHOUT_RESOURCE_TYPE = {
    "cloudtrail:LookupEvents": "the action has no resource type",
    "iam:GenerateCredentialReport": "the action has no resource type",
    "iam:GetAccountAuthorizationDetails": "the action has no resource type",
    "iam:GetCredentialReport": "the action has no resource type",
    "iam:GetAccountSummary": "the action has no resource type",
    "iam:GetOutboundWebIdentityFederationInfo": "the action has no resource type",
    "iam:ListOpenIDConnectProviders": "the action has no resource type",
    "iam:ListOrganizationsFeatures": "the action has no resource type",
    "iam:ListSAMLProviders": "the action has no resource type",
    "ecr:GetRegistryScanningConfiguration": "the action has no resource type",
    "cloudtrail:DescribeTrails": "the action has no resource type",
    "cloudwatch:GetMetricStatistics": "the action has no resource type",
    "ecr:DescribeRegistry": "the action has no resource type",
    "ecr:GetSigningConfiguration": "the action has no resource type",
    "ecr:DescribePullThroughCacheRules": "the action has no resource type",
    "ecr:DescribeRepositoryCreationTemplates": "the action has no resource type",
    "events:ListRuleNamesByTarget": "the action has no resource type",
}
"""Actions that may stand on "*", each with the reason why AWS allows nothing narrower."""


def test_every_function_has_a_role_of_its_own(resources):
    roles = [function["Role"]["Fn::GetAtt"][0] for function in of_type(resources, "AWS::Lambda::Function").values()]

    assert sorted(roles) == sorted(set(roles))


def test_the_table_of_proven_actions_lists_every_role(resources):
    roles = {function["Role"]["Fn::GetAtt"][0] for function in of_type(resources, "AWS::Lambda::Function").values()}

    assert roles == ROLES.keys()


def test_a_role_may_do_what_is_proven_to_be_needed_and_no_more(resources):
    for role, proven in ROLES.items():
        granted = {action for s in statements_of_role(resources, role) for action in as_list(s["Action"])}
        granted |= {action for name in aws_managed_of_role(resources, role) for action in AWS_MANAGED_ACTIONS[name]}

        assert granted == {entry.action for entry in proven}, role


def test_what_a_role_shares_is_proven_for_a_role_with_the_same_policies(resources):
    def customers(role):
        return {json.dumps(arn) for arn in resources[role]["Properties"].get("ManagedPolicyArns", []) if "Ref" in arn}

    for role, proven in ROLES.items():
        for entry in proven:
            if isinstance(entry, Shared):
                there = {one.action for one in ROLES[entry.role] if not isinstance(one, Shared)}

                assert entry.action in there
                assert customers(role) & customers(entry.role), role


def test_no_action_has_a_wildcard(resources):
    for role in ROLES:
        actions = [action for s in statements_of_role(resources, role) for action in as_list(s["Action"])]

        assert [action for action in actions if "*" in action] == []


def test_only_actions_without_a_resource_type_stand_on_everything(resources):
    for role in ROLES:
        unscoped = [s for s in statements_of_role(resources, role) if "*" in as_list(s["Resource"])]

        assert {action for s in unscoped for action in as_list(s["Action"])} <= WITHOUT_RESOURCE_TYPE.keys()


def test_every_wildcard_resource_of_the_template_has_a_comment_that_says_why(request):
    text = (request.config.rootpath / "template.yaml").read_text().splitlines()
    wildcards = [number for number, line in enumerate(text) if line.strip() in {'Resource: "*"', "Resource: '*'"}]

    unexplained = [n + 1 for n in wildcards if not any('# "*"' in line for line in text[max(0, n - 6) : n])]

    assert unexplained == []


def test_only_repositories_with_the_tag_of_the_stack_are_changed(resources):
    changing = ("ecr:Put", "ecr:Set", "ecr:Tag", "ecr:Untag", "ecr:Create", "ecr:Delete")
    for role in ROLES:
        for statement in statements_of_role(resources, role):
            if any(action.startswith(changing) for action in as_list(statement["Action"])):
                assert "steward:stack" in json.dumps(statement["Condition"])


def test_no_image_and_no_repository_is_ever_deleted(resources):
    for role in ROLES:
        actions = [action for s in statements_of_role(resources, role) for action in as_list(s["Action"])]

        assert [action for action in actions if action in {"ecr:DeleteRepository", "ecr:BatchDeleteImage"}] == []


def test_functions_speak_only_under_the_name_of_their_capability(resources):
    for role in ROLES:
        for statement in statements_of_role(resources, role):
            if "events:PutEvents" in as_list(statement["Action"]):
                assert statement["Condition"]["StringEquals"]["events:source"].startswith("steward.")


def test_the_bus_lets_only_our_functions_publish_as_steward(resources):
    policy = resources["BusPolicy"]["Properties"]["Statement"]
    speakers = {role for role in ROLES if "events:PutEvents" in {entry.action for entry in ROLES[role]}}

    assert policy["Effect"] == "Deny"
    assert policy["Condition"]["ForAnyValue:StringLike"] == {"events:source": "steward.*"}
    exempt = {arn["Fn::GetAtt"][0] for arn in policy["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]}
    assert exempt == speakers


def test_writers_cannot_create_repositories(resources):
    group = resources["WriteGroup"]["Properties"]
    invoke_only = resources["PipelinePolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert [s["Action"] for s in invoke_only] == ["execute-api:Invoke"]
    assert "AmazonEC2ContainerRegistryPowerUser" in json.dumps(group["ManagedPolicyArns"])
    assert "FullAccess" not in json.dumps(group["ManagedPolicyArns"])


def test_a_service_user_reads_no_secret_but_its_own(resources):
    own = resources["OwnSecretPolicy"]
    secret = {"Fn::Sub": OWN_SECRET}
    on_the_service_path = {"aws:PrincipalArn": {"Fn::Sub": SERVICE_USERS}}
    read, decrypt = statements(own["Properties"]["PolicyDocument"])

    assert own["Condition"] == "WithOwnSecretAccess"
    assert groups_with(resources, "OwnSecretPolicy") == {"ReadGroup", "WriteGroup"}
    assert read == {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": secret,
        "Condition": {"ArnLike": on_the_service_path},
    }
    assert decrypt["Action"] == "kms:Decrypt"
    assert "SecretsKeyArn" in json.dumps(decrypt["Resource"])
    assert decrypt["Condition"] == {
        "ArnLike": on_the_service_path,
        "StringLike": {
            "kms:ViaService": "secretsmanager.*.amazonaws.com",
            "kms:EncryptionContext:SecretARN": secret,
        },
    }


def groups_with(resources, policy):
    return {
        name
        for name, group in of_type(resources, "AWS::IAM::Group").items()
        if {"Ref": policy} in [side for arn in group["ManagedPolicyArns"] for side in both_sides(arn)]
    }


def test_service_users_read_their_own_secrets_only_if_that_is_asked_for(source):
    conditions = source["Conditions"]

    assert source["Parameters"]["OwnSecretAccess"]["Default"] == "false"
    assert {"Fn::Equals": [{"Ref": "OwnSecretAccess"}, "true"]} in conditions["WithOwnSecretAccess"]["Fn::And"]


@pytest.mark.parametrize(
    ("user", "secret", "allowed"),
    [
        ("service/ci", "ci-AbCdEf", True),
        ("service/ci", "ci-deploy-AbCdEf", False),
        ("service/ci-deploy", "ci-AbCdEf", False),
        ("service/ci", "ci2-AbCdEf", False),
        ("people/ci", "ci-AbCdEf", False),
        ("ci", "ci-AbCdEf", False),
    ],
)
def test_a_member_of_a_group_reads_what_the_policy_is_for(resources, user, secret, allowed):
    """By the semantics of the policy comparison; the local AWS has no policy variables in resources."""
    read, _ = statements(resources["OwnSecretPolicy"]["Properties"]["PolicyDocument"])
    deployed = json.dumps({"Version": "2012-10-17", "Statement": substituted(read)})
    secrets = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:steward/service-users/"
    caller = {"aws:username": user.rpartition("/")[2], "aws:PrincipalArn": f"arn:aws:iam::123456789012:user/{user}"}

    decision = evaluate(deployed, Request("secretsmanager:GetSecretValue", secrets + secret, caller))

    assert (decision is Decision.ALLOWED) is allowed


def substituted(value):
    """A statement as CloudFormation deploys it."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        parameters = {"AWS::Partition": "aws", "AWS::AccountId": "123456789012", "ServicePath": "/service/"}
        filled = re.sub(r"\$\{([^!}]+)\}", lambda found: parameters[found[1]], value["Fn::Sub"])
        return filled.replace("${!", "${")
    if isinstance(value, dict):
        return {key: substituted(part) for key, part in value.items()}
    return value


def test_the_policies_of_callers_cover_their_routes_and_no_others(resources):
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()
    paths = api["Body"]["paths"]
    routes = {f"{method.upper()}{path}" for path, item in paths.items() for method in item}
    routes = {route.replace("POST/repositories/{name+}", "POST/repositories/{name}/adoption") for route in routes}
    operated = {
        route
        for route in routes
        if re.search(
            r"/service-users|/access-keys$|/drift/|/health$|/openapi/|/fleet/|/adoption$|^GET/repositories$", route
        )
    }

    assert allowed_routes(resources, "OperatorPolicy", routes) == operated | {"GET/whoami"}
    assert allowed_routes(resources, "PipelinePolicy", routes) == routes - operated


def test_an_operator_may_put_a_test_alert_on_the_bus_and_no_other_event(resources):
    _routes, events = statements(resources["OperatorPolicy"]["Properties"]["PolicyDocument"])

    assert (events["Action"], events["Resource"]) == ("events:PutEvents", {"Fn::GetAtt": ["Bus", "Arn"]})
    assert events["Condition"] == {
        "StringEquals": {"events:source": "steward-test", "events:detail-type": "TestAlertRequested"}
    }


def test_an_operator_may_not_ask_for_a_repository_of_a_misleading_name(resources):
    misleading = {
        "PUT/repositories/service-users",
        "PUT/repositories/x/adoption",
        "POST/repositories",
        "POST/repositories/drift/x",
        "GET/repositories/drift/findings",
        "GET/repositories/fleet/scans",
    }

    assert allowed_routes(resources, "OperatorPolicy", misleading) == set()


def allowed_routes(resources, policy, routes):
    """Those of the routes (METHOD/path) that a policy lets call; * spans slashes, as in IAM."""
    statement, *_others = statements(resources[policy]["Properties"]["PolicyDocument"])
    arns = [resource["Fn::Sub"] for value in statement["Resource"] for resource in both_sides(value)]
    patterns = [arn.partition("${Api}/v1/")[2].replace("${WriterRepositories}", "*") for arn in arns]
    assert statement["Action"] == "execute-api:Invoke"
    return {route for route in routes if any(fnmatchcase(route, pattern) for pattern in patterns)}


def test_only_users_on_the_service_path_get_their_keys_changed_and_without_the_tag_only_deactivated(resources):
    """IAM has no condition for the status that a key gets; what decides is the worker's rule."""
    changing = {"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey"}
    for role in ROLES:
        for statement in statements_of_role(resources, role):
            if changing & set(as_list(statement["Action"])):
                is_of_worker = statement["Sid"] == "DeactivateServiceUserKeys"
                is_tagged = {"StringEquals": {"iam:ResourceTag/steward:rotate": "true"}}
                assert statement.get("Condition") == (None if is_of_worker else is_tagged)
                assert not is_of_worker or statement["Action"] == "iam:UpdateAccessKey"
                assert "user${ServicePath}*" in json.dumps(statement["Resource"])


def test_alerts_read_the_secret_of_the_webhook_and_no_other(resources):
    secrets = [s for s in statements_of_role(resources, "AlertsRole") if "secretsmanager" in json.dumps(s["Action"])]

    assert [(s["Action"], s["Resource"]) for s in secrets] == [
        ("secretsmanager:GetSecretValue", {"Ref": "WebhookSecretArn"})
    ]


def test_only_secrets_of_service_users_are_touched(resources):
    for role in ROLES.keys() - {"AlertsRole"}:
        for statement in statements_of_role(resources, role):
            if any(action.startswith("secretsmanager:") for action in as_list(statement["Action"])):
                named = json.dumps(statement["Resource"])
                of_sync = "secret:steward/sync-tokens/*" in named or named == '{"Ref": "SyncSecretArns"}'
                assert "secret:steward/service-users/*" in named or (role == "SecretSyncRole" and of_sync)


def test_secret_sync_reads_tokens_that_no_other_role_reads_and_writes_what_operators_name(resources):
    readers = {role for role in ROLES if "sync-tokens" in json.dumps([*statements_of_role(resources, role)])}
    writing = [
        s for s in statements_of_role(resources, "SecretSyncRole") if "Put" in json.dumps([*as_list(s["Action"]), ""])
    ]

    assert readers == {"SecretSyncRole"}
    assert {json.dumps(s["Resource"]) for s in writing if "events:PutEvents" not in as_list(s["Action"])} == {
        '{"Ref": "SyncParameterArns"}',
        '{"Ref": "SyncSecretArns"}',
    }
    assert not {"iam:CreateAccessKey", "iam:UpdateAccessKey"} & {entry.action for entry in ROLES["SecretSyncRole"]}


def test_a_secrets_own_key_is_used_through_secrets_manager_alone(resources):
    for role in ROLES:
        for statement in statements_of_role(resources, role):
            if statement.get("Sid") == "UseSecretsKey":
                assert statement["Condition"] == {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}
                assert "SecretsKeyArn" in json.dumps(statement["Resource"])


def test_secrets_are_registered_with_our_function_and_no_other(resources):
    (function,) = (f for f in of_type(resources, "AWS::Lambda::Function").values() if "FunctionName" in f)
    registering = {
        role: statement
        for role in ROLES
        for statement in statements_of_role(resources, role)
        if "secretsmanager:RotateSecret" in as_list(statement["Action"])
    }

    assert registering.keys() == {"RotationWorkerRole"}
    (named,) = registering["RotationWorkerRole"]["Condition"]["ArnEquals"].values()
    assert named["Fn::Sub"].endswith(":function:" + function["FunctionName"]["Fn::Sub"])
    assert function["Handler"] == "access_key_rotation.rotate_secret_handler.lambda_handler"


def test_no_function_takes_a_replica_or_a_secret_away(resources):
    taking = {"secretsmanager:DeleteSecret", "secretsmanager:RemoveRegionsFromReplication"}
    granted = {action for role in ROLES for s in statements_of_role(resources, role) for action in as_list(s["Action"])}

    assert not taking & granted
