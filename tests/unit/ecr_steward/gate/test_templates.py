"""Templates of CloudFormation and SAM against their own next version."""

import json

import pytest

from ecr_steward.gate.check import Finding
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import Text, checked
from iam_policy import Verdict
from policy_drift.domain.finding import Kind
from steward.severity import Severity

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template(*statements, trust=TRUST, **sections):
    policies = [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]
    role = {"AssumeRolePolicyDocument": trust} | ({"Policies": policies} if statements else {})
    body = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
    body["Resources"]["Deployer"] = {"Type": "AWS::IAM::Role", "Properties": role}
    return body | sections


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def findings(base, head) -> tuple[Finding, ...]:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in (base, head)]
    return checked(Text("template.json", texts[0]), Text("template.json", texts[1])).findings


def only(base, head) -> Finding:
    (finding,) = findings(base, head)
    return finding


BUCKET = {"Fn::GetAtt": ["Bucket", "Arn"]}


def test_a_template_adds_nothing_to_itself():
    one = template(allow("s3:GetObject", BUCKET))

    assert findings(one, one) == ()


def test_an_action_more_on_the_same_opaque_resource_is_found_with_a_request_that_proves_it():
    found = only(template(allow("s3:GetObject", BUCKET)), template(allow(["s3:GetObject", "s3:PutObject"], BUCKET)))

    assert (found.entity, found.kind, found.verdict) == ("role/Deployer", Kind.ACCESS, Verdict.BROADENED)
    assert found.added == ("Role Deployer can now call s3:PutObject on <Bucket.Arn>.",)


def test_every_resource_instead_of_a_resource_of_the_template_is_more():
    found = only(template(allow("s3:GetObject", BUCKET)), template(allow("s3:GetObject", "*")))

    assert found.verdict is Verdict.BROADENED


def test_every_resource_instead_of_a_parameter_is_not_known_for_the_parameter_may_be_a_star():
    parameters = {"Parameters": {"Where": {"Type": "String"}}}
    before = template(allow("s3:GetObject", {"Ref": "Where"}), **parameters)

    found = only(before, template(allow("s3:GetObject", "*"), **parameters))

    assert found.verdict is Verdict.UNKNOWN
    assert found.adds


def test_another_opaque_resource_is_not_known_and_never_clean():
    parameters = {"Parameters": {"A": {"Type": "String"}, "B": {"Type": "String"}}}
    before, after = (template(allow("s3:GetObject", {"Ref": name}), **parameters) for name in "AB")

    found = only(before, after)

    assert found.verdict is Verdict.UNKNOWN
    assert found.severity is Severity.MEDIUM


def test_another_default_of_a_parameter_is_another_value():
    def with_default(arn):
        parameters = {"Where": {"Type": "String", "Default": arn}}
        return template(allow("s3:GetObject", {"Ref": "Where"}), Parameters=parameters)

    found = only(with_default("arn:aws:s3:::a/*"), with_default("*"))

    assert found.verdict is Verdict.UNKNOWN


def test_a_deny_that_goes_is_not_clean_though_what_it_denied_is_opaque():
    parameters = {"Parameters": {"Secret": {"Type": "String"}}}
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": {"Ref": "Secret"}}
    allowed = allow("s3:GetObject", "arn:aws:s3:::data/*")

    found = only(template(allowed, deny, **parameters), template(allowed, **parameters))

    assert found.verdict is Verdict.UNKNOWN


