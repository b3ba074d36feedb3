"""Each role's actions are needed: without any one, its probe in ``proven_actions`` fails on the deployed stack."""

import pytest

from tests.local.conftest import SECRETS_KEY
from tests.local.drift_probes import DriftProbes
from tests.local.health_probes import HealthProbes
from tests.local.proven_actions import ROLES, Probed
from tests.local.provisioning_probes import ProvisioningProbes
from tests.local.role_rights import RoleRights
from tests.local.rotation_probes import RotationProbes

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
def rights(stack):
    return RoleRights(stack.aws)


@pytest.fixture(scope="session")
def probes(stack, probe, rights):
    """Role -> who tries the work of its function."""
    provisioning, rotation = ProvisioningProbes(stack, probe, rights), RotationProbes(stack, rights, SECRETS_KEY)
    drift = DriftProbes(stack, rights)
    health = HealthProbes(stack, probe)
    own = {role: probes for probes in (provisioning, drift, health) for role in probes.roles}
    return dict.fromkeys(ROLES, rotation) | own


@pytest.mark.parametrize(("role", "probed"), PROBES)
def test_with_all_its_actions_a_function_does_its_work(probes, role, probed):
    probes[role].prepare(probed)

    assert probes[role].run(role, probed)


@pytest.mark.parametrize(("role", "entry"), CASES)
def test_without_an_action_a_function_cannot_do_its_work(probes, rights, role, entry):
    probes[role].prepare(entry.probe)

    with rights.without(role, entry.action, entry.sid):
        assert not probes[role].run(role, entry.probe)
