"""The same access in other words of CloudFormation's language, loops, and what is certain beside opaque values."""

import json

import pytest

from ecr_steward.gate.inputs import Text, checked
from iam_policy import Verdict

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
REGION = {"Ref": "AWS::Region"}


def template(resources, *, transform=None, **sections):
    body = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources} | sections
    return json.dumps(body | ({"Transform": transform} if transform else {}))


def allow(action, resource="*", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource} | more]}


def role(document, trust=TRUST):
    policies = [{"PolicyName": "own", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies}}


def trusted(principal, **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more
    return {"Statement": [*TRUST["Statement"], statement]}


def verdicts(base, head):
    return [one.verdict for one in checked(Text("t.json", base), Text("t.json", head)).findings]


def with_condition(expression):
    user = {"Type": "AWS::IAM::User", "Condition": "IsProduction", "Properties": {}}
    return template({"User": user}, Conditions={"IsProduction": expression})


def test_it_does_not_matter_which_side_of_an_equation_is_written_first():
    one, other = (
        with_condition({"Fn::Equals": ["eu-west-1", REGION]}),
        with_condition({"Fn::Equals": [REGION, "eu-west-1"]}),
    )

    assert (verdicts(one, other), verdicts(other, one)) == ([], [])


def looped(*names, action="s3:GetObject", bucket="${Name}"):
    made = {"&{Name}Role": role(allow(action, {"Fn::Sub": f"arn:aws:s3:::{bucket}/*"}))}
    return template({"Fn::ForEach::Roles": ["Name", [*names], made]}, transform="AWS::LanguageExtensions")


def test_a_loop_that_says_what_it_goes_over_is_what_it_makes():
    unrolled = template(
        {
            "aRole": role(allow("s3:GetObject", "arn:aws:s3:::a/*")),
            "b1Role": role(allow("s3:GetObject", "arn:aws:s3:::b-1/*")),
        }
    )

    assert verdicts(looped("a", "b-1"), unrolled) == []
    assert verdicts(looped("a"), looped("a", action="s3:*")) == [Verdict.BROADENED]
    assert verdicts(looped("a"), looped("a", "b")) == [Verdict.BROADENED]


def test_a_loop_inside_of_a_loop_and_of_properties_is_what_it_makes():
    policies = {
        "Fn::ForEach::Inner": ["Part", ["x"], {"Policy${Part}": allow("s3:GetObject", "arn:aws:s3:::${Name}-${Part}")}]
    }
    key = {"Type": "AWS::SSM::Parameter", "Properties": policies}
    loop = {"Fn::ForEach::Outer": ["Name", ["a"], {"${Name}Key": key}]}
    flat = {
        "aKey": {"Type": "AWS::SSM::Parameter", "Properties": {"Policyx": allow("s3:GetObject", "arn:aws:s3:::a-x")}}
    }

    extended = {"transform": ["AWS::LanguageExtensions"]}
    assert verdicts(template(loop, **extended), template(flat, **extended)) == []


def test_a_loop_over_a_parameter_is_not_known():
    def over(action):
        made = {"${Name}Role": role(allow(action))}
        return template(
            {"Fn::ForEach::Roles": ["Name", {"Ref": "Names"}, made]},
            transform="AWS::LanguageExtensions",
            Parameters={"Names": {"Type": "CommaDelimitedList"}},
        )

    assert verdicts(over("s3:GetObject"), over("s3:GetObject")) == []
    assert verdicts(over("s3:GetObject"), over("s3:*")) == [Verdict.UNKNOWN]


@pytest.mark.parametrize("section", ["Conditions", "Mappings"])
def test_a_loop_or_an_include_in_another_section_is_never_clean_when_it_differs(section):
    one, other = (template({"R": role(allow("s3:*"))}, **{section: {"Fn::ForEach::A": [part]}}) for part in "ab")

    assert verdicts(one, one) == []
    assert verdicts(one, other) == [Verdict.UNKNOWN]


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ALL = {"PolicyName": "all", "PolicyDocument": allow("*")}
RESTING = {
    "a user": {"Type": "AWS::IAM::User", "Properties": {"ManagedPolicyArns": [ADMINISTRATOR]}},
    "a role": {"Type": "AWS::IAM::Role", "Properties": role(allow("*"))["Properties"]},
    "a policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["app"], **ALL}},
    "a managed policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Roles": ["app"], **ALL}},
    "a membership": {"Type": "AWS::IAM::UserToGroupAddition", "Properties": {"GroupName": "all", "Users": ["ann"]}},
    "a permission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": "f", "Principal": "*"}},
    "a bucket's policy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"PolicyDocument": allow("s3:*", Principal="*")},
    },
}


