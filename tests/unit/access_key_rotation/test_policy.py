"""What an operator may write, and what a user's tags may change about it."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.policy import (
    MAX_AGE_TAG,
    ROTATE_AFTER_TAG,
    Exemption,
    FreezeWindow,
    Override,
    RotationSettings,
    Times,
    Verification,
    policy_of,
)
from steward import settings
from steward.errors import RuleViolationError, SettingsError

PUSH = UserName("ecr-push")
NAMES = st.text(alphabet="abcXYZ019_+=,.@-", min_size=1, max_size=64)


def test_the_shipped_settings_are_sound():
    assert settings.load(settings.locate("rotation.yaml"), RotationSettings).times == Times()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("times: {rotate_after_days: 85}", "must not exceed max_age_days"),
        ("times: {quiet_days: 0}", "longer than nothing"),
        ("verify: {successes: 1}", "fewer than 3"),
        ("exempt: [{user: x, reason: '', until: 2027-01-01}]", "needs a reason"),
        ("exempt: [{user: x, reason: y, until: soon}]", "until"),
        ("exempt: [{user: x, reason: y}]", "until"),
        ("freeze: [{starts: 2027-01-02, ends: 2027-01-01}]", "ends"),
        ("rotate_after: 60", "unknown key"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_file_and_line(tmp_path, line, complaint):
    path = tmp_path / "rotation.yaml"
    path.write_text(f"# settings\n{line}\n")

    with pytest.raises(SettingsError, match=rf"rotation.yaml:2: .*{complaint}"):
        settings.load(path, RotationSettings)


def test_an_override_changes_what_it_names_and_nothing_else():
    times, readers = Times(rotate_after_days=30), ("arn:aws:iam::123456789012:role/deploy",)
    overrides = (Override(match="ecr-*", times=times), Override(match="*", secret_readers=()))
    wanted = RotationSettings(overrides=overrides, secret_readers=readers)

    push, other = policy_of(wanted, PUSH, {}), policy_of(wanted, UserName("other"), {})

    assert (push.times, push.secret_readers) == (times, readers)
    assert (other.times, other.secret_readers) == (Times(), ())


@pytest.mark.parametrize(
    ("regions", "replicas", "everywhere"),
    [
        ((), (), ("ca-central-1",)),
        ((), ("eu-west-1",), ("ca-central-1", "eu-west-1")),
        (("us-east-1",), (), ("us-east-1",)),
        (("us-east-1", "eu-west-1"), ("eu-west-1", "ca-central-1"), ("us-east-1", "eu-west-1", "ca-central-1")),
    ],
)
def test_a_key_must_work_where_consumers_call_and_wherever_its_secret_is_read(regions, replicas, everywhere):
    wanted = RotationSettings(verify=Verification(regions=regions), replica_regions=replicas)

    assert wanted.at_home_in("ca-central-1").verify.regions == everywhere


def test_the_home_region_is_no_replica():
    wanted = RotationSettings(replica_regions=("ca-central-1", "eu-west-1"))

    assert wanted.at_home_in("ca-central-1").replica_regions == ("eu-west-1",)


@given(days=st.floats(min_value=0.5, max_value=10_000))
def test_a_tag_never_lengthens_a_time(days):
    policy = policy_of(RotationSettings(), PUSH, {ROTATE_AFTER_TAG: str(days)})

    assert policy.times.rotate_after_days <= 60


@pytest.mark.parametrize("text", ["often", "0", "-3", "nan"])
def test_a_tag_that_is_no_number_of_days_is_an_error_and_not_ignored(text):
    with pytest.raises(RuleViolationError, match=ROTATE_AFTER_TAG if text != "often" else "often"):
        policy_of(RotationSettings(), PUSH, {ROTATE_AFTER_TAG: text})


def test_a_tag_that_leaves_no_time_to_rotate_is_an_error():
    with pytest.raises(RuleViolationError, match="must not exceed"):
        policy_of(RotationSettings(), PUSH, {MAX_AGE_TAG: "10"})


def test_an_exemption_ends_with_its_day():
    exemption = Exemption(user=PUSH, reason="old appliance", until=date(2026, 5, 4))
    policy = policy_of(RotationSettings(exempt=(exemption,)), PUSH, {})

    assert policy.exempt_until(datetime(2026, 5, 4, 23, 59, tzinfo=UTC)) == datetime(2026, 5, 5, tzinfo=UTC)
    assert policy.exempt_until(datetime(2026, 5, 5, tzinfo=UTC)) is None


def test_a_freeze_holds_on_its_first_and_its_last_day():
    window = FreezeWindow(starts=date(2026, 12, 18), ends=date(2027, 1, 4))

    assert window.holds(datetime(2026, 12, 18, tzinfo=UTC))
    assert window.holds(datetime(2027, 1, 4, 23, 59, tzinfo=UTC))
    assert not window.holds(datetime(2027, 1, 5, tzinfo=UTC))


def test_giving_up_comes_after_the_proof():
    with pytest.raises(ValueError, match="longer than over_seconds"):
        Verification(over_seconds=60, give_up_after_seconds=60)


@given(NAMES)
def test_the_name_of_a_secret_leads_back_to_its_user(name):
    user = UserName(name)

    assert UserName.of_secret(user.secret_name) == user
    assert UserName.of_secret(f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{user.secret_name}-AbC1dE") == user


def test_a_name_with_a_path_is_refused():
    with pytest.raises(RuleViolationError, match="without a path"):
        UserName("service/ecr-push")
