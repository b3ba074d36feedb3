"""Versions of secrets: named by the caller's token, never overwritten, empty until they have a value."""

import uuid

import pytest


@pytest.fixture
def secrets(aws):
    return aws.client("secretsmanager")


@pytest.fixture
def token():
    return str(uuid.uuid4())


def stages(secrets, name):
    return secrets.describe_secret(SecretId=name).get("VersionIdsToStages", {})


def test_the_token_names_the_first_version_and_the_same_call_again_changes_nothing(secrets, name, token):
    first = secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=token)
    again = secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=token)

    assert first["VersionId"] == again["VersionId"] == token
    assert stages(secrets, name) == {token: ["AWSCURRENT"]}


def test_a_name_that_is_taken_is_refused_with_another_value_or_token(secrets, name, token):
    secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=token)

    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name=name, SecretString="two", ClientRequestToken=token)
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name=name, SecretString="one")


def test_the_name_of_a_secret_that_waits_for_its_deletion_is_not_free(secrets, name):
    secrets.create_secret(Name=name, SecretString="one")
    secrets.delete_secret(SecretId=name)

    with pytest.raises(secrets.exceptions.InvalidRequestException, match="scheduled for deletion"):
        secrets.create_secret(Name=name, SecretString="two")


def test_a_secret_without_a_value_has_no_version(secrets, name):
    created = secrets.create_secret(Name=name)

    assert "VersionId" not in created
    assert stages(secrets, name) == {}
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=name)


def test_replicas_are_made_with_the_secret(aws, secrets, name):
    created = secrets.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": "eu-west-1"}])

    replica = aws.client("secretsmanager", region="eu-west-1").get_secret_value(SecretId=name)
    assert created["ReplicationStatus"][0]["Status"] == "InSync"
    assert replica["SecretString"] == "one"


def test_a_version_keeps_its_value(secrets, name, token):
    secrets.create_secret(Name=name, SecretString="one")
    pending = {"SecretId": name, "ClientRequestToken": token, "VersionStages": ["AWSPENDING"]}
    secrets.put_secret_value(SecretString="two", **pending)

    again = secrets.put_secret_value(SecretString="two", **pending)
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.put_secret_value(SecretString="three", **pending)

    assert again["VersionId"] == token
    assert secrets.get_secret_value(SecretId=name, VersionId=token)["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_pending_moves_to_the_version_that_is_put_last(secrets, name, token):
    current = secrets.create_secret(Name=name, SecretString="one")["VersionId"]
    secrets.put_secret_value(SecretId=name, SecretString="two", VersionStages=["AWSPENDING"])

    secrets.put_secret_value(
        SecretId=name, SecretString="three", VersionStages=["AWSPENDING"], ClientRequestToken=token
    )

    assert stages(secrets, name) == {current: ["AWSCURRENT"], token: ["AWSPENDING"]}


def test_a_version_does_not_answer_for_a_label_that_it_has_not(secrets, name):
    current = secrets.create_secret(Name=name, SecretString="one")["VersionId"]

    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=name, VersionId=current, VersionStage="AWSPENDING")


def test_a_promotion_is_a_comparison_and_an_exchange(secrets, name, token):
    current = secrets.create_secret(Name=name, SecretString="one")["VersionId"]
    secrets.put_secret_value(SecretId=name, SecretString="two", VersionStages=["AWSPENDING"], ClientRequestToken=token)
    promotion = {"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": token}

    with pytest.raises(secrets.exceptions.InvalidParameterException):
        secrets.update_secret_version_stage(**promotion)
    secrets.update_secret_version_stage(RemoveFromVersionId=current, **promotion)

    assert stages(secrets, name) == {current: ["AWSPREVIOUS"], token: ["AWSPENDING", "AWSCURRENT"]}
