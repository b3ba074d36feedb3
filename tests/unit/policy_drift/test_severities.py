"""A line of the operator's ``severities.yaml`` changes one severity of drift, and no other."""

from policy_drift.domain.comparison import drifts as comparison
from policy_drift.domain.finding import Kind
from steward import settings
from steward.severities import Severities
from steward.severity import Severity
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import account, allow, role, user


def test_one_line_changes_one_severity(tmp_path):
    (tmp_path / "severities.yaml").write_text("drift: {missing: HIGH}\n")
    own = settings.load(settings.locate("severities.yaml", tmp_path), Severities).drift
    approved, live = account(user("gone")), account(role("new", allow("s3:GetObject")))

    shipped = {one.kind: one.severity for one in drifts(approved, live).found}
    changed = {one.kind: one.severity for one in comparison.drifts(approved, live, severities=own).found}

    assert shipped[Kind.MISSING] is Severity.LOW
    assert changed == shipped | {Kind.MISSING: Severity.HIGH}
