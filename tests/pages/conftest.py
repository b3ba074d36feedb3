"""One stack for all pages, as `make start` leaves it: deployed, with both stacks, and demonstrated."""

import pytest

from tests.builds import PARTS
from tests.local.aws.held_answers import unlike_the_model_of_aws
from tests.local.aws.launched import ACCOUNT
from tests.local.stack import Stack
from tests.pages.ready_cli import ready_cli
from tests.pages.shell import aws_cli
from tests.pages.world import World

DEPLOYER, REPAIR = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("deployer", "on-call-repair"))
"""The people of the pages whose roles the stack names; the account's owner puts messages into the queues."""
PARAMETERS = (
    f'"OnCallRights=repair", "BaselineDeployers={DEPLOYER}", '
    f'"ChannelOperators={DEPLOYER},{REPAIR},arn:aws:iam::{ACCOUNT}:root"'
)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The stack with the shipped settings, and with the people of the pages in its parameters."""
    stack = Stack(tmp_path_factory.mktemp("pages"), (*PARTS, "global-events.yaml"))
    stack.edit('"Platform=local"', f'"Platform=local", {PARAMETERS}', file="samconfig.toml")
    started = stack.run("start", "--headlines")
    assert started.returncode == 0, started.stdout + started.stderr
    stack.first_start = started  # type: ignore[attr-defined]
    yield stack
    stack.run("clean")
    assert unlike_the_model_of_aws(stack.answers) == {}


@pytest.fixture(scope="session")
def world(stack):
    """The people and the states of the pages; a stack has each person once."""
    return World(stack)


@pytest.fixture(scope="session")
def cli_folder(tmp_path_factory):
    """The folder of the AWS CLI that the pages' commands call."""
    with ready_cli(aws_cli(), tmp_path_factory.mktemp("cli") / "bin") as folder:
        yield folder
