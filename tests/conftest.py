"""What holds for all suites."""

from pathlib import Path

from hypothesis import HealthCheck, is_hypothesis_test, settings
from xdist.scheduler import LoadFileScheduling

# A busy machine is no failure of the code.
settings.register_profile("steward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steward")

MEASURED = {"contract", "functional", "unit"}
"""The suites whose coverage counts."""
LONG = {"attacks", "local", "packaging", "pages"}
"""The suites whose files take minutes. They come first: at the end, one worker would wait for the other's."""

OF_ONE_STACK = ("tests/attacks", "tests/pages", "tests/local/aws", "tests/local")
"""Folders whose files share a deployed stack."""
OF_THEIR_OWN = tuple(
    f"tests/local/test_{name}.py"
    for name in ("access_key_rotation", "contract_fuzzing", "least_privilege", "policy_drift", "release", "upgrade")
)
"""Files in them that deploy one of their own, need one without the data of others, or take long."""


class ByStack(LoadFileScheduling):
    """Gives a worker whole files, and all files that share a stack to the same one: so it is deployed once."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        if file in OF_THEIR_OWN:
            return file
        return next((folder for folder in OF_ONE_STACK if file.startswith(f"{folder}/")), file)


def pytest_xdist_make_scheduler(config, log):
    """Called by xdist alone."""
    return ByStack(config, log)


def pytest_collection_modifyitems(items):
    """Coverage counts what the examples of the code itself reach: corpora and properties run the same lines a thousand
    times, and the tests of the deployed stack run none of them in their own process.
    """
    items.sort(key=lambda item: _suite(item) not in LONG)
    for item in items:
        if _suite(item) not in MEASURED or is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


def _suite(item):
    return item.path.relative_to(Path(__file__).parent).parts[0]