@pytest.mark.parametrize("name", RESTING)
def test_what_rests_on_a_default_that_changed_is_not_known(name):
    def of(default):
        return template(
            {"More": RESTING[name] | {"Condition": "IsOn"}},
            Parameters={"On": {"Type": "String", "Default": default}},
            Conditions={"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}},
        )

    assert verdicts(of("no"), of("no")) == []
    assert {*verdicts(of("no"), of("yes"))} == {Verdict.UNKNOWN}


def test_a_deny_that_rests_on_a_default_that_changed_is_not_known():
    denied = {"Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}
    policy = {"Roles": [{"Ref": "R"}], "PolicyName": "no", "PolicyDocument": denied}

    def of(default):
        return template(
            {
                "R": role(allow("*")),
                "More": {"Type": "AWS::IAM::Policy", "Condition": "IsOn", "Properties": policy},
            },
            Parameters={"On": {"Type": "String", "Default": default}},
            Conditions={"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}},
        )

    assert (verdicts(of("yes"), of("yes")), verdicts(of("yes"), of("no"))) == ([], [Verdict.UNKNOWN])


def many_conditions(**conditions):
    """More unknown parts than are looked at one by one; the last condition decides about an administrator."""
    names = ("A", "B", "C", "D")
    equal = {f"Is{name}": {"Fn::Equals": [{"Ref": name}, "x"]} for name in names}
    arns = [{"Fn::If": [f"Is{name}", f"arn:aws:iam::aws:policy/{name}", {"Ref": "AWS::NoValue"}]} for name in names]
    user = {"Type": "AWS::IAM::User", "Properties": {"ManagedPolicyArns": arns}}
    parameters = {name: {"Type": "String"} for name in names}
    return template({"User": user}, Parameters=parameters, Conditions=equal | conditions)


def test_a_condition_that_is_another_one_is_not_passed_over_where_there_are_too_many():
    swapped = {"Fn::Equals": ["x", {"Ref": "D"}]}
    other = {"Fn::Not": [{"Fn::Equals": [{"Ref": "D"}, "x"]}]}

    assert verdicts(many_conditions(), many_conditions(IsD=swapped)) == []
    assert verdicts(many_conditions(), many_conditions(IsD=other)) == [Verdict.UNKNOWN]


def test_a_document_as_json_text_is_read():
    def of(action, *, is_text=True):
        document = allow(action)
        return template({"R": role(json.dumps(document) if is_text else document)})

    assert verdicts(of("s3:GetObject"), of("s3:GetObject", is_text=False)) == []
    assert verdicts(of("s3:GetObject"), of("s3:*")) == [Verdict.BROADENED]


def test_a_document_that_the_template_makes_a_text_of_is_read():
    def of(action):
        document = allow(action, Principal={"Service": "es.amazonaws.com"})
        policy = {"Type": "AWS::Logs::ResourcePolicy", "Properties": {"PolicyDocument": {"Fn::ToJsonString": document}}}
        return template({"P": policy}, transform="AWS::LanguageExtensions")

    assert verdicts(of("logs:PutLogEvents"), of("logs:PutLogEvents")) == []
    assert verdicts(of("logs:PutLogEvents"), of("logs:*")) == [Verdict.BROADENED]


def test_a_reference_to_a_provider_is_its_arn():
    def by(reference):
        provider = {"Type": "AWS::IAM::OIDCProvider", "Properties": {}}
        return template({"O": provider, "R": role(allow("s3:*"), trusted({"Federated": reference}))})

    assert verdicts(by({"Ref": "O"}), by({"Fn::GetAtt": ["O", "Arn"]})) == []


def test_more_for_an_account_of_a_parameter_is_certain_though_a_service_is_trusted_too():
    def with_id(operator, value):
        account = {"AWS": {"Fn::Sub": "arn:aws:iam::${Other}:root"}}
        return template(
            {"R": role(allow("s3:*"), trusted(account, Condition={operator: {"sts:ExternalId": value}}))},
            Parameters={"Other": {"Type": "String"}},
        )

    assert verdicts(with_id("StringEquals", "abc"), with_id("StringLike", "a*")) == [Verdict.BROADENED]


def test_more_for_a_service_of_the_region_is_certain_though_an_account_is_allowed_all():
    def by(action):
        root = {"Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}}, "Action": "kms:*", "Resource": "*"}
        logs = {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}
        own = {"Effect": "Allow", "Principal": logs, "Action": action, "Resource": "*"}
        return template({"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [root, own]}}}})

    assert verdicts(by("kms:Encrypt"), by("kms:*")) == [Verdict.BROADENED]


def test_more_is_not_known_for_a_service_where_a_parameter_may_be_everyone():
    def by(action):
        anyone = {"Effect": "Allow", "Principal": {"AWS": {"Ref": "P"}}, "Action": "kms:*", "Resource": "*"}
        own = {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": action, "Resource": "*"}
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [anyone, own]}}}
        return template({"K": key}, Parameters={"P": {"Type": "String"}})

    assert verdicts(by("kms:Encrypt"), by("kms:*")) == [Verdict.UNKNOWN]


def test_a_region_that_is_not_known_hides_no_resource_more():
    def of(name):
        return template(
            {"R": role(allow("ssm:GetParameter", {"Fn::Sub": f"arn:aws:ssm:${{AWS::Region}}:1:parameter/{name}"}))}
        )

    assert verdicts(of("app/${AWS::StackName}"), of("*")) == [Verdict.BROADENED]
