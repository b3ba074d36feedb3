"""What must hold of the wiring, whichever capability is added: nothing is lost, nothing is open."""

import json
import re
from pathlib import Path

import pytest

from access_key_rotation.domain.settings import LONGEST_PROOF
from health.domain.rules import KEYS, TABLES
from tests.local.proven_actions import ROLES
from tests.template.reading import of_type, statements_of_role

PROJECT = Path(__file__).parents[2]


def test_every_rule_has_a_retry_policy_and_dead_letters(resources):
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert target.keys() >= {"RetryPolicy", "DeadLetterConfig"}, name


def test_every_function_that_a_rule_invokes_keeps_what_it_could_not_handle(resources):
    targets = [t["Arn"] for rule in of_type(resources, "AWS::Events::Rule").values() for t in rule["Targets"]]
    invoked = {t["Fn::GetAtt"][0] for t in targets if isinstance(t, dict) and "Fn::GetAtt" in t}
    functions = invoked & of_type(resources, "AWS::Lambda::Function").keys()
    kept = {
        config["FunctionName"]["Ref"]: config["DestinationConfig"]["OnFailure"]["Destination"]
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }

    assert functions
    assert functions <= kept.keys()


def test_a_function_that_proves_a_new_key_has_a_minute_more_than_the_longest_proof(resources):
    timeouts = {
        of_type(resources, "AWS::Lambda::Function")[name]["Timeout"] for name in ("RotationWorker", "SecretRotation")
    }

    assert min(timeouts) >= LONGEST_PROOF + 60


def test_tables_with_a_memory_that_nothing_else_keeps_outlive_the_stack(resources):
    for name in ("RotationState", "DriftState"):
        table = resources[name]

        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name


def test_the_checks_of_health_know_every_table_its_keys_and_whether_it_is_recoverable(resources):
    tables = of_type(resources, "AWS::DynamoDB::Table")
    recoverable = {name: "PointInTimeRecoverySpecification" in table for name, table in tables.items()}
    keys = {name: tuple(key["AttributeName"] for key in table["KeySchema"]) for name, table in tables.items()}
    expire = {name for name, table in tables.items() if "TimeToLiveSpecification" in table}

    assert recoverable == TABLES
    assert keys == {name: KEYS.get(name, ("id",)) for name in TABLES}
    assert {name for name, kept in TABLES.items() if not kept} <= expire


def test_a_failed_first_deployment_leaves_nothing_behind(resources):
    policies = {name: resource.get("DeletionPolicy", "Delete") for name, resource in resources.items()}
    kept = {name: policy for name, policy in policies.items() if policy != "Delete"}

    assert kept.keys() == {"RotationState", "DriftState", "BaselineBucket", "ReportsBucket"}
    assert set(kept.values()) == {"RetainExceptOnCreate"}


def test_every_queue_of_dead_letters_has_an_alarm_and_an_output(resources, source):
    queues = {name for name in of_type(resources, "AWS::SQS::Queue") if "DeadLetters" in name}
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    dimensions = [d for alarm in alarms for d in alarm.get("Dimensions", [])]

    assert queues == {"DeadLetters", "QueueDeadLetters"}
    for queue in queues:
        assert {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}} in dimensions
        assert source["Outputs"][f"{queue}Url"]["Value"] == {"Ref": queue}


