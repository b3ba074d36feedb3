"""The file that an operator edits: the shipped one works, a bad one is refused with file, line and what is right."""

import pytest

from repository_provisioning import check_settings
from repository_provisioning.domain.house_rules import HouseRules
from repository_provisioning.domain.names import RepositoryName
from steward import settings
from steward.conversion import convert
from steward.errors import SettingsError, ValidationError
from steward.principals import Principal

SOUND = """\
callers:
  - principals: ["123456789012:role/ci-*"]
    repositories: ["team-a/**"]
    may_override: [lifecycle, tags]
    daily_limit: 300
repositories:
  - match: "**"
    tag_mutability: IMMUTABLE
    lifecycle: {untagged_after_days: 14}
    pull: {accounts: ["210987654321"]}
    companions: ["{name}/cache"]
    tags: {namespace: "{namespace}"}
"""


@pytest.fixture
def written(tmp_path):
    """Writes a house-rules file."""

    def write(text):
        path = tmp_path / "house_rules.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_shipped_file_lets_everybody_of_the_account_create_any_name():
    rules = settings.load(settings.locate("house_rules.yaml"), HouseRules)

    assert rules.allowed_to(Principal("123456789012", "user", "alex"), own_account="123456789012") == ["**"]
    assert rules.allowed_to(Principal("210987654321", "user", "alex"), own_account="123456789012") == []


def test_the_shipped_file_expires_nothing_but_untagged_images():
    rules = settings.load(settings.locate("house_rules.yaml"), HouseRules)

    assert all(rule.lifecycle.keep_last is None and rule.lifecycle.rules is None for rule in rules.repositories)


def test_the_shipped_file_has_a_rule_for_every_name_and_none_that_never_matches():
    rules = settings.load(settings.locate("house_rules.yaml"), HouseRules)

    assert rules.repository_rule(RepositoryName("any/name")).label == "default"
    assert rules.repository_rule(RepositoryName("any/name/cache")).label == "build caches"
    assert list(rules.warnings()) == []


def test_the_shipped_file_passes_the_check(capsys):
    assert check_settings.main([]) == 0
    assert "rules for callers" in capsys.readouterr().out


def test_a_sound_file_is_read(written):
    rules = settings.load(written(SOUND), HouseRules)

    assert rules.callers[0].daily_limit == 300
    assert rules.repositories[0].companions == ("{name}/cache",)