def test_a_statement_less_with_an_opaque_resource_is_less_and_adds_nothing():
    before = template(allow("s3:GetObject", BUCKET), allow("sqs:SendMessage", "arn:aws:sqs:*:*:jobs"))

    found = only(before, template(allow("s3:GetObject", BUCKET)))

    assert found.verdict is Verdict.NARROWED
    assert not found.adds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Fn::Sub": "${Bucket.Arn}/*"}, {"Fn::Join": ["", [BUCKET, "/*"]]}),
        ({"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}, {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Bucket"}, "/*"]]}),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::x"}, "arn:aws:s3:::x"),
        ({"Fn::Select": [1, {"Fn::Split": ["|", "a|arn:aws:s3:::x"]}]}, "arn:aws:s3:::x"),
    ],
)
def test_the_same_value_written_with_other_functions_is_the_same(one, other):
    assert findings(template(allow("s3:GetObject", one)), template(allow("s3:GetObject", other))) == ()


def test_a_branch_of_a_condition_is_looked_at_by_itself():
    def with_prod(resource):
        return template(
            allow("s3:GetObject", {"Fn::If": ["IsProd", resource, "arn:aws:s3:::test/*"]}),
            Parameters={"Stage": {"Type": "String"}},
            Conditions={"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        )

    found = only(with_prod("arn:aws:s3:::prod/*"), with_prod("*"))

    assert found.verdict is Verdict.BROADENED
    assert found.when == "Stage = prod"


def test_a_role_that_exists_under_fewer_conditions_is_new_in_the_others():
    conditions = {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    before = template(allow("s3:GetObject"), Parameters={"Stage": {"Type": "String"}}, Conditions=conditions)
    after = json.loads(json.dumps(before))
    before["Resources"]["Deployer"]["Condition"] = "IsProd"

    found = only(before, after)

    assert (found.kind, found.when) == (Kind.UNMANAGED, "not Stage = prod")


def test_a_foreign_account_that_may_assume_a_role_is_critical():
    stranger = {"Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "sts:AssumeRole"}
    trust = {**TRUST, "Statement": [*TRUST["Statement"], stranger]}

    found = only(template(), template(trust=trust))

    assert (found.kind, found.severity) == (Kind.TRUST, Severity.CRITICAL)
    assert "the foreign account 210987654321 can now assume it" in found.reasons


def test_an_attached_policy_of_aws_is_known_by_its_document():
    before, after = template(), template()
    after["Resources"]["Deployer"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]

    found = only(before, after)

    assert (found.verdict, found.severity) == (Verdict.BROADENED, Severity.CRITICAL)


def test_an_attached_policy_that_is_described_elsewhere_is_not_known():
    before, after = template(), template()
    after["Resources"]["Deployer"]["Properties"]["ManagedPolicyArns"] = [{"Fn::ImportValue": "SharedPolicy"}]

    assert only(before, after).verdict is Verdict.UNKNOWN


def test_an_escalation_path_is_named():
    role = {"Fn::GetAtt": ["Deployer", "Arn"]}

    found = only(template(allow("s3:GetObject")), template(allow("s3:GetObject"), allow("iam:PutRolePolicy", role)))

    assert found.severity is Severity.CRITICAL
    assert found.escalations


def test_an_unattached_managed_policy_is_judged_as_if_a_role_had_it():
    def policy(action):
        document = {"Version": "2012-10-17", "Statement": [allow(action)]}
        resources = {"Shared": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}}
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}

    found = only(policy("s3:GetObject"), policy("*"))

    assert (found.entity, found.severity) == ("policy/Shared", Severity.CRITICAL)


def test_a_bucket_policy_that_opens_to_everyone_is_found():
    def bucket(principal):
        allowed = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
        properties = {"Bucket": "b", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": {"Logs": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}},
        }

    found = only(bucket({"AWS": "111122223333"}), bucket("*"))

    assert (found.entity, found.verdict) == ("S3::BucketPolicy/Logs", Verdict.BROADENED)


SAM = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      CodeUri: src/
      Policies:
        - {policy}:
            TableName: !Ref Table
"""


def test_a_policy_template_of_sam_is_expanded():
    found = only(SAM.replace("{policy}", "DynamoDBReadPolicy"), SAM.replace("{policy}", "DynamoDBCrudPolicy"))

    assert (found.entity, found.verdict) == ("role/ReaderRole", Verdict.BROADENED)
    assert "dynamodb:" in found.added[0]
    assert found.line == SAM[: SAM.index("  Reader:")].count("\n") + 1


def test_a_connector_of_sam_is_expanded():
    connector = """
  Connection:
    Type: AWS::Serverless::Connector
    Properties:
      Source: {Id: Reader}
      Destination: {Id: Table}
      Permissions: [Write]
"""
    base = SAM.replace("{policy}", "DynamoDBReadPolicy")

    (found,) = (one for one in findings(base, base + connector) if one.adds)

    assert any("dynamodb:" in sentence for sentence in found.added)


def test_a_nested_stack_is_named_as_not_judged_and_its_change_is_never_clean():
    def nested(url):
        body = template()
        body["Resources"]["Inner"] = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
        return json.dumps(body)

    same = checked(Text("t", nested("a.yaml")), Text("t", nested("a.yaml")))
    other = checked(Text("t", nested("a.yaml")), Text("t", nested("b.yaml")))

    assert [one.what for one in same.unjudged] == ["a nested stack, Inner"]
    assert same.findings == ()
    assert [one.verdict for one in other.findings] == [Verdict.UNKNOWN]


def test_a_loop_that_aws_alone_expands_does_not_hide_the_rest():
    loop = {"Fn::ForEach::Roles": ["Name", ["a", "b"], {"Role${Name}": {"Type": "AWS::IAM::Role"}}]}
    before, after = template(allow("s3:GetObject")), template(allow("s3:*"))
    for body in (before, after):
        body["Resources"] |= loop

    answer = checked(Text("t", json.dumps(before)), Text("t", json.dumps(after)))

    assert [one.verdict for one in answer.findings] == [Verdict.BROADENED]
    assert [one.what for one in answer.unjudged] == ["the function Fn::ForEach::Roles"]


def test_a_macro_is_refused_with_its_line():
    text = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: Builder\nResources: {}\n"

    with pytest.raises(UnusableInputError, match=r"^t.yaml:2: the macro Builder is expanded by AWS alone"):
        checked(None, Text("t.yaml", text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Resources: [", "t:1: it is neither JSON nor YAML"),
        ('{"Resources": {"A": ', "t:1: it is neither JSON nor YAML"),
        ("AWSTemplateFormatVersion: x\nResources: 3\n", "t: Resources is no object"),
        ("[" * 10_000, "it nests too deep"),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n",
            "t:3: SAM refuses it",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_on_one_line(text, problem):
    with pytest.raises(UnusableInputError) as refused:
        checked(None, Text("t", text))

    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_malformed_policy_does_not_hide_the_others():
    bad = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Maybe"}]}}}
    before, after = template(allow("s3:GetObject")), template(allow("s3:*"))
    after["Resources"]["Bad"] = bad

    found = findings(before, after)

    assert {(one.entity, one.verdict) for one in found} >= {
        ("role/Deployer", Verdict.BROADENED),
        ("role/Bad", Verdict.UNKNOWN),
    }


def test_a_template_of_five_hundred_resources_is_compared():
    role = template(allow("s3:GetObject", BUCKET))["Resources"]["Deployer"]
    resources = {f"Role{number}": role for number in range(500)}
    before = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    wider = template(allow("s3:*", BUCKET))["Resources"]["Deployer"]

    found = only(before, before | {"Resources": resources | {"Role250": wider}})

    assert found.entity == "role/Role250"


def test_a_number_is_the_text_that_cloudformation_makes_of_it():
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": 111122223333}, "Action": "sts:AssumeRole"}],
    }
    as_text = json.loads(json.dumps(trust).replace("111122223333", '"111122223333"'))

    numbers, texts = (
        template(allow("s3:GetObject", Sid=sid), trust=given) for sid, given in ((1, trust), ("One", as_text))
    )

    assert findings(numbers, texts) == ()
