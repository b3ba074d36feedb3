"""Which architecture a release is installed for."""

import pytest

from ecr_steward.commands.releases import Architecture, _architecture
from ecr_steward.errors import CommandError


def stack(architecture):
    return {"Parameters": [{"ParameterKey": "Architecture", "ParameterValue": architecture}]}


@pytest.mark.parametrize(
    ("asked", "given", "before", "chosen"),
    [
        (None, {}, None, "arm64"),
        (None, {}, {"StackName": "older"}, "arm64"),
        (None, {}, stack("x86_64"), "x86_64"),
        (None, {"Architecture": "x86_64"}, stack("arm64"), "x86_64"),
        (Architecture.ARM64, {}, stack("x86_64"), "arm64"),
    ],
)
def test_an_installed_stack_keeps_its_architecture_until_another_is_named(asked, given, before, chosen):
    assert _architecture(asked, given, before) == chosen


def test_a_release_has_no_other_architecture():
    with pytest.raises(CommandError, match=r"^riscv is no architecture of a release. Use arm64 or x86_64$"):
        _architecture(None, {"Architecture": "riscv"}, None)