BAD = {
    "empty": ("", 1, "is empty; see the default file"),
    "only comments": ("# nothing\n", 1, "is empty"),
    "not UTF-8": (b"callers: \xff\xfe", None, "is not UTF-8 text"),
    "not YAML": ("callers: [\n  - a: }", 2, "is not YAML"),
    "a tab": ("callers:\n\t- x", 2, "is not YAML"),
    "two documents": (SOUND + "---\na: b\n", 13, "is not YAML"),
    "a date that no calendar has": (SOUND + "when: 2026-13-45\n", None, "is not YAML"),
    "python objects": ("callers: !!python/object:os.system {}\n", 1, "is not YAML"),
    "a list": ("- a\n- b\n", 1, "Expected"),
    "a number": ("5\n", 1, "Expected"),
    "an unknown key at the top": (SOUND + "colour: blue\n", 13, "colour: unknown key; known keys are callers"),
    "an unknown key within": (
        SOUND.replace("daily_limit", "weekly_limit"),
        5,
        "callers[0].weekly_limit: unknown key; known keys are daily_limit, may_adopt, may_override",
    ),
    "an unknown key of a lifecycle": (
        SOUND.replace("untagged_after_days: 14", "untagged_after_days: 14, keep: 3"),
        9,
        "lifecycle.keep: unknown key; known keys are archive_unpulled_after_days, delete_archived",
    ),
    "a repeated key": (
        SOUND.replace("    daily_limit: 300", "    may_override: []"),
        5,
        "'may_override' appears twice",
    ),
    "no callers": ("repositories:\n  - match: '**'\n", 1, "missing required field `callers`"),
    "callers without any": (
        "callers: []\nrepositories:\n  - match: '**'\n",
        1,
        "callers and repositories each need at least one rule",
    ),
    "a caller without principals": (
        SOUND.replace('["123456789012:role/ci-*"]', "[]"),
        2,
        "list at least one principal",
    ),
    "any account": (
        SOUND.replace("123456789012:", "*:"),
        2,
        "callers[0].principals[0]: '*:role/ci-*' is not a principal: write <account>:<kind>/<name>",
    ),
    "part of an account": (SOUND.replace("123456789012:", "12345678901*:"), 2, "the account takes no wildcard"),
    "everything of everybody": (SOUND.replace("123456789012:role/ci-*", "*"), 2, "is not a principal"),
    "an ARN": (SOUND.replace("123456789012:role/ci-*", "arn:aws:iam::123456789012:role/x"), 2, "is not a principal"),
    "a session name": (SOUND.replace("role/ci-*", "role/ci/session"), 2, "is not a principal"),
    "a kind that there is not": (SOUND.replace("role/ci-*", "group/ci"), 2, "such as 123456789012:role/ci-*"),
    "a pattern in upper case": (SOUND.replace("team-a/**", "Team-A/**"), 3, "matches no repository name"),
    "a pattern with an empty component": (SOUND.replace("team-a/**", "team-a//x"), 3, "matches no repository name"),
    "a pattern that no name can match": (SOUND.replace('"**"', '"a..b"'), 7, "matches no repository name"),
    "an override that there is not": (
        SOUND.replace("[lifecycle, tags]", "[lifecycle, colour]"),
        4,
        "Invalid enum value 'colour'; one of tag_mutability, mutable_tags, immutable_tags, encryption, lifecycle, pull",
    ),
    "a registry in a pattern": (
        SOUND.replace('"team-a/**"', '"123456789012.dkr.ecr.eu-central-1.amazonaws.com/team-a/**"', 1),
        3,
        "begins with the registry 123456789012.dkr.ecr.eu-central-1.amazonaws.com: leave it out, and write team-a/**",
    ),
    "a limit of nothing": (SOUND.replace("300", "0"), 2, "daily_limit must be 1 or more; omit it for no limit"),
    "a limit in words": (SOUND.replace("300", "many"), 5, "Expected `int | null`, got `str`"),
    "a mutability that there is not": (SOUND.replace(": IMMUTABLE", ": SOMETIMES"), 8, "one of MUTABLE, IMMUTABLE"),
    "exceptions from nothing": (
        SOUND.replace("tag_mutability: IMMUTABLE", "tag_mutability: MUTABLE\n    mutable_tags: [latest]"),
        7,
        "mutable_tags are exceptions from IMMUTABLE",
    ),
    "a lifecycle of nothing": (
        SOUND.replace("{untagged_after_days: 14}", "{}"),
        9,
        "write one or more of untagged_after_days",
    ),
    "a lifecycle of no days": (SOUND.replace("days: 14", "days: 0"), 9, "must be at least 1"),
    "an account that YAML made a number": (
        SOUND.replace('"210987654321"', "210987654321"),
        10,
        "Expected `str`, got `int`",
    ),
    "an account that is too short": (SOUND.replace("210987654321", "21098765432"), 10, "write its 12 digits in quotes"),
    "a companion that is always the same": (SOUND.replace("{name}/cache", "cache"), 7, "must be made from {name}"),
    "a companion of its own name": (SOUND.replace("{name}/cache", "{name}"), 7, "must be made from {name}"),
    "a companion that is no name": (SOUND.replace("{name}/cache", "{name}/CACHE"), 7, "must be made from {name}"),
    "a companion with another placeholder": (
        SOUND.replace("{name}/cache", "{name}/{x}"),
        7,
        "must be made from {name}",
    ),
    "a tag of ours": (SOUND.replace("{namespace: ", '{"steward:stack": '), 7, "cannot be set"),
    "a tag of AWS": (SOUND.replace("{namespace: ", '{"aws:x": '), 7, "are reserved"),
    "a tag with an odd character": (SOUND.replace('"{namespace}"', '"<x>"'), 7, "other than letters, digits, spaces"),
    "a tag with a placeholder that there is not": (
        SOUND.replace('"{namespace}"', '"{team}"'),
        7,
        "only {name} and {namespace} may be in braces",
    ),
    "a key that is no ARN": (
        SOUND.replace("lifecycle: {untag", "encryption: {kms_key: a}\n    lifecycle: {untag"),
        9,
        "is not the ARN",
    ),
    "an encryption that there is not": (
        SOUND.replace("lifecycle: {untag", "encryption: ROT13\n    lifecycle: {untag"),
        9,
        "one of AES256",
    ),
    "a word for an encryption that needs a key": (
        SOUND.replace("lifecycle: {untag", "encryption: KMS\n    lifecycle: {untag"),
        9,
        "one of AES256 or keys kms_key",
    ),
    "an account that begins with a zero": (
        SOUND.replace('"210987654321"', "012345678901"),
        10,
        '012345678901 begins with a zero: write it in quotes, "012345678901"',
    ),
    "a tag that YAML made a number": (
        SOUND.replace('"{namespace}"', "4711"),
        12,
        "repositories[0].tags.namespace: Expected `str`, got `int`; write it in quotes",
    ),
    "a text for a list": (
        SOUND.replace("tag_mutability: IMMUTABLE", "mutable_tags: latest"),
        8,
        "repositories[0].mutable_tags: Expected `array`, got `str`; write a list",
    ),
    "a shared part outside of the rules": (
        "x-default: &default\n  tag_mutability: IMMUTABLE\n"
        + SOUND.replace('match: "**"', 'match: "**"\n    <<: *default').replace(
            "\n    tag_mutability: IMMUTABLE\n    life", "\n    life"
        ),
        1,
        "x-default: unknown key; known keys are callers, repositories",
    ),
    "scanning, which is the registry's": (
        SOUND.replace("tag_mutability: IMMUTABLE", "scan_on_push: true"),
        8,
        "scan_on_push: unknown key; scanning is a setting of the registry",
    ),
    "a document that ECR refuses": (
        SOUND.replace(
            "{untagged_after_days: 14}",
            """
      rules:
        - rulePriority: 1
          selection:
            tagStatus: tagged
            countType: imageCountMoreThan
            countNumber: 5
            tagPatternList:
              - "release-*"
              - "*-*-*-*-*-*"
          action: {type: expire}""",
        ),
        18,
        "lifecycle.rules[0].selection.tagPatternList[1]: '*-*-*-*-*-*' has 6 wildcards; ECR takes at most 4 *",
    ),
    "a null in a document": (
        SOUND.replace(
            "{untagged_after_days: 14}",
            """
      rules:
        - rulePriority: 1
          selection: {tagStatus: any, countType: imageCountMoreThan, countNumber: 5}
          action:
            type: expire
            targetStorageClass: null""",
        ),
        15,
        "lifecycle.rules[0].action.targetStorageClass: leave it out: ECR takes no null",
    ),
    "rules that contradict each other": (
        SOUND.replace(
            "{untagged_after_days: 14}",
            """
      rules:
        - rulePriority: 1
          selection: {tagStatus: any, countType: imageCountMoreThan, countNumber: 5}
          action: {type: expire}
        - rulePriority: 2
          selection: {tagStatus: untagged, countType: imageCountMoreThan, countNumber: 5}
          action: {type: expire}""",
        ),
        11,
        "lifecycle.rules[0].rulePriority: must be above 2",
    ),
    "the archive beside keep_last": (
        SOUND.replace("days: 14", "days: 14, keep_last: 3, archive_unpulled_after_days: 9"),
        9,
        "archive_unpulled_after_days: goes with keep_last in a document's rules only",
    ),
    "too few days in the archive": (
        SOUND.replace("days: 14", "days: 14, delete_archived_after_days: 89"),
        9,
        "delete_archived_after_days: must be at least 90",
    ),
    "more days than ECR's integers hold": (
        SOUND.replace("untagged_after_days: 14", "untagged_after_days: 99999999999"),
        9,
        "untagged_after_days: must be at most 2147483647",
    ),
    "a lifecycle as a text": (
        SOUND.replace("{untagged_after_days: 14}", '|\n      {"rules":[]}'),
        9,
        "write its keys and values themselves, as YAML or JSON, and not a text of them",
    ),
    "a limit as a text": (
        SOUND.replace("300", '"300"'),
        5,
        "Expected `int | null`, got `str`; write it without quotes",
    ),
    "a rule's name with braces": (
        SOUND.replace('match: "**"', 'match: "**"\n    name: "{x}"'),
        7,
        "is not 1 to 64 letters",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_file_line_and_what_would_be_right(written, what):
    text, line, says = BAD[what]

    with pytest.raises(SettingsError) as refused:
        settings.load(written(text), HouseRules)

    assert str(refused.value).startswith(f"house_rules.yaml:{line}: " if line else "house_rules.yaml: ")
    assert says in str(refused.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match=r"house_rules.yaml: cannot be read: No such file"):
        settings.load(tmp_path / "house_rules.yaml", HouseRules)


def test_the_check_of_a_bad_file_fails_with_the_reason(written, capsys):
    assert check_settings.main([str(written("").parent)]) == 1
    assert "house_rules.yaml:1: is empty" in capsys.readouterr().err


NEVER = {
    "a repository rule behind one for everything": (
        SOUND + '  - match: "team-b/*"\n',
        "house_rules.yaml:13: warning: team-b/* never matches: ** stands before it and wins",
    ),
    "a caller rule behind a wider one": (
        SOUND.replace(
            "repositories:\n  - match",
            '  - principals: ["123456789012:role/ci-*"]\n    repositories: ["team-a/x"]\nrepositories:\n  - match',
        ),
        "house_rules.yaml:6: warning: never matches: an earlier rule names the same principals and repositories",
    ),
    "a caller rule behind one for more principals": (
        SOUND.replace(
            "repositories:\n  - match",
            '  - principals: ["123456789012:role/ci-a"]\n    repositories: ["team-a/x"]\nrepositories:\n  - match',
        ),
        "house_rules.yaml:6: warning: never matches",
    ),
}


@pytest.mark.parametrize("what", NEVER)
def test_a_rule_that_can_never_match_is_a_warning_with_its_line(written, capsys, what):
    text, warning = NEVER[what]

    assert check_settings.main([str(written(text).parent)]) == 0
    assert warning in capsys.readouterr().err


def test_a_rule_that_can_match_is_no_warning(written, capsys):
    check_settings.main([str(written(SOUND.replace('match: "**"', 'match: "s*"') + '  - match: "*"\n').parent)])

    assert "warning" not in capsys.readouterr().err


def test_a_service_that_pulls_is_refused_with_what_to_do():
    rule = {"match": "**", "pull": {"services": ["lambda.amazonaws.com"]}}
    callers = [{"principals": ["self:*"], "repositories": ["**"]}]

    with pytest.raises(ValidationError, match="list their accounts in functions"):
        convert({"callers": callers, "repositories": [rule]}, HouseRules)
