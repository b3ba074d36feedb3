"""IAM decides about users on their path and their tags."""

import pytest

from tests.local.aws.launched import ACCOUNT, allow

SERVICE_USERS = f"arn:aws:iam::{ACCOUNT}:user/service/*"
TAGGED = {"StringEquals": {"iam:ResourceTag/steward:rotate": "true"}}
OF_KEYS = ("iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed")


@pytest.fixture
def make_user(aws, name):
    """Makes a user at a path, with the tag or without."""

    def make(path="/service/", rotate="true"):
        user = f"{path.strip('/') or 'root'}-{rotate}-{name[-8:]}"
        aws.client("iam").create_user(UserName=user, Path=path, Tags=[{"Key": "steward:rotate", "Value": rotate}])
        return user

    return make


@pytest.fixture
def rotator(aws):
    """IAM with rights on keys of the tagged users below /service/."""
    return aws.client("iam", aws.session(allow(*OF_KEYS, resource=SERVICE_USERS, condition=TAGGED)))


def test_a_right_below_a_path_with_a_tag_covers_every_call_about_keys(rotator, make_user):
    user = make_user()

    key = rotator.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    rotator.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    used = rotator.get_access_key_last_used(AccessKeyId=key)
    rotator.delete_access_key(UserName=user, AccessKeyId=key)

    assert used["UserName"] == user


@pytest.mark.parametrize(("path", "rotate"), [("/", "true"), ("/service/", "false"), ("/services/", "true")])
def test_a_user_elsewhere_or_without_the_tag_is_out_of_reach(aws, rotator, make_user, path, rotate):
    user = make_user(path, rotate)

    with pytest.raises(rotator.exceptions.ClientError, match="AccessDenied"):
        rotator.create_access_key(UserName=user)

    assert aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"] == []


def test_the_key_of_a_user_elsewhere_is_out_of_reach_by_its_id_alone(aws, rotator, make_user):
    user = make_user("/")
    key = aws.client("iam").create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]

    with pytest.raises(rotator.exceptions.ClientError, match="AccessDenied"):
        rotator.get_access_key_last_used(AccessKeyId=key)


def test_a_user_is_created_at_the_path_that_the_right_names(aws, name):
    iam = aws.client("iam", aws.session(allow("iam:CreateUser", resource=SERVICE_USERS)))

    created = iam.create_user(UserName=name[-8:], Path="/service/")["User"]

    assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/service/{name[-8:]}"
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.create_user(UserName=f"{name[-8:]}-2")


def test_membership_is_a_right_on_the_group(aws, make_user, name):
    user, group = make_user(), f"group-{name[-8:]}"
    aws.client("iam").create_group(GroupName=group, Path="/ecr/")
    of_users = aws.client("iam", aws.session(allow("iam:AddUserToGroup", resource=SERVICE_USERS)))
    of_groups = aws.client(
        "iam", aws.session(allow("iam:AddUserToGroup", resource=f"arn:aws:iam::{ACCOUNT}:group/ecr/*"))
    )

    with pytest.raises(of_users.exceptions.ClientError, match="AccessDenied"):
        of_users.add_user_to_group(GroupName=group, UserName=user)
    of_groups.add_user_to_group(GroupName=group, UserName=user)

    assert [member["UserName"] for member in aws.client("iam").get_group(GroupName=group)["Users"]] == [user]


def test_an_identity_provider_is_decided_on_by_its_arn(aws, name):
    of_oidc = allow("iam:GetOpenIDConnectProvider", resource=f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name[-8:]}*")
    reader, iam = aws.client("iam", aws.session(of_oidc)), aws.client("iam")
    one, another = (
        iam.create_open_id_connect_provider(Url=f"https://{host}.example.com", ThumbprintList=["a" * 40])
        for host in (name[-8:], f"other-{name[-8:]}")
    )

    assert reader.get_open_id_connect_provider(OpenIDConnectProviderArn=one["OpenIDConnectProviderArn"])
    with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
        reader.get_open_id_connect_provider(OpenIDConnectProviderArn=another["OpenIDConnectProviderArn"])


def test_a_request_tag_decides_who_may_enrol(aws, name):
    ordinary = {"StringEquals": {"aws:RequestTag/steward:rotate": "false"}}
    iam = aws.client("iam", aws.session(allow("iam:CreateUser", "iam:TagUser", condition=ordinary)))

    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.create_user(UserName=name[-8:], Tags=[{"Key": "steward:rotate", "Value": "true"}])


def test_a_right_to_detach_a_policy_is_one_to_detach_no_other(aws, make_user):
    """As people on call have it, for the quarantine of a user whose key leaked."""
    user, quarantine = make_user(), "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine"
    other = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    for policy in (f"{quarantine}V3", other):
        aws.client("iam").attach_user_policy(UserName=user, PolicyArn=policy)
    named = {"ArnLike": {"iam:PolicyARN": f"{quarantine}*"}}
    iam = aws.client("iam", aws.session(allow("iam:DetachUserPolicy", resource=SERVICE_USERS, condition=named)))

    iam.detach_user_policy(UserName=user, PolicyArn=f"{quarantine}V3")
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.detach_user_policy(UserName=user, PolicyArn=other)
