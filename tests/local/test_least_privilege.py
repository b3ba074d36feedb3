"""Each role's actions are needed: without any one, its probe in ``proven_actions`` fails on the deployed stack."""

import pytest

from tests.local.proven_actions import ROLES, Probed
from tests.local.role_probes import RoleProbes

CASES = [
    pytest.param(role, entry, id=f"{role}-{entry.action}{entry.sid and '-' + entry.sid}")
    for role, entries in ROLES.items()
    for entry in entries
    if isinstance(entry, Probed)
]
PROBES = sorted(
    {(role, entry.probe) for role, entries in ROLES.items() for entry in entries if isinstance(entry, Probed)}
)


@pytest.fixture(scope="session")
def probes(stack, probe):
    return RoleProbes(stack, probe)


@pytest.mark.parametrize(("role", "probed"), PROBES)
def test_with_all_its_actions_a_function_does_its_work(probes, role, probed):
    assert probes.run(role, probed)


@pytest.mark.parametrize(("role", "entry"), CASES)
def test_without_an_action_a_function_cannot_do_its_work(probes, role, entry):
    with probes.without(role, entry.action, entry.sid):
        assert not probes.run(role, entry.probe)
