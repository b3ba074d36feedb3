"""The safety net: CloudTrail's event in; what is published and what is created."""

import pytest

from tests.functional.gateway import LambdaContext
from tests.functional.repository_provisioning.conftest import sample

ON_PUSH = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], on_push: true, daily_limit: 1}
  - {principals: ["self:user/alex"], repositories: ["team-a/**"]}
repositories: [{match: "**", name: default}]
"""


@pytest.fixture
def net(cold_start, house_rules):
    """The handler with the safety net in a mode."""
    house_rules(ON_PUSH)

    def spread(mode):
        handler = cold_start("repository_provisioning.catch_failed_push_handler", PUSH_SAFETY_NET=mode)
        return lambda event: handler.lambda_handler(event, LambdaContext())

    return spread


def names(ecr):
    return [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]


@pytest.mark.parametrize(
    ("event", "pushed_by"),
    [("failed_push_by_user", "123456789012:user/alex"), ("failed_push_by_role_session", "123456789012:role/ci-team-a")],
)
def test_a_net_that_reports_says_who_forgot_to_ask_and_creates_nothing(net, heard, ecr, event, pushed_by):
    net("report")(sample(event))

    (observed,) = heard()
    assert observed["detail-type"] == "PushToMissingRepositoryObserved"
    assert observed["detail"]["data"] == {
        "name": "team-a/web",
        "pushed_by": pushed_by,
        "outcome": "reported",
        "would_create": "default",
        "push_event_id": "2c7d1e9f-6b5a-4f3e-8d2c-1b0a9f8e7d6c",
    }
    assert names(ecr) == []


def test_a_net_that_creates_makes_the_push_succeed_when_it_is_run_again(net, heard, ecr):
    net("create")(sample("failed_push_by_role_session"))

    assert names(ecr) == ["team-a/web"]
    assert [event["detail-type"] for event in heard()] == ["RepositoryCreated", "PushToMissingRepositoryObserved"]


def test_a_right_to_push_alone_never_becomes_a_right_to_create(net, heard, ecr):
    net("create")(sample("failed_push_by_user"))

    (observed,) = heard()
    assert observed["detail"]["data"]["outcome"] == "reported"
    assert names(ecr) == []


def test_a_net_that_is_off_says_and_does_nothing(net, heard, ecr):
    net("off")(sample("failed_push_by_role_session"))

    assert heard() == []
    assert names(ecr) == []


@pytest.mark.parametrize(
    ("event", "pushed_by"),
    [
        ("failed_push_without_arn", "AWSAccount"),
        ("failed_push_to_another_registry", "123456789012:role/ci-team-a"),
    ],
)
def test_an_identity_without_arn_or_of_another_registry_is_only_reported(net, heard, ecr, event, pushed_by):
    net("create")(sample(event))

    (observed,) = heard()
    assert observed["detail"]["data"]["outcome"] == "unidentified"
    assert observed["detail"]["data"]["pushed_by"] == pushed_by
    assert observed["detail"]["data"]["would_create"] is None
    assert names(ecr) == []


def test_a_pusher_that_may_not_create_the_name_is_reported_as_denied(net, heard):
    event = sample("failed_push_by_role_session")
    event["detail"]["requestParameters"]["repositoryName"] = "team-b/web"

    net("create")(event)

    assert [e["detail"]["data"]["outcome"] for e in heard()] == ["denied"]


def test_a_name_that_is_none_is_reported_as_denied(net, heard):
    event = sample("failed_push_by_role_session")
    event["detail"]["requestParameters"]["repositoryName"] = "Team/Web"

    net("create")(event)

    assert [e["detail"]["data"]["outcome"] for e in heard()] == ["denied"]


def test_a_pusher_that_has_used_up_its_day_is_denied_and_not_tried_again(net, heard):
    catch = net("create")
    catch(sample("failed_push_by_role_session"))
    heard()
    event = sample("failed_push_by_role_session")
    event["detail"]["requestParameters"]["repositoryName"] = "team-a/second"

    catch(event)

    assert [e["detail"]["data"]["outcome"] for e in heard()] == ["denied"]


def test_the_failures_of_one_push_count_as_one(net, heard):
    catch = net("report")
    second = sample("failed_push_by_role_session")
    second["detail"]["eventID"] = "another layer of the same push"

    catch(sample("failed_push_by_role_session"))
    catch(second)

    assert len(heard()) == 1


def test_the_failures_of_two_pushers_count_as_two(net, heard):
    catch = net("report")

    catch(sample("failed_push_by_role_session"))
    catch(sample("failed_push_by_user"))

    assert len(heard()) == 2


def test_a_federated_user_is_who_the_gateway_would_say(net, heard):
    event = sample("failed_push_by_role_session")
    event["detail"]["userIdentity"] |= {
        "type": "FederatedUser",
        "arn": "arn:aws:sts::123456789012:federated-user/kim",
        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/broker"}},
    }

    net("report")(event)

    assert [e["detail"]["data"]["pushed_by"] for e in heard()] == ["123456789012:federated-user/kim"]


def test_an_event_that_names_no_repository_is_not_swallowed(net):
    event = sample("failed_push_by_user")
    event["detail"]["requestParameters"] = {}

    with pytest.raises(KeyError):
        net("report")(event)
