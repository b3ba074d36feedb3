"""What the gate does not look into, or knows in part only, is never clean when it differs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import Text, checked
from iam_policy import Verdict
from steward.severity import Severity
from tests.unit.ecr_steward.gate.test_plans import TRUST, change, document, findings, plan, role

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(TRUST)}}
PUBLIC = document("s3:GetObject", principal="*")


def template(**resources):
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Known": ROLE} | resources})


def verdicts(base, head):
    return {one.verdict for one in checked(Text("t.json", base), Text("t.json", head)).findings}


def with_properties(**more):
    return ROLE | {"Properties": ROLE["Properties"] | more}


UNREAD = {
    "a loop": {"Known": with_properties(**{"Fn::ForEach::Policies": ["Name", ["a"], {"Policies": []}]})},
    "an include": {"Known": with_properties(**{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}})},
    "properties under a condition": {"Known": ROLE | {"Properties": {"Fn::If": ["C", {}, {}]}}},
    "a module": {"More": {"Type": "My::S3::Bucket::MODULE", "Properties": {}}},
    "a stack set": {"More": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": "{}"}}},
    "a nested stack": {"More": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "s3://a"}}},
    "a permission set": {"More": {"Type": "AWS::SSO::PermissionSet", "Properties": {"Name": "a"}}},
    "a bucket's policy": {"More": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Ref": "P"}}}},
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_part_of_a_template_that_is_not_read_is_not_clean_when_it_appears(name):
    assert Verdict.UNKNOWN in verdicts(template(), template(**UNREAD[name]))


@pytest.mark.parametrize("name", UNREAD)
def test_a_part_of_a_template_that_is_not_read_is_no_finding_while_it_stays(name):
    assert verdicts(template(**UNREAD[name]), template(**UNREAD[name])) == set()


def test_the_policy_of_a_bucket_that_becomes_unknown_is_not_less_access():
    known = {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": json.loads(PUBLIC)}}
    unknown = {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Ref": "Parameter"}}}

    assert verdicts(template(Policy=known), template(Policy=unknown)) & {Verdict.UNKNOWN, Verdict.INCOMPARABLE}


@pytest.mark.parametrize(
    "kind",
    [
        "awscc_iam_role",
        "awscc_iam_managed_policy",
        "awscc_iam_user_to_group_addition",
        "aws_ssoadmin_permission_set_inline_policy",
        "aws_ssoadmin_managed_policy_attachment",
        "aws_ssoadmin_account_assignment",
        "awscc_sso_permission_set",
        "aws_cloudformation_stack",
        "aws_cloudformation_stack_set",
        "aws_cloudcontrolapi_resource",
    ],
)
def test_a_resource_of_a_plan_that_is_not_read_is_not_clean(kind):
    (found,) = findings(plan(change(f"{kind}.more", None, {"policies": []})))

    assert (found.entity, found.verdict) == (f"{kind}.more", Verdict.UNKNOWN)


def test_a_resource_that_is_not_read_and_not_changed_is_no_finding():
    same = change("awscc_iam_role.more", {"policies": []}, {"policies": []})
    same["change"]["actions"] = ["no-op"]

    assert findings(plan(same)) == ()


def test_a_change_that_terraform_defers_is_not_clean():
    later = {"reason": "provider_config_unknown", "resource_change": change("aws_iam_user.a", None, {"name": "a"})}

    (found,) = findings(plan(deferred_changes=[later], version="1.2"))

    assert (found.entity, found.verdict) == ("aws_iam_user.a", Verdict.UNKNOWN)


@pytest.mark.parametrize(
    "later",
    [
        change("aws_s3_bucket_policy.a", None, {"policy": PUBLIC}),
        change("aws_sqs_queue.a", None, {}, {"policy": True}),
        change("aws_lambda_permission.a", None, {"principal": "*"}),
    ],
)
def test_the_policy_of_a_resource_that_terraform_defers_is_not_clean(later):
    (found,) = findings(plan(deferred_changes=[{"reason": "instance_count_unknown", "resource_change": later}]))

    assert (found.entity, found.verdict) == (later["address"], Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (
            "awscc_kms_key",
            {"key_policy": document("s3:GetObject", principal={"AWS": "111122223333"})},
            {"key_policy": PUBLIC},
        ),
        ("awscc_lambda_permission", None, {"principal": "*", "action": "lambda:InvokeFunction", "function_name": "f"}),
        ("aws_organizations_resource_policy", None, {"content": PUBLIC}),
    ],
)
def test_the_policy_of_a_resource_of_another_provider_or_argument_is_read(kind, before, after):
    (found,) = findings(plan(change(f"{kind}.own", before, after)))

    assert (found.entity, found.verdict) == (f"{kind}/{kind}.own", Verdict.BROADENED)


@pytest.mark.parametrize(
    ("kind", "key"), [("aws_glacier_vault", "access_policy"), ("aws_organizations_resource_policy", "content")]
)
def test_a_policy_in_any_argument_that_becomes_unknown_is_not_less_access(kind, key):
    before = {key: document("s3:GetObject", principal={"AWS": "arn:aws:iam::111122223333:root"})}

    (found,) = findings(plan(change(f"{kind}.own", before, {}, {key: True})))

    assert found.verdict is Verdict.UNKNOWN


def test_an_address_of_a_function_that_may_be_public_is_not_clean():
    before = {"authorization_type": "AWS_IAM", "function_name": "f"}
    url = change("aws_lambda_function_url.a", before, {"function_name": "f"}, {"authorization_type": True})

    (found,) = findings(plan(url))

    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("kind", ["role", "user", "group"])
def test_policies_that_are_attached_exclusively_are_attached(kind):
    values = {f"{kind}_name": "app", "policy_arns": [ADMINISTRATOR]}

    (found,) = findings(plan(change(f"aws_iam_{kind}_policy_attachments_exclusive.all", None, values)))

    assert (found.entity, found.severity) == (f"{kind}/app", Severity.CRITICAL)


def test_an_inline_policy_that_is_known_after_the_apply_is_not_clean():
    values = {"name": "app", "assume_role_policy": TRUST, "path": "/"}
    after = values | {"inline_policy": [{"name": "own"}]}

    (found,) = findings(plan(change("aws_iam_role.app", values, after, {"inline_policy": [{"policy": True}]})))

    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("kind", ["aws_s3_bucket_policy", "aws_sqs_queue", "aws_kms_key", "aws_ecr_repository_policy"])
def test_the_policy_of_a_resource_that_becomes_public_is_found(kind):
    before = document("s3:GetObject", principal={"AWS": "arn:aws:iam::111122223333:root"})

    (found,) = findings(plan(change(f"{kind}.own", {"policy": before}, {"policy": PUBLIC})))

    assert (found.entity, found.verdict) == (f"{kind}/{kind}.own", Verdict.BROADENED)


def test_the_policy_of_a_resource_that_is_known_after_the_apply_is_not_clean():
    before = document("s3:GetObject", principal={"AWS": "arn:aws:iam::111122223333:root"})

    (found,) = findings(plan(change("aws_s3_bucket_policy.own", {"policy": before}, {}, {"policy": True})))

    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (plan(role(), errored=True), "stopped with an error"),
        (json.dumps({"format_version": "1.0", "values": {"root_module": {}}}), "it is a state, not a plan"),
        (
            json.dumps(
                {
                    "format_version": "1.2",
                    "planned_values": {"root_module": {"resources": [{"address": "aws_iam_user.a"}]}},
                }
            ),
            "it has no resource_changes",
        ),
    ],
)
def test_what_is_no_whole_plan_is_refused(text, says):
    with pytest.raises(UnusableInputError, match=says):
        findings(text)


@st.composite
def roles(draw):
    """A role of a plan with each argument known, unknown or absent."""
    after: dict = {"name": "app", "path": "/", "assume_role_policy": TRUST}
    unknown: dict = {}
    for key, value in (("assume_role_policy", TRUST), ("managed_policy_arns", [ADMINISTRATOR])):
        if draw(st.booleans()):
            after[key] = value
        elif draw(st.booleans()):
            after.pop(key, None)
            unknown[key] = True
    blocks = draw(st.lists(st.sampled_from(["known", "unknown", "empty"]), max_size=3))
    if blocks:
        policies = {"known": {"name": "a", "policy": document("s3:*")}, "unknown": {"name": "a"}, "empty": {"name": ""}}
        after["inline_policy"] = [policies[one] for one in blocks]
        unknown["inline_policy"] = [{"policy": True} if one == "unknown" else {} for one in blocks]
    return after, unknown


@given(roles())
def test_a_role_with_an_unknown_argument_is_never_clean_and_adds_nothing_to_itself(made):
    after, unknown = made
    before = {"name": "app", "path": "/", "assume_role_policy": TRUST}
    text = plan(change("aws_iam_role.app", before, after, unknown))
    is_unknown = any(True in (value if isinstance(value, list) else [value]) for value in unknown.values()) or any(
        block for block in unknown.get("inline_policy", ()) if isinstance(block, dict)
    )

    assert findings(text, text) == ()
    if is_unknown:
        assert findings(text)


def resource(kind, **properties):
    return template(More={"Type": kind, "Properties": properties})


OURS = document("es:*", principal={"AWS": "arn:aws:iam::111122223333:root"})
EVERYONE = document("es:*", principal="*")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("AWS::OpenSearchService::Domain", lambda policy: {"AccessPolicies": policy}),
        ("AWS::Backup::BackupVault", lambda policy: {"AccessPolicy": policy}),
        ("AWS::CodeArtifact::Domain", lambda policy: {"PermissionsPolicyDocument": policy}),
        ("AWS::DynamoDB::Table", lambda policy: {"ResourcePolicy": {"PolicyDocument": policy}}),
        ("AWS::Logs::ResourcePolicy", lambda policy: {"PolicyDocument": json.dumps(policy)}),
        ("AWS::ApiGateway::RestApi", lambda policy: {"Body": {"x-amazon-apigateway-policy": policy}}),
        ("AWS::Events::EventBusPolicy", lambda policy: {"Statement": policy["Statement"][0]}),
    ],
)
def test_the_policy_of_a_resource_is_read_wherever_it_is(kind, given):
    narrow, public = (resource(kind, **given(json.loads(policy))) for policy in (OURS, EVERYONE))

    assert verdicts(narrow, public) == {Verdict.BROADENED}
    assert verdicts(public, public) == set()


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::Lambda::Permission", {"Action": "lambda:InvokeFunction", "FunctionName": "f"}),
        ("AWS::Lambda::LayerVersionPermission", {"Action": "lambda:GetLayerVersion", "LayerVersionArn": "l"}),
        ("AWS::Events::EventBusPolicy", {"Action": "events:PutEvents", "EventBusName": "b", "StatementId": "s"}),
    ],
)
def test_a_permission_that_is_a_resource_is_read(kind, properties):
    ours, public = (resource(kind, **properties, Principal=name) for name in ("111122223333", "*"))

    assert verdicts(ours, public) == {Verdict.BROADENED}


def test_a_permission_without_its_source_is_more():
    said = {"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "s3.amazonaws.com"}
    bound = resource("AWS::Lambda::Permission", **said, SourceArn="arn:aws:s3:::ours")

    assert verdicts(bound, resource("AWS::Lambda::Permission", **said)) == {Verdict.BROADENED}


@pytest.mark.parametrize("kind", ["aws_lambda_permission", "aws_cloudwatch_event_permission"])
def test_a_permission_that_is_a_resource_of_a_plan_is_read(kind):
    before = {"action": "lambda:InvokeFunction", "function_name": "f", "principal": "111122223333"}

    found = findings(plan(change(f"{kind}.more", before, before | {"principal": "*"})))

    assert [one.verdict for one in found] == [Verdict.BROADENED]


DENIAL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["s3:*", "iam:*"], "Resource": "*"}]}
LESS = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}


@pytest.mark.parametrize(
    "holds",
    [
        json.dumps,
        lambda policy: resource("AWS::IAM::ManagedPolicy", PolicyDocument=policy),
        lambda policy: resource("AWS::IAM::Policy", PolicyName="p", Groups=["elsewhere"], PolicyDocument=policy),
        lambda policy: resource("AWS::IAM::RolePolicy", PolicyName="p", RoleName="elsewhere", PolicyDocument=policy),
        lambda policy: resource("AWS::IAM::Group", Policies=[{"PolicyName": "p", "PolicyDocument": policy}]),
    ],
)
def test_a_denial_that_goes_is_not_clean_though_nothing_in_the_file_is_allowed(holds):
    assert verdicts(holds(DENIAL), holds(LESS)) == {Verdict.UNKNOWN}
    assert verdicts(holds(DENIAL), holds(DENIAL)) == set()
    assert Verdict.BROADENED not in verdicts(holds(LESS), holds(DENIAL))


def test_a_user_who_joins_a_group_that_is_described_elsewhere_is_not_clean():
    alone, member = (resource("AWS::IAM::User", Groups=groups) for groups in ([], ["administrators"]))

    assert verdicts(alone, member) == {Verdict.UNKNOWN}
    assert verdicts(member, member) == set()


def conditional(expression, default="dev"):
    body = json.loads(template(Sometimes=with_properties(Policies=[ANYTHING]) | {"Condition": "Wanted"}))
    parameter = {"Stage": {"Type": "String", "Default": default}}
    return json.dumps(body | {"Parameters": parameter, "Conditions": {"Wanted": expression}})


ANYTHING = {"PolicyName": "p", "PolicyDocument": json.loads(document("s3:*"))}
IN_PRODUCTION = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}


def test_a_role_with_another_condition_is_new_where_it_was_not():
    other = conditional({"Fn::Equals": [{"Ref": "Stage"}, "test"]})

    assert Verdict.BROADENED in verdicts(conditional(IN_PRODUCTION), other)
    assert verdicts(other, other) == set()


def test_a_role_with_a_condition_of_another_default_is_not_clean():
    assert verdicts(conditional(IN_PRODUCTION), conditional(IN_PRODUCTION, "prod")) == {Verdict.UNKNOWN}


def test_a_role_with_many_other_conditions_is_not_clean():
    """More parts than are looked at one by one."""
    parts = {f"C{number}": {"Fn::Equals": [{"Ref": f"P{number}"}, "x"]} for number in range(5)}
    named = [{"Condition": name} for name in parts]
    body = json.loads(template(Sometimes=with_properties(Policies=[ANYTHING])))
    always = json.dumps(body | {"Conditions": parts | {"Wanted": {"Fn::And": named}}})
    body["Resources"]["Sometimes"]["Condition"] = "Wanted"
    rare, common = (
        json.dumps(body | {"Conditions": parts | {"Wanted": wanted}})
        for wanted in ({"Fn::And": named}, {"Fn::Or": named})
    )

    assert verdicts(rare, common) == {Verdict.UNKNOWN}
    assert verdicts(rare, always) == {Verdict.UNKNOWN}
    assert verdicts(rare, rare) == set()


def test_a_function_that_everyone_may_call_by_its_url_is_found():
    url = {"authorization_type": "AWS_IAM", "function_name": "f"}

    found = findings(plan(change("aws_lambda_function_url.open", url, url | {"authorization_type": "NONE"})))

    assert [one.verdict for one in found] == [Verdict.BROADENED]


REFERENCE = "{{resolve:ssm:/ours/name:%s}}"


@pytest.mark.parametrize(
    "holds",
    [
        lambda text: json.loads(document("s3:GetObject", text)),
        lambda text: json.loads(document("s3:GetObject", f"arn:aws:s3:::{text}/*")),
        lambda text: json.loads(document("s3:GetObject", {"Fn::Sub": f"arn:aws:s3:::{text}/${{AWS::Region}}"})),
        lambda text: json.loads(document(text)),
    ],
)
def test_a_dynamic_reference_equals_itself_and_nothing_else_for_certain(holds):
    one, other = (
        template(Role=with_properties(Policies=[{"PolicyName": "p", "PolicyDocument": holds(REFERENCE % version)}]))
        for version in (1, 2)
    )

    assert verdicts(one, other) == {Verdict.UNKNOWN}
    assert verdicts(one, one) == set()


def test_what_a_mapping_says_for_keys_of_the_template_is_known():
    found = {"Fn::FindInMap": ["Actions", "all", "list"]}
    policy = {"PolicyName": "p", "PolicyDocument": json.loads(document(found))}
    one, other = (
        json.dumps(json.loads(template(Role=with_properties(Policies=[policy]))) | {"Mappings": {"Actions": actions}})
        for actions in ({"all": {"list": ["s3:GetObject"]}}, {"all": {"list": ["s3:GetObject", "s3:PutObject"]}})
    )

    assert verdicts(one, other) == {Verdict.BROADENED}


def test_what_waits_for_its_deletion_in_a_plan_says_nothing_about_what_took_its_place():
    narrow, wide = ({"role": "app", "policy": document(action)} for action in ("s3:GetObject", "s3:*"))
    deposed = change("aws_iam_role_policy.own", wide, None) | {"deposed": "0a1b2c3d"}

    found = findings(plan(role(), change("aws_iam_role_policy.own", narrow, wide), deposed))

    assert [one.verdict for one in found] == [Verdict.BROADENED]
