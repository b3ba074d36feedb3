"""What an operator may write, and what a user's tags may change about it."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.domain.names import ReaderArn, UserName
from access_key_rotation.domain.settings import (
    MAX_AGE_TAG,
    ROTATE_AFTER_TAG,
    Exemption,
    FreezeWindow,
    OtherTimes,
    Override,
    RotationSettings,
    Verification,
    settings_of,
)
from steward import settings
from steward.errors import RuleViolationError, SettingsError, ValidationError
from tests.doubles.rotation_settings import rotation_settings, times

PUSH = UserName("ecr-push")
NAMES = st.text(alphabet="abcXYZ019_+=,.@-", min_size=1, max_size=64)


def read(own):
    """The shipped settings with an operator's file over them, as a function reads them."""
    return settings.read((settings.shipped("rotation.yaml"), own), RotationSettings)


def test_the_length_of_each_phase_has_no_default_but_the_shipped_files(tmp_path):
    own = tmp_path / "rotation.yaml"
    own.write_text("times: {rotate_after_days: 60}\n")

    with pytest.raises(SettingsError, match=r"rotation.yaml:1: times: .*max_age_days"):
        settings.load(own, RotationSettings)
    assert read(own).value.times == rotation_settings().times


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("times: {rotate_after_days: 85}", "must not exceed max_age_days"),
        ("times: {drain_days: 0}", "longer than nothing"),
        ("verify: {successes: 1}", "fewer than 3"),
        ("exempt: [{user: x, reason: '', until: 2027-01-01}]", "needs a reason"),
        ("exempt: [{user: x, reason: y, until: soon}]", "until"),
        ("exempt: [{user: x, reason: y}]", "until"),
        ("freeze: [{starts: 2027-01-02, ends: 2027-01-01}]", "ends"),
        ("rotate_after: 60", "unknown key"),
        ("times: {drain_days: .nan}", "drain_days: is not a finite number"),
        ("times: {max_age_days: .inf}", "max_age_days: is not a finite number"),
        ("verify: {give_up_after_seconds: .inf}", "give_up_after_seconds: is not a finite number"),
        ("last_use_granularity_minutes: .nan", "last_use_granularity_minutes: is not a finite number"),
        ("times: {max_age_days: 1001}", "at most 1000"),
        ("overrides: [{match: x, times: {max_age_days: 1001}}]", r"overrides\[0\].times: .*at most 1000"),
        ("verify: {give_up_after_seconds: 231}", "must not exceed 240"),
        ("verify: {over_seconds: 119, give_up_after_seconds: 122}", "must not exceed 240"),
        ("verify: {proofs_per_run: 0}", "at least 1"),
        ("last_use_granularity_minutes: -1", "never less than 0"),
        ("secret_readers: [ci-runner]", r"secret_readers\[0\]: .*write arn:aws:iam::123456789012:role/NAME"),
        ('secret_readers: ["*"]', "no reader"),
        ('secret_readers: ["arn:aws:iam::1234:role/ci"]', "no reader"),
        ('secret_readers: ["arn:aws:iam::123456789012:group/ci"]', "no reader"),
        ('secret_readers: ["arn:aws:iam::123456789012:instance-profile/ci"]', "no reader"),
        ('overrides: [{match: x, secret_readers: ["arn:aws:sts::123456789012:user/ci"]}]', "no reader"),
        (
            'secret_readers: ["arn:aws:sts::123456789012:assumed-role/ci/i-0abc"]',
            "write its role, arn:aws:iam::123456789012:role/ci,",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_file_and_line(tmp_path, line, complaint):
    path = tmp_path / "rotation.yaml"
    path.write_text(f"# settings\n{line}\n")

    with pytest.raises(SettingsError, match=rf"rotation.yaml:2: .*{complaint}"):
        read(path)


def test_the_line_of_an_override_that_leaves_no_time_with_the_files_own_times_is_named(tmp_path):
    path = tmp_path / "rotation.yaml"
    path.write_text(
        "times: {drain_days: 25}\n"
        "overrides:\n"
        "  - {match: a, times: {rotate_after_days: 30}}\n"
        "  - match: b\n"
        "    times: {rotate_after_days: 70}\n"
    )

    with pytest.raises(SettingsError, match=r"rotation.yaml:5: overrides\[1\].times: rotate_after_days \(70\)"):
        read(path)


def test_an_override_changes_what_it_names_and_nothing_else(tmp_path):
    """What it leaves out stays as the file has it, not as the file would be without a word."""
    path = tmp_path / "rotation.yaml"
    path.write_text(
        "times: {drain_days: 25, keep_inactive_days: 60}\n"
        "secret_readers: [arn:aws:iam::123456789012:role/deploy]\n"
        "overrides:\n"
        "  - {match: 'ecr-*', times: {rotate_after_days: 30}}\n"
        "  - {match: '*', secret_readers: []}\n"
    )
    wanted = read(path).value
    own = times(drain_days=25, keep_inactive_days=60)

    push, other = settings_of(wanted, PUSH, {}), settings_of(wanted, UserName("other"), {})

    assert (push.times, push.secret_readers) == (replace(own, rotate_after_days=30), wanted.secret_readers)
    assert (other.times, other.secret_readers) == (own, ())


def test_the_former_name_of_drain_days_is_read_with_a_warning(tmp_path):
    path = tmp_path / "rotation.yaml"
    path.write_text("times: {quiet_days: 9}\noverrides:\n  - {match: x, times: {quiet_days: 7}}\n")

    found = read(path)

    assert settings_of(found.value, PUSH, {}).times.drain_days == 9
    assert settings_of(found.value, UserName("x"), {}).times.drain_days == 7
    assert [(found.position(place), "drain_days" in text) for place, text in found.renamed] == [
        (f"{path}:1", True),
        (f"{path}:3", True),
    ]


DAYS = st.none() | st.floats(min_value=0.1, max_value=400)


@given(st.builds(OtherTimes, **{time.name: DAYS for time in fields(OtherTimes)}))
def test_what_an_override_makes_of_the_times_is_refused_when_the_settings_are_read_or_holds(other):
    try:
        wanted = rotation_settings(overrides=(Override(match="*", times=other),))
    except ValidationError as refused:
        assert refused.path == ("overrides", 0, "times")  # noqa: PT017 - or it holds
        return
    made = settings_of(wanted, PUSH, {}).times
    for time in fields(OtherTimes):
        own = getattr(other, time.name)
        assert getattr(made, time.name) == (getattr(times(), time.name) if own is None else own)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/deploy",
        "arn:aws:iam::123456789012:role/ci/runner",
        "arn:aws:iam::123456789012:role/ci-*",
        "arn:aws:iam::123456789012:user/service/ecr-push",
        "arn:aws-us-gov:iam::123456789012:role/deploy",
        "arn:aws:sts::123456789012:federated-user/broker",
        "arn:aws:iam::123456789012:root",
    ],
)
def test_a_reader_is_named_by_a_principals_arn(arn):
    assert ReaderArn(arn) == arn


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (rotation_settings(times=times(drain_days=1)), []),
        (rotation_settings(times=times(drain_days=0.9)), [("times", "drain_days")]),
        (
            rotation_settings(overrides=(Override(match="x", times=OtherTimes(drain_days=0.5)),)),
            [("overrides", 0, "times", "drain_days")],
        ),
    ],
)
def test_a_drain_shorter_than_the_outage_that_consumers_bridge_is_a_warning(wanted, places):
    assert [place for place, _ in wanted.warnings() if place] == places


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
    wanted = rotation_settings(verify=Verification(regions=regions), replica_regions=replicas)

    assert wanted.at_home_in("ca-central-1").verify.regions == everywhere