def test_only_what_queues_redrive_lies_where_sqs_can_move_it_back(resources):
    """StartMessageMoveTask takes a dead-letter queue of queues alone."""
    kept = {
        name: queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for name, queue in of_type(resources, "AWS::SQS::Queue").items()
        if "RedrivePolicy" in queue
    }
    others = {name: r for name, r in resources.items() if r["Type"] != "AWS::SQS::Queue"}
    alarms = {name for name, r in others.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    policies = {name for name, r in others.items() if r["Type"] in ("AWS::SQS::QueuePolicy", "AWS::IAM::ManagedPolicy")}
    dashboards = {name for name, r in others.items() if r["Type"] == "AWS::CloudWatch::Dashboard"}

    readers = {"HealthApiRole"}  # counts its messages

    assert kept == dict.fromkeys(["RotationQueue", "DriftQueue", "AlertQueue"], "QueueDeadLetters")
    assert {
        name for name, r in others.items() if "QueueDeadLetters" in json.dumps(r)
    } <= alarms | policies | dashboards | readers


def test_every_route_asks_iam_and_runs_with_the_rights_of_the_gateway(resources):
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()

    routes = [(path, method, op) for path, item in api["Body"]["paths"].items() for method, op in item.items()]

    assert routes
    for path, method, operation in routes:
        assert operation["security"] == [{"AWS_IAM": []}], (path, method)
        assert "credentials" not in operation["x-amazon-apigateway-integration"], (path, method)


def test_the_api_has_no_resource_policy_beside_the_policies_of_its_callers(resources):
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()

    assert "x-amazon-apigateway-policy" not in api["Body"]


def test_what_the_gateway_answers_by_itself_is_a_problem(resources):
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()

    responses = api["Body"]["x-amazon-apigateway-gateway-responses"]

    assert {"DEFAULT_4XX", "DEFAULT_5XX", "ACCESS_DENIED", "THROTTLED", "REQUEST_TOO_LARGE"} <= responses.keys()
    for kind, response in responses.items():
        assert "application/problem+json" in json.dumps(response["responseParameters"]), kind
        template = response["responseTemplates"]["application/json"]
        # $context.error.messageString is a JSON string with its quotes.
        problem = json.loads(template.replace("$context.error.messageString", '"…"'))
        assert problem.keys() >= {"type", "title", "detail", "instance", "request_id"}, kind
        assert str(problem.get("status")) == str(response.get("statusCode")), kind


def test_every_log_group_forgets(resources):
    for name, group in of_type(resources, "AWS::Logs::LogGroup").items():
        assert "RetentionInDays" in group, name


def test_every_function_writes_to_a_log_group_of_the_stack(resources):
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        group = function["LoggingConfig"]["LogGroup"]["Ref"]
        assert group in of_type(resources, "AWS::Logs::LogGroup"), name


def test_functions_run_on_the_runtime_and_architecture_of_their_layers(resources):
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == [{"Ref": "Architecture"}]


def test_queues_are_encrypted(resources):
    for queue in of_type(resources, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


def test_alerts_are_encrypted(resources):
    """They describe weaknesses."""
    assert resources["AlertTopic"]["Properties"]["KmsMasterKeyId"]


def test_buckets_are_private_versioned_and_encrypted(resources):
    for bucket in of_type(resources, "AWS::S3::Bucket").values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


def test_a_lock_of_the_baseline_is_in_governance_mode_and_off_unless_days_are_named(source):
    bucket = source["Resources"]["BaselineBucket"]["Properties"]
    condition, locked, unlocked = bucket["ObjectLockConfiguration"]["Fn::If"]

    assert source["Parameters"]["BaselineLockDays"]["Default"] == 0
    assert source["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "BaselineLockDays"}, 0]}]}
    retention = {"Mode": "GOVERNANCE", "Days": {"Ref": "BaselineLockDays"}}
    assert locked == {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    assert unlocked == {"Ref": "AWS::NoValue"}


def test_alarms_reach_their_topic(resources):
    """CloudWatch has no right to the AWS-managed key of SNS: with it, every notification would be lost."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    topics = {action["Ref"] for alarm in alarms for action in alarm["AlarmActions"]}

    assert topics
    assert [name for name in topics if "KmsMasterKeyId" in resources[name].get("Properties", {})] == []


def test_alerts_are_made_of_every_event_but_replayed_ones(resources):
    rule = resources["AlertRule"]["Properties"]

    sources = [{"prefix": "steward."}, "steward-test"]  # the second is that of test alerts
    assert rule["EventPattern"] == {"source": sources, "replay-name": [{"exists": False}]}


def test_mail_gets_only_what_is_meant_for_mail(resources):
    assert resources["AlertSubscription"]["Properties"]["FilterPolicy"] == {"channels": ["mail"]}


def test_a_queue_hides_a_message_for_longer_than_its_function_may_take(resources, source):
    functions, standard = of_type(resources, "AWS::Lambda::Function"), source["Globals"]["Function"]["Timeout"]
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        function = functions[mapping["FunctionName"]["Ref"]]
        queue = resources[mapping["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
        assert queue["VisibilityTimeout"] > function.get("Timeout", standard)
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_security_hub_and_the_webhook_are_options_that_are_off(source, resources):
    granted = [s for p in resources["AlertsRole"]["Properties"]["Policies"] for s in p["PolicyDocument"]["Statement"]]

    assert source["Parameters"]["SecurityHub"]["Default"] == "off"
    assert source["Parameters"]["WebhookUrl"]["Default"] == source["Parameters"]["WebhookSecretArn"]["Default"] == ""
    assert [s["Fn::If"][0] for s in granted if "Fn::If" in s] == ["WithSecurityHub", "WithWebhook"]


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://user@a.example/", "https://a.example/#x", "a.example", "https://"]
)
def test_a_webhook_that_is_not_https_is_refused_at_deployment(source, url):
    pattern = source["Parameters"]["WebhookUrl"]["AllowedPattern"]

    assert re.fullmatch(pattern, "")
    assert re.fullmatch(pattern, "https://a.example:8443/alerts?team=a")
    assert not re.fullmatch(pattern, url)


def test_a_webhook_has_a_secret(source):
    rule = source["Rules"]["WebhookHasASecret"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebhookUrl"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebhookSecretArn"}, ""]}]}


def test_events_that_only_the_bus_may_carry_come_from_its_own_account(resources):
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        assert "ScheduleExpression" in rule or "source" in rule["EventPattern"], name


def test_the_safety_net_can_be_turned_off(resources):
    rule = resources["FailedPushRule"]["Properties"]

    assert rule["State"] == {"Fn::If": ["WithSafetyNet", "ENABLED", "DISABLED"]}


def test_what_us_east_1_alone_hears_is_heard_there_on_the_default_bus(resources, source):
    buses = [resources[rule]["Properties"]["EventBusName"] for rule in ("IamChangeRule", "ExposedKeyRule")]

    assert buses == [{"Fn::If": ["IsGlobalEventsRegion", "default", {"Ref": "Bus"}]}] * 2
    assert source["Conditions"]["IsGlobalEventsRegion"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}


def test_no_route_has_metrics_of_its_own(source):
    """They cost by the metric, and the alarm reads those of the stage."""
    settings = source["Resources"]["Api"]["Properties"]["MethodSettings"]

    assert [setting for setting in settings if setting.get("MetricsEnabled")] == []


def test_functions_look_for_users_on_the_path_that_their_roles_are_scoped_to(resources):
    on_the_path = {
        role
        for role in ROLES
        for s in statements_of_role(resources, role)
        if "${ServicePath}" in json.dumps(s["Resource"])
    }
    looking = {
        function["Role"]["Fn::GetAtt"][0]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        if function["Environment"]["Variables"].get("SERVICE_PATH") == {"Ref": "ServicePath"}
    }

    of_no_user = {"RotationPlannerRole", "AccessKeysRole", "SecretProofRole"}  # these read the account and the table

    assert on_the_path | of_no_user == looking


def test_the_bus_has_the_name_that_the_parameter_says(resources, source):
    assert resources["Bus"]["Properties"]["Name"] == {"Ref": "BusName"}
    assert source["Parameters"]["BusName"]["Default"] == "steward"


def test_a_second_stack_of_the_account_leaves_the_access_model_to_the_first(resources, source):
    groups = {name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Group"}
    conditions = source["Conditions"]

    assert groups == {"ReadGroup", "WriteGroup", "AdminGroup"}
    assert {resources[name]["Condition"] for name in groups} == {"WithAccessModel"}
    assert conditions["WithAccessModel"] == {"Fn::Equals": [{"Ref": "CreateAccessModel"}, "true"]}
    assert {"Condition": "WithAccessModel"} in conditions["WithServiceUsers"]["Fn::And"], "users are in these groups"


def test_no_other_name_that_iam_shares_between_regions_is_fixed(resources):
    named = {
        name
        for name, resource in resources.items()
        if resource["Type"].startswith("AWS::IAM::")
        and resource.get("Properties", {}).keys() & {"RoleName", "ManagedPolicyName", "GroupName", "UserName"}
    }

    assert named == {"ReadGroup", "WriteGroup", "AdminGroup", "PushUser", "PullUser"}


def test_service_users_can_be_turned_off_and_are_enrolled_by_path_and_tag(resources):
    users = {name: r for name, r in resources.items() if r["Type"] == "AWS::IAM::User"}

    assert users.keys() == {"PushUser", "PullUser"}
    for user in users.values():
        assert user["Condition"] == "WithServiceUsers"
        assert user["Properties"]["Path"] == {"Ref": "ServicePath"}
        assert {"Key": "steward:rotate", "Value": "true"} in user["Properties"]["Tags"]
        assert "Policies" not in user["Properties"]


def test_a_bucket_of_the_baseline_that_exists_already_comes_with_its_owner(source):
    """Without the owner, calls could reach a bucket of the same name in any account."""
    rule = source["Rules"]["BaselineBucketHasAnOwner"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "BaselineBucketName"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "BaselineBucketOwner"}, ""]}]}
