import shutil

import pytest

from tests import builds


@pytest.fixture(scope="session")
def interpreter():
    """The bare interpreter of the functions' runtime: no environment, no site-packages of ours."""
    return builds.INTERPRETER


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A copy of what `make build` makes of the project, for the machine that the tests run on."""
    folder = tmp_path_factory.mktemp("packaging")
    sources = folder / "sources"
    builds.copy_parts(builds.PROJECT, sources)
    shutil.copytree(
        builds.PROJECT / "tests" / "layers" / "settings", sources / "layers" / "settings", dirs_exist_ok=True
    )
    shutil.copytree(builds.built(sources, tmp_path_factory.getbasetemp()), folder / "build")
    return folder / "build"
