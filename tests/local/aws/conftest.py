"""One local AWS for all tests of a session; each test makes names of its own."""

import uuid

import pytest

from tests.local.aws.deployed import Project
from tests.local.aws.launched import launch, stop


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    """A local AWS without state on disk, for every test that makes its own names."""
    running = launch(tmp_path_factory.mktemp("aws"))
    yield running
    stop(running)


@pytest.fixture
def name():
    """A name that no other test has."""
    return f"team-a/{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The fixture's stack, deployed once; ``project.first_start`` is what that printed."""
    project = Project(tmp_path_factory.mktemp("deployed") / "project")
    project.first_start = project.run("start", SECRET_OF_THE_USER="told-to-no-function")  # type: ignore[attr-defined]
    yield project
    project.run("clean")
