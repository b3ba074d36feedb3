"""IAM decides about Secrets Manager with its condition keys, and on every right that one call needs."""

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow, policy

ALL = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:*"
OWNER = [{"Key": "steward:owner", "Value": "this-stack"}]


def client(aws, *statements):
    return aws.client("secretsmanager", aws.session(*statements))


def test_the_tag_of_a_secret_decides(aws, name):
    root = aws.client("secretsmanager")
    root.create_secret(Name=name, SecretString="one", Tags=OWNER)
    root.create_secret(Name=f"{name}-other", SecretString="one")
    condition = {"StringEquals": {"secretsmanager:ResourceTag/steward:owner": "this-stack"}}
    secrets = client(aws, allow("secretsmanager:PutSecretValue", resource=ALL, condition=condition))

    assert secrets.put_secret_value(SecretId=name, SecretString="two")["VersionId"]
    with pytest.raises(secrets.exceptions.ClientError, match="AccessDenied"):
        secrets.put_secret_value(SecretId=f"{name}-other", SecretString="two")


def test_a_secret_is_created_only_with_the_tag_that_the_right_asks_for(aws, name):
    condition = {"StringEquals": {"aws:RequestTag/steward:owner": "this-stack"}}
    rights = allow("secretsmanager:CreateSecret", "secretsmanager:TagResource", resource=ALL, condition=condition)
    secrets = client(aws, rights)

    with pytest.raises(secrets.exceptions.ClientError, match="AccessDenied"):
        secrets.create_secret(Name=name, SecretString="one")
    assert secrets.create_secret(Name=name, SecretString="one", Tags=OWNER)["VersionId"]


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("secretsmanager:TagResource", {"Tags": OWNER}),
        ("secretsmanager:ReplicateSecretToRegions", {"AddReplicaRegions": [{"Region": "eu-west-1"}]}),
    ],
)
def test_tags_and_replicas_of_a_new_secret_need_rights_of_their_own(aws, name, action, options):
    half = client(aws, allow("secretsmanager:CreateSecret", resource=ALL))
    whole = client(aws, allow("secretsmanager:CreateSecret", action, resource=ALL))

    with pytest.raises(half.exceptions.ClientError, match=action):
        half.create_secret(Name=name, SecretString="one", **options)
    assert whole.create_secret(Name=name, SecretString="one", **options)["VersionId"]


def test_a_label_of_a_version_decides(aws, name):
    aws.client("secretsmanager").create_secret(Name=name, SecretString="one")
    condition = {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
    secrets = client(aws, allow("secretsmanager:GetSecretValue", resource=ALL, condition=condition))

    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")["SecretString"] == "one"
    with pytest.raises(secrets.exceptions.ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=name, VersionStage="AWSPENDING")


def test_a_key_of_the_customer_asks_for_rights_of_its_own(aws, name):
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    aws.client("secretsmanager").create_secret(Name=name, SecretString="one", KmsKeyId=key)
    reading = allow("secretsmanager:GetSecretValue", resource=ALL)
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    half, whole = client(aws, reading), client(aws, reading, allow("kms:Decrypt", resource=key, condition=through))

    with pytest.raises(half.exceptions.ClientError, match="kms:Decrypt"):
        half.get_secret_value(SecretId=name)
    assert whole.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_the_policy_of_a_secret_keeps_all_but_its_readers_out(aws, name):
    role = f"reader-{name[-8:]}"
    root = aws.client("secretsmanager")
    root.create_secret(Name=name, SecretString="one")
    only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"],
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}},
    }
    root.put_resource_policy(SecretId=name, ResourcePolicy=policy(only), BlockPublicPolicy=True)
    rights = allow("secretsmanager:*")
    reader = aws.client("secretsmanager", aws.session(rights, role_name=role))
    other = client(aws, rights)

    assert reader.get_secret_value(SecretId=name)["SecretString"] == "one"
    assert other.describe_secret(SecretId=name)["Name"] == name
    with pytest.raises(other.exceptions.ClientError, match="AccessDenied"):
        other.get_secret_value(SecretId=name)
    assert other.batch_get_secret_value(SecretIdList=[name])["Errors"][0]["ErrorCode"] == "AccessDeniedException"


def test_a_text_that_is_no_policy_is_refused(aws, name):
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="one")

    for text in ("not a policy", "{}", policy(allow("secretsmanager:GetSecretValue"))):
        with pytest.raises(secrets.exceptions.MalformedPolicyDocumentException):
            secrets.put_resource_policy(SecretId=name, ResourcePolicy=text)


def test_a_public_policy_is_refused_where_that_is_asked_for(aws, name):
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="one")
    everybody = policy(allow("secretsmanager:GetSecretValue") | {"Principal": "*"})

    with pytest.raises(secrets.exceptions.PublicPolicyException):
        secrets.put_resource_policy(SecretId=name, ResourcePolicy=everybody, BlockPublicPolicy=True)

    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)
