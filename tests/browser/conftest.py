"""The documentation site, built once."""

import pytest

from scripts.site import build


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site of this version."""
    return build(tmp_path_factory.mktemp("site"))
