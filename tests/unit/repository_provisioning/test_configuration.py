"""What one repository should look like, and how what is there differs from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repository_provisioning.domain.configuration import Configuration, Details, Repository
from repository_provisioning.domain.house_rules import KmsEncryption, Lifecycle, Overrides, Pull, RepositoryRule
from repository_provisioning.domain.lifecycle_documents import why_refused
from repository_provisioning.domain.names import NamePattern, RepositoryName
from steward.errors import RuleViolationError, ValidationError

WEB = RepositoryName("team-a/web")
KEYS = [f"arn:aws:kms:ca-central-1:123456789012:key/{n}" for n in "ab"]

rules = st.builds(
    RepositoryRule,
    match=st.just(NamePattern("**")),
    mutable_tags=st.lists(st.sampled_from(["latest", "*-snapshot", "v*"]), unique=True).map(tuple),
    encryption=st.just("AES256") | st.sampled_from(KEYS).map(KmsEncryption),
    lifecycle=st.none() | st.builds(Lifecycle, st.integers(1, 30), st.none() | st.integers(1, 50)),
    pull=st.builds(
        Pull,
        st.lists(st.sampled_from(["210987654321", "111111111111", "222222222222"]), unique=True).map(tuple),
        st.lists(st.sampled_from(["o-a1b2c3d4e5", "o-z1b2c3d4e5"]), unique=True).map(tuple),
        st.lists(st.sampled_from(["arn:aws:iam::210987654321:role/ci", "arn:aws:iam::111111111111:user/a"])).map(tuple),
        st.lists(st.sampled_from(["210987654321", "123456789012"]), unique=True).map(tuple),
    ),
    tags=st.dictionaries(st.sampled_from(["team", "cost"]), st.sampled_from(["{namespace}", "{name}", "x"])),
)
configurations = rules.map(lambda rule: Configuration.of(WEB, rule))


def as_created(wanted):
    return Repository(
        WEB,
        f"arn:aws:ecr:ca-central-1:123456789012:repository/{WEB}",
        f"uri/{WEB}",
        "123456789012",
        datetime(2026, 5, 4, tzinfo=UTC),
        wanted.tag_mutability,
        wanted.mutable_tags,
        wanted.encryption,
        wanted.kms_key,
    )


def complete(wanted):
    return Details({**wanted.tags, "other": "tag"}, wanted.lifecycle_policy, wanted.repository_policy)


@given(configurations)
def test_what_was_created_and_completed_does_not_differ(wanted):
    assert wanted.differences(as_created(wanted), complete(wanted)) == []
    assert not wanted.encryption_differs(as_created(wanted))


@given(configurations, configurations)
def test_fingerprints_are_equal_when_and_only_when_configurations_are(one, other):
    assert (one.fingerprint == other.fingerprint) == (one == other)


@given(configurations, configurations)
def test_two_configurations_differ_exactly_in_the_settings_that_are_not_equal(wanted, there):
    found = {difference.setting for difference in wanted.differences(as_created(there), complete(there))}

    assert ("tag_mutability" in found) == (wanted.tag_mutability != there.tag_mutability)
    assert ("mutable_tags" in found) == (set(wanted.mutable_tags) != set(there.mutable_tags))
    assert ("lifecycle" in found) == (wanted.lifecycle_policy != there.lifecycle_policy)
    assert ("encryption" in found) == ((wanted.encryption, wanted.kms_key) != (there.encryption, there.kms_key))
    assert ("tags" in found) == any(there.tags.get(key) != value for key, value in wanted.tags.items())


@given(configurations, st.randoms(use_true_random=False))
def test_what_ecr_is_free_to_write_otherwise_is_no_difference(wanted, random):
    there = complete(wanted)
    policy = there.repository_policy and rewritten(json.loads(there.repository_policy), random)

    assert (
        wanted.differences(as_created(wanted), replace(there, repository_policy=json.dumps(policy) if policy else None))
        == []
    )


def rewritten(value, random):
    """The same policy as ECR may show it: other order, single items bare, accounts as ARNs of their root."""
    if isinstance(value, dict):
        items = [(key, rewritten(item, random)) for key, item in value.items()]
        return dict(random.sample(items, len(items)))
    if isinstance(value, list):
        items = random.sample([rewritten(item, random) for item in value], len(value))
        return items[0] if len(items) == 1 else items
    return f"arn:aws:iam::{value}:root" if value.isdecimal() else value


def test_an_aws_managed_key_is_not_a_key_of_the_rule():
    wanted = Configuration.of(WEB, RepositoryRule(NamePattern("**"), encryption=KmsEncryption(KEYS[0])))
    other = replace(as_created(wanted), kms_key=KEYS[1])

    assert wanted.encryption_differs(other)
    assert [d.actual for d in wanted.differences(other)] == [KEYS[1]]


def test_placeholders_of_tags_are_filled_in():
    rule = RepositoryRule(NamePattern("**"), tags={"team": "{namespace}", "full": "x-{name}"})

    assert Configuration.of(WEB, rule).tags == {"team": "team-a", "full": "x-team-a/web"}


def test_a_lifecycle_s_rule_for_all_images_comes_last_as_ecr_demands():
    rule = RepositoryRule(NamePattern("**"), lifecycle=Lifecycle(untagged_after_days=14, keep_last=20))

    first, last = json.loads(Configuration.of(WEB, rule).lifecycle_policy)["rules"]
    assert (first["rulePriority"], first["selection"]["tagStatus"]) == (1, "untagged")
    assert (last["rulePriority"], last["selection"]["tagStatus"]) == (2, "any")


@given(st.builds(Lifecycle, st.integers(1, 9), st.none()) | st.builds(Lifecycle, st.none(), st.integers(1, 9)))
def test_a_lifecycle_is_never_shorter_than_ecr_takes(lifecycle):
    assert len(Configuration.of(WEB, RepositoryRule(NamePattern("**"), lifecycle=lifecycle)).lifecycle_policy) >= 100


def test_the_short_forms_for_the_archive_are_rules_of_the_archive():
    lifecycle = Lifecycle(untagged_after_days=14, archive_unpulled_after_days=60, delete_archived_after_days=365)

    untagged, archive, delete = lifecycle.document()["rules"]

    assert untagged["selection"]["tagStatus"] == "untagged"
    assert (archive["selection"]["countType"], archive["selection"]["countNumber"]) == ("sinceImagePulled", 60)
    assert archive["action"] == {"type": "transition", "targetStorageClass": "archive"}
    assert (delete["selection"]["countType"], delete["selection"]["countNumber"]) == ("sinceImageTransitioned", 365)
    assert (delete["selection"]["storageClass"], delete["action"]) == ("archive", {"type": "expire"})


@given(
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(90, 99),
)
def test_ecr_takes_what_the_short_forms_mean(untagged, last, unpulled, archived):
    assume({untagged, last, unpulled, archived} != {None})
    assume(last is None or unpulled is None)

    assert why_refused(Lifecycle(untagged, last, unpulled, archived).text()) is None


def test_a_lifecycle_document_is_taken_as_it_is():
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9}
    own = {"rulePriority": 7, "selection": selection, "action": {"type": "expire"}}
    rule = RepositoryRule(NamePattern("**"), lifecycle=Lifecycle(rules=(own,)))

    assert json.loads(Configuration.of(WEB, rule).lifecycle_policy) == {"rules": [own]}


def test_pulling_is_allowed_to_those_named_and_grants_nothing_else():
    rule = RepositoryRule(NamePattern("**"), pull=Pull(("210987654321",), ("o-a1b2c3d4e5",)))

    policy = json.loads(Configuration.of(WEB, rule).repository_policy)
    assert {action for s in policy["Statement"] for action in s["Action"]} == {
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    }
    assert policy["Statement"][1]["Principal"] == "*"
    assert policy["Statement"][1]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}}


def test_overriding_mutability_drops_the_rule_s_exceptions():
    rule = RepositoryRule(NamePattern("**"), mutable_tags=("latest",))

    overridden = rule.with_overrides(Overrides(tag_mutability="MUTABLE"))

    assert (overridden.tag_mutability, overridden.mutable_tags) == ("MUTABLE", ())


def test_exceptions_from_a_mutability_without_any_are_refused():
    rule = RepositoryRule(NamePattern("**"), tag_mutability="MUTABLE")

    with pytest.raises(RuleViolationError, match="here every tag is mutable already"):
        rule.with_overrides(Overrides(mutable_tags=("latest",)))


@given(rules)
def test_no_overrides_leave_the_rule_as_it_is(rule):
    assert rule.with_overrides(Overrides()) == rule


def test_a_rule_without_a_name_is_called_by_its_pattern_as_a_tag_can_hold_it():
    assert RepositoryRule(NamePattern("**/cache?")).label == "@@/cache@"


def policy_of(pull):
    return json.loads(Configuration.of(WEB, RepositoryRule(NamePattern("**"), pull=pull)).repository_policy)


FUNCTIONS = Pull(functions=("123456789012", "210987654321"))


def test_roles_and_users_are_readers_by_name():
    role = "arn:aws:iam::210987654321:role/build/ci"

    (statement,) = policy_of(Pull(principals=(role,)))["Statement"]

    assert (statement["Sid"], statement["Principal"]) == ("PullByPrincipals", {"AWS": [role]})


def test_functions_of_accounts_are_readers_and_of_no_other():
    (statement,) = policy_of(FUNCTIONS)["Statement"]

    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"]["StringLike"]["aws:SourceArn"] == [
        "arn:*:lambda:*:123456789012:function:*",
        "arn:*:lambda:*:210987654321:function:*",
    ]


@pytest.mark.parametrize(
    "principal", ["*", "123456789012", "arn:aws:iam::123456789012:role/*", "arn:aws:iam::1:user/a"]
)
def test_a_reader_that_is_no_role_or_user_is_refused(principal):
    with pytest.raises(ValueError, match="is not the ARN of a role or user"):
        Pull(principals=(principal,))


def test_some_tags_of_a_mutable_repository_can_be_immutable():
    wanted = Configuration.of(WEB, RepositoryRule(NamePattern("**"), tag_mutability="MUTABLE", immutable_tags=("v*",)))

    assert (wanted.tag_mutability, wanted.exclusions) == ("MUTABLE_WITH_EXCLUSION", ("v*",))


def test_exceptions_of_the_other_kind_are_refused():
    with pytest.raises(ValueError, match="exceptions from MUTABLE"):
        RepositoryRule(NamePattern("**"), immutable_tags=("v*",))


def test_more_tags_than_fit_beside_the_steward_s_are_refused_when_settings_are_checked():
    RepositoryRule(NamePattern("**"), tags={f"t{n}": "" for n in range(46)})
    with pytest.raises(ValidationError, match="has 47 tags; at most 46"):
        RepositoryRule(NamePattern("**"), tags={f"t{n}": "" for n in range(47)})


def test_a_version_that_knows_more_settings_keeps_the_fingerprint():
    """Otherwise every repository would be configured anew after an upgrade."""
    plain = Configuration("IMMUTABLE", ("latest",), "AES256", None, None, None, {"a": "b"})

    assert plain.fingerprint == "26769be282e39c04430bbd53fa654993c0e591dcc3013338ee1bf7f7c35f47f5"
