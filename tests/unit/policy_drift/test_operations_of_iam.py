"""The table of IAM's operations holds every operation that botocore knows and that changes something."""

import re
from pathlib import Path

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.changes.claims import CLAIMING
from policy_drift.domain.changes.operations import OPERATIONS, Part, may_explain
from policy_drift.domain.finding import Kind

PAGE = Path(__file__).parents[3] / "docs" / "policy-drift.md"
READS = ("Get", "List", "Simulate", "Generate")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_every_operation_that_changes_something_is_in_the_table():
    known = botocore.session.get_session().get_service_model("iam").operation_names

    assert {name for name in known if not name.startswith(READS)} == OPERATIONS.keys()


def test_every_operation_without_a_finding_stands_in_the_documentation_with_its_reason():
    table = PAGE.read_text().partition("These operations change nothing that is reported")[2].partition("## ")[0]
    named = set(re.findall(r"`(\w+)`", table))
    tagging = {f"Untag{name.removeprefix('Tag')}" for name in named if name.startswith("Tag")}

    assert named | tagging == {name for name, part in OPERATIONS.items() if part is Part.NOT_COMPARED}


def test_every_operation_that_makes_something_beside_policies_has_a_claim():
    making = {
        name
        for name, part in OPERATIONS.items()
        if part in {Part.CREDENTIALS, Part.PROVIDERS, Part.FEDERATION, Part.PROFILES, Part.TAGS}
        and not name.startswith(("Delete", "Disable", "Remove"))
    }

    assert making == CLAIMING.keys()


def test_a_new_operation_may_explain_everything():
    assert all(may_explain("SomethingNew", kind) for kind in Kind)


@pytest.mark.parametrize(
    ("name", "kind", "may"),
    [
        ("PutRolePolicy", Kind.ACCESS, True),
        ("PutRolePolicy", Kind.TRUST, False),
        ("UpdateAssumeRolePolicy", Kind.TRUST, True),
        ("UpdateAssumeRolePolicy", Kind.ACCESS, False),
        ("CreatePolicyVersion", Kind.BOUNDARY, True),
        ("CreateAccessKey", Kind.ACCESS, False),
        ("CreateAccessKey", Kind.CREDENTIAL, True),
        ("PutRolePolicy", Kind.CREDENTIAL, False),
        ("CreateUser", Kind.CREDENTIAL, False),
        ("CreateSAMLProvider", Kind.PROVIDER, True),
        ("CreateSAMLProvider", Kind.BASELINE, False),
        ("CreateRole", Kind.TRUST, True),
        ("PutRolePolicy", Kind.UNMANAGED, True),
    ],
)
def test_a_call_explains_findings_of_the_part_that_it_changes(name, kind, may):
    assert may_explain(name, kind) is may


@given(
    st.fixed_dictionaries(
        {"eventSource": st.just("iam.amazonaws.com"), "eventName": st.sampled_from(sorted(OPERATIONS)) | JSON},
        optional={
            "eventID": JSON,
            "eventTime": JSON | st.datetimes().map(str),
            "userIdentity": JSON,
            "requestParameters": JSON | st.dictionaries(st.sampled_from(["roleName", "policyArn", "policyName"]), JSON),
            "responseElements": JSON,
            "readOnly": JSON,
        },
    )
)
def test_no_record_raises_an_error(record):
    event = change_event(record)
    assert event is None or event.change.at.tzinfo is not None