def test_the_home_region_is_no_replica():
    wanted = rotation_settings(replica_regions=("ca-central-1", "eu-west-1"))

    assert wanted.at_home_in("ca-central-1").replica_regions == ("eu-west-1",)


@given(days=st.floats(min_value=15, max_value=10_000))
def test_a_tag_never_lengthens_a_time(days):
    policy = settings_of(rotation_settings(), PUSH, {ROTATE_AFTER_TAG: str(days)})

    assert policy.times.rotate_after_days <= 60


@pytest.mark.parametrize("text", ["often", "0", "-3", "nan"])
def test_a_tag_that_is_no_number_of_days_is_an_error_and_not_ignored(text):
    with pytest.raises(RuleViolationError, match=f"{ROTATE_AFTER_TAG} is '{text}', not a number of days"):
        settings_of(rotation_settings(), PUSH, {ROTATE_AFTER_TAG: text})


@given(
    rotate_after=st.floats(min_value=1e-9, max_value=200),
    max_age=st.floats(min_value=1e-9, max_value=200),
    written=st.sets(st.sampled_from([ROTATE_AFTER_TAG, MAX_AGE_TAG])),
)
def test_tags_leave_consumers_their_time_or_are_refused_by_their_names(rotate_after, max_age, written):
    wanted, days = rotation_settings(), {ROTATE_AFTER_TAG: rotate_after, MAX_AGE_TAG: max_age}
    tags = {tag: str(days[tag]) for tag in written}

    try:
        times = settings_of(wanted, PUSH, tags).times
    except RuleViolationError as error:
        refused = str(error)
        assert tags
        assert any(tag in refused for tag in (*tags, "max_age_days"))
    else:
        switching = times.drain_days + times.adoption_timeout_days
        assert times.rotate_after_days >= switching
        assert times.max_age_days >= times.rotate_after_days + switching


@pytest.mark.parametrize(
    ("tags", "named"),
    [({ROTATE_AFTER_TAG: "0.00001", MAX_AGE_TAG: "9.001"}, ROTATE_AFTER_TAG), ({MAX_AGE_TAG: "74"}, MAX_AGE_TAG)],
    ids=str,
)
def test_a_tag_that_would_cut_consumers_off_is_refused_by_its_name(tags, named):
    with pytest.raises(RuleViolationError, match=f"{named} is .*consumers need"):
        settings_of(rotation_settings(), PUSH, tags)


def test_a_tag_that_leaves_no_time_to_rotate_is_an_error():
    with pytest.raises(RuleViolationError, match="must not exceed"):
        settings_of(rotation_settings(), PUSH, {MAX_AGE_TAG: "10"})


def test_an_exemption_ends_with_its_day():
    exemption = Exemption(user=PUSH, reason="old appliance", until=date(2026, 5, 4))
    policy = settings_of(rotation_settings(exempt=(exemption,)), PUSH, {})

    assert policy.exempt_until(datetime(2026, 5, 4, 23, 59, tzinfo=UTC)) == datetime(2026, 5, 5, tzinfo=UTC)
    assert policy.exempt_until(datetime(2026, 5, 5, tzinfo=UTC)) is None


def test_of_several_exemptions_of_a_user_the_one_that_ends_last_counts():
    ends = date(2026, 1, 31), date(2027, 1, 31), date(2026, 12, 31)
    exempt = tuple(Exemption(user=PUSH, reason="old appliance", until=end) for end in ends)

    policy = settings_of(rotation_settings(exempt=exempt), PUSH, {})

    assert policy.exempt_until(datetime(2026, 5, 4, tzinfo=UTC)) == datetime(2027, 2, 1, tzinfo=UTC)


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
