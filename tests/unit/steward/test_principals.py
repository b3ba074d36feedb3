"""Who calls, in one form, wherever the request came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.principals import Principal, PrincipalPattern

NAMES = st.from_regex(r"[A-Za-z0-9+=,.@_-]{1,20}", fullmatch=True)
PATHS = st.lists(NAMES, max_size=3).map(lambda parts: "".join(f"{part}/" for part in parts))
ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)
PARTITIONS = st.sampled_from(["aws", "aws-cn", "aws-us-gov"])


@given(PARTITIONS, ACCOUNTS, PATHS, NAMES, NAMES)
def test_a_role_is_the_same_by_its_own_arn_and_by_any_of_its_sessions(partition, account, path, name, session):
    by_role = Principal.from_arn(f"arn:{partition}:iam::{account}:role/{path}{name}")
    by_session = Principal.from_arn(f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}")

    assert by_role == by_session == Principal(account, "role", name)
    assert str(by_role) == f"{account}:role/{name}"


@given(ACCOUNTS, PATHS, NAMES)
def test_a_user_is_the_same_below_any_path(account, path, name):
    assert Principal.from_arn(f"arn:aws:iam::{account}:user/{path}{name}") == Principal(account, "user", name)


@pytest.mark.parametrize(
    ("arn", "canonical"),
    [
        ("arn:aws:sts::123456789012:federated-user/kim", "123456789012:federated-user/kim"),
        ("arn:aws:iam::123456789012:root", "123456789012:root"),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_1/kim@example.com",
            "123456789012:role/AWSReservedSSO_Dev_1",
        ),
    ],
)
def test_every_kind_of_identity_has_a_canonical_form(arn, canonical):
    assert str(Principal.from_arn(arn)) == canonical


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "*",
        "123456789012",
        "arn:aws:iam::123456789012:role",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/path/",
        "arn:aws:iam::123456789012:root/extra",
        "arn:aws:iam::123456789012:group/admins",
        "arn:aws:iam::12345678901:user/alex",
        "arn:aws:s3::123456789012:user/alex",
        "arn:aws:sts::123456789012:assumed-role/",
        "arn:aws:sts::123456789012:assumed-role//session",
        "arn:aws:iam::123456789012:user/alex\n",
        "arn:aws:iam:eu-west-1:123456789012:user/alex",
    ],
)
def test_a_pattern_that_names_no_principal_is_refused(arn):
    with pytest.raises(ValueError, match="is not the ARN of a user, a role, a session or an account's root"):
        Principal.from_arn(arn)


@given(st.text(max_size=60))
def test_any_text_names_a_principal_or_is_refused(text):
    try:
        principal = Principal.from_arn(text)
    except ValueError:
        return
    assert principal.kind in {"role", "user", "federated-user", "root"}


@pytest.mark.parametrize(
    ("pattern", "principal"),
    [
        ("123456789012:role/ci-*", "123456789012:role/ci-team-a"),
        ("123456789012:role/ci-?", "123456789012:role/ci-1"),
        ("123456789012:user/alex", "123456789012:user/alex"),
        ("123456789012:*", "123456789012:root"),
        ("self:*", "111111111111:role/anything"),
        ("self:root", "111111111111:root"),
        ("self:federated-user/*", "111111111111:federated-user/kim"),
    ],
)
def test_a_pattern_means_a_principal(pattern, principal):
    assert PrincipalPattern(pattern).matches(parsed(principal), own_account="111111111111")


@pytest.mark.parametrize(
    ("pattern", "principal"),
    [
        ("123456789012:role/ci-*", "210987654321:role/ci-team-a"),
        ("123456789012:role/ci-*", "123456789012:user/ci-team-a"),
        ("123456789012:role/ci-*", "123456789012:role/CI-team-a"),
        ("123456789012:role/ci-?", "123456789012:role/ci-10"),
        ("self:*", "123456789012:role/anything"),
        ("123456789012:role/*", "123456789012:root"),
    ],
)
def test_a_pattern_does_not_mean_a_principal(pattern, principal):
    assert not PrincipalPattern(pattern).matches(parsed(principal), own_account="111111111111")


def parsed(text):
    account, _, local = text.partition(":")
    kind, _, name = local.partition("/")
    return Principal(account, kind, name)


@given(ACCOUNTS, NAMES)
def test_self_means_no_principal_of_another_account(account, name):
    assert PrincipalPattern("self:*").matches(Principal(account, "role", name), own_account=account)
    assert not PrincipalPattern("self:*").matches(Principal(account, "role", name), own_account=f"{account}0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*:*",
        "self",
        "self:",
        "12345678901*:role/x",
        "123456789012:role/[ab]",
        "123456789012:group/x",
        "123456789012:role",
        "arn:aws:iam::123456789012:role/x",
        "123456789012:role/path/x",
        "self:*\n",
    ],
)
def test_what_is_no_pattern_is_refused_with_how_to_write_one(text):
    with pytest.raises(ValueError, match=r"write <account>:<kind>/<name>.*the account takes no wildcard"):
        PrincipalPattern(text)


PATTERNS = st.builds(
    lambda account, name: PrincipalPattern(f"{account}:{name}"),
    st.sampled_from(["self", "123456789012"]),
    st.sampled_from(["*", "root", "role/*", "role/a*", "role/a?", "role/ab", "user/*", "role/?*", "role/*b"]),
)


@given(PATTERNS, PATTERNS, st.sampled_from(["root", "role"]), st.text("ab", max_size=3))
def test_a_covered_pattern_means_no_principal_beyond_the_wider(wide, narrow, kind, name):
    principal = Principal("123456789012", kind, name if kind == "role" else "")
    narrow_matches = narrow.matches(principal, own_account="123456789012")

    assert wide.covers(wide)
    assert not (wide.covers(narrow) and narrow_matches) or wide.matches(principal, own_account="123456789012")
