"""One deployed stack for all attacks, with IAM enforced, and the people who attack it with the rights they have."""

import json
import time
import uuid

import pytest

from tests.attacks.attacked_stack import OPERATOR, AttackedStack
from tests.local.aws.launched import ACCOUNT, allow
from tests.local.subscriber import Subscriber


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The stack of template.yaml with a first baseline."""
    stack = AttackedStack(tmp_path_factory.mktemp("attacked"))
    stack.start()
    yield stack
    stack.run("clean")


@pytest.fixture(scope="session")
def developer(stack):
    """The key of a developer who may do everything but change IAM, as AWS's PowerUserAccess allows."""
    everything = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
    return stack.aws.session(everything, role_name="developer")


@pytest.fixture(scope="session")
def operator(stack):
    """The key of an operator who may redrive dead letters."""
    return stack.aws.session(allow("sqs:*"), role_name=OPERATOR)


@pytest.fixture(scope="session")
def refused(stack):
    """Expects AWS to refuse a call, and keeps what it answers for the summary of the run."""
    return stack.refused


@pytest.fixture
def unique():
    """A name that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def alerts(stack):
    """Everything that is published on the topic of alerts."""
    return Subscriber(stack)


@pytest.fixture(scope="session")
def events(stack):
    """Everything that the steward publishes."""
    return stack.listener()


@pytest.fixture
def role(stack, unique):
    """A role that the baseline does not have."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    stack.aws.client("iam").create_role(RoleName=unique, AssumeRolePolicyDocument=document)
    time.sleep(0.1)
    return unique


def pytest_terminal_summary(terminalreporter, config):
    """With -v, the refusals as AWS words them."""
    if config.get_verbosity() < 1:
        return
    for attack, answer in AttackedStack.refusals:
        terminalreporter.write_line(f"{attack}: {answer}")
