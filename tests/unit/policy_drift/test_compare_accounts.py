"""Two states of IAM compared offline, from the command line."""

import json
import re
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest

from policy_drift import baseline_document
from policy_drift.compare_accounts import DRIFT, NOTHING, UNUSABLE, main
from policy_drift.domain.account import User
from policy_drift.domain.baseline import Baseline
from tests.unit.policy_drift.accounts import ID, account, allow, group, policy, role, trusting

READ, ALL = allow("s3:GetObject"), allow("*")
SHARED = policy("shared", READ)
APP = role("app", READ, attached=[SHARED])
QUIET = account(role("app", READ, attached=[SHARED]), group("readers"), SHARED)
OTHER = "999988887777"


def details(state, number=ID, ids=str, documents=lambda document: document):
    """The account as get-account-authorization-details returns it."""

    def common(kind, entity):
        inline = [{"PolicyName": name, "PolicyDocument": documents(one)} for name, one in entity.inline.items()]
        return {
            f"{kind}Name": entity.name,
            f"{kind}Id": ids(entity.unique_id),
            "Path": entity.path,
            "Arn": f"arn:aws:iam::{number}:{kind.lower()}{entity.path}{entity.name}",
            f"{kind}PolicyList": inline,
            "AttachedManagedPolicies": [{"PolicyName": "x", "PolicyArn": arn} for arn in entity.attached],
        }

    page = {
        "UserDetailList": [{**common("User", one), "GroupList": list(one.groups)} for one in state.users.values()],
        "GroupDetailList": [common("Group", one) for one in state.groups.values()],
        "RoleDetailList": [
            {**common("Role", one), "AssumeRolePolicyDocument": documents(one.trust)} for one in state.roles.values()
        ],
        "Policies": [
            {
                "Arn": one.arn,
                "PolicyId": one.unique_id,
                "DefaultVersionId": one.version,
                "PolicyVersionList": [{"VersionId": one.version, "Document": documents(one.document)}],
            }
            for one in state.policies.values()
        ],
    }
    return json.loads(json.dumps(page).replace(ID, number))


@pytest.fixture
def run(tmp_path, capsys):
    """Compare two texts or values; the exit code, and what was written."""

    def compare(baseline, live, *options):
        paths = []
        for name, value in (("baseline", baseline), ("live", live)):
            path = tmp_path / name
            text = value if isinstance(value, bytes) else json.dumps(value).encode()
            path.write_bytes(text)
            paths.append(str(path))
        code = main([*paths, *options])
        return code, capsys.readouterr()

    return compare


def as_file(state):
    return baseline_document.write(Baseline(state))


@pytest.mark.parametrize("baseline", [as_file(QUIET), details(QUIET)], ids=["a baseline file", "authorization details"])
@pytest.mark.parametrize("live", [as_file(QUIET), details(QUIET)], ids=["a baseline file", "authorization details"])
def test_the_same_account_in_any_form_is_nothing(run, baseline, live):
    code, written = run(baseline, live)

    assert (code, written.out) == (NOTHING, "Nothing differs.\n")


def test_findings_are_those_of_a_scan(run):
    code, written = run(as_file(QUIET), details(account(role("app", ALL), group("readers"))), "--format", "json")

    (finding,) = [one for one in json.loads(written.out)["findings"] if one["entity"] == "role/app"]
    assert code == DRIFT
    assert finding.keys() == {"kind", "entity", "severity", "verdict", "summary", "added", "removed", "reasons"}
    assert (finding["kind"], finding["severity"], finding["verdict"]) == ("ACCESS", "CRITICAL", "BROADENED")
    assert finding["reasons"][0] == "it is now an administrator"
    assert finding["added"]
    assert finding["removed"] == []


def test_less_access_stands_under_removed(run):
    _, written = run(details(account(role("app", ALL))), details(account(role("app", READ))), "--format", "json")

    (finding,) = json.loads(written.out)["findings"]
    assert (finding["verdict"], finding["added"], len(finding["removed"]) > 0) == ("NARROWED", [], True)


def test_all_of_the_new_access_is_listed_and_the_most_dangerous_proven(run):
    more = account(role("app", READ, allow("s3:PutObject", "dynamodb:DeleteTable", "kms:ScheduleKeyDeletion")))
    _, written = run(details(account(role("app", READ))), details(more), "--format", "json")
    _, text = run(details(account(role("app", READ))), details(more))

    (finding,) = json.loads(written.out)["findings"]
    assert all(any(action in line for line in finding["added"]) for action in ("s3:Put", "dynamodb:Del", "kms:Sch"))
    assert [line for line in text.out.splitlines() if line.startswith("  Added: ")] == [
        f"  Added: {line}" for line in finding["added"]
    ]
    assert text.out.count("  For example: ") == 1


def as_a_tool_writes_it(state):
    """Ids that are names, dates as Python prints them, empty lists left out, members of older and newer versions."""
    dump = details(state)
    for name, kind in (("UserDetailList", "User"), ("GroupDetailList", "Group"), ("RoleDetailList", "Role")):
        for one in dump[name]:
            one |= {f"{kind}Id": one[f"{kind}Name"], "CreateDate": "2019-12-18 19:10:08+00:00", "Tags": []}
            for key in [key for key, value in one.items() if value == [] and key != "GroupList"]:
                del one[key]
    for role_of_it in dump["RoleDetailList"]:
        role_of_it |= {"RoleLastUsed": {}, "InstanceProfileList": []}
    for one in dump["Policies"]:
        one |= {"PolicyName": one["Arn"].rpartition("/")[2], "PolicyId": "REDACTED", "AttachmentCount": 1}
    return dump


def test_a_dump_of_another_tool_is_the_account(run):
    state = account(User("ann", "/", "AIDAANN", {}, (), ("readers",)), APP, group("readers", READ), SHARED)

    assert run(as_a_tool_writes_it(state), as_a_tool_writes_it(state))[0] == NOTHING
    assert run(details(state), as_a_tool_writes_it(state))[0] == NOTHING
    assert run(as_a_tool_writes_it(state), details(state))[0] == NOTHING


def test_a_dump_of_another_tool_shows_what_was_added(run):
    before, now = account(APP, role("quiet", READ), SHARED), account(role("app", ALL), role("quiet", READ), SHARED)
    _, written = run(as_a_tool_writes_it(before), as_a_tool_writes_it(now), "--format", "json")

    found = {one["entity"]: (one["kind"], one["severity"]) for one in json.loads(written.out)["findings"]}
    assert found["role/app"] == ("ACCESS", "CRITICAL")
    assert "role/quiet" not in found


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_severity_kind_and_reasons(run, form):
    code, written = run(details(QUIET), details(account(role("app", ALL), group("readers"), SHARED)), "--format", form)

    assert code == DRIFT
    assert all(word in written.out for word in ("CRITICAL", "ACCESS", "role/app", "it is now an administrator"))


def test_names_are_no_markup(run):
    evil = replace(role("app", READ), name="a`b<img>")
    _, written = run(details(QUIET), details(account(evil, group("readers"), SHARED)), "--format", "markdown")

    assert "`` role/a`b<img>" in written.out


def pages_of(state):
    """Three pages; the last list of entities is spread over two of them."""
    whole = details(state)
    first = {**whole, "RoleDetailList": [], "Policies": [], "IsTruncated": True, "Marker": "1"}
    empty = {key: [] for key in whole}
    return [
        first,
        {**empty, "RoleDetailList": whole["RoleDetailList"], "IsTruncated": True, "Marker": "2"},
        {**empty, "Policies": whole["Policies"], "IsTruncated": False},
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(pages_of(QUIET)).encode(),
        "\n".join(map(json.dumps, pages_of(QUIET))).encode(),
        json.dumps(pages_of(QUIET)[::-1]).encode(),
    ],
    ids=["an array", "one after the other", "in another order"],
)
def test_pages_are_one_account(run, text):
    assert run(as_file(QUIET), text)[0] == NOTHING


def test_documents_as_the_interface_of_iam_encodes_them_are_read(run):
    encoded = details(QUIET, documents=lambda document: quote(json.dumps(document)))

    assert run(as_file(QUIET), encoded)[0] == NOTHING


def each_entity(dump, change):
    """The dump with another form of each user, group and role."""
    lists = {"UserDetailList": "User", "GroupDetailList": "Group", "RoleDetailList": "Role"}
    return dump | {key: [change(one, kind) for one in dump[key]] for key, kind in lists.items()}


FORMS = {
    "spaces as plus signs": lambda state: details(state, documents=lambda one: quote_plus(json.dumps(one))),
    "UTF-16 of a shell": lambda state: json.dumps(details(state)).encode("utf-16"),
    "null for an empty list": lambda state: each_entity(
        details(state), lambda one, _: {key: value or None for key, value in one.items()}
    ),
    "no ids": lambda state: each_entity(
        details(state), lambda one, kind: {key: value for key, value in one.items() if key != f"{kind}Id"}
    ),
    "null for ids": lambda state: each_entity(details(state), lambda one, kind: one | {f"{kind}Id": None}),
    "the interface's own wrapping": lambda state: {"Response": {"Result": details(state)}},
    "another partition": lambda state: json.loads(json.dumps(details(state)).replace("arn:aws:", "arn:aws-cn:")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_dump_in_another_form_is_the_account(run, form):
    trust = trusting({"AWS": f"arn:aws:iam::{ID}:role/ops"})
    ann = User("ann", "/", "AIDAANN", {}, (), ("readers",))

    def state(*more):
        return account(ann, role("app", READ, *more, attached=[SHARED], trust=trust), group("readers", READ), SHARED)

    dump = FORMS[form]
    _, written = run(details(state()), dump(state(ALL)), "--format", "json")

    assert run(details(state()), dump(state()))[0] == NOTHING
    assert run(dump(state()), details(state()))[0] == NOTHING
    assert [(one["kind"], one["severity"]) for one in json.loads(written.out)["findings"]] == [("ACCESS", "CRITICAL")]


def test_a_role_without_its_trust_policy_is_unknown_and_not_equal(run):
    dump = details(account(role("app", READ)))
    del dump["RoleDetailList"][0]["AssumeRolePolicyDocument"]
    code, written = run(dump, dump, "--format", "json")

    assert code == DRIFT
    assert [(one["kind"], one["entity"]) for one in json.loads(written.out)["findings"]] == [("UNREADABLE", "role/app")]


def test_another_account_is_compared_as_if_it_were_this_one(run):
    mine = account(role("app", READ, trust=trusting({"AWS": f"arn:aws:iam::{ID}:root"})))
    theirs = details(mine, number=OTHER, ids=lambda unique_id: f"X{unique_id}")

    assert run(as_file(mine), theirs)[0] == NOTHING


def test_ids_that_a_tool_has_rewritten_are_not_recreated_entities(run):
    assert run(details(QUIET), details(QUIET, ids=lambda _: "AIDAREDACTED"))[0] == NOTHING


def test_one_recreated_role_is_found(run):
    again = account(replace(APP, unique_id="AROANEW"), group("readers"), SHARED)
    _, written = run(details(QUIET), details(again), "--format", "json")

    assert [one["kind"] for one in json.loads(written.out)["findings"]] == ["RECREATED"]


@pytest.mark.parametrize("side", [0, 1])
def test_a_policy_that_a_file_lacks_is_unknown_and_not_equal(run, side):
    whole, partial = details(QUIET), details(QUIET) | {"Policies": []}
    code, written = run(*((partial, whole) if side == 0 else (whole, partial)), "--format", "json")

    assert code == DRIFT
    assert "UNREADABLE" in {one["kind"] for one in json.loads(written.out)["findings"]}


def test_a_group_that_a_file_lacks_is_unknown_and_not_equal(run):
    state = account(User("ann", "/", "AIDAANN", groups=("gone",)), APP, SHARED)
    code, written = run(details(state), details(state), "--format", "json")

    assert code == DRIFT
    assert {"group/gone"} == {one["entity"] for one in json.loads(written.out)["findings"]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "neither a baseline file"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "neither a baseline file"),
        (b'{"a": 1}', "neither a baseline file"),
        (b"7", "neither a baseline file"),
        (b"[" * 100_000, "nests too deep"),
        (json.dumps(pages_of(QUIET)[:2]).encode(), "pages are missing"),
        (json.dumps({"RoleDetailList": []}).encode(), "without a filter"),
        (
            json.dumps(details(QUIET) | {"RoleDetailList": [{"RoleName": "app"}]}).encode(),
            r"RoleDetailList\[0\] has no",
        ),
        (json.dumps(details(QUIET) | {"RoleDetailList": [7]}).encode(), r"RoleDetailList\[0\] has no"),
        (json.dumps(details(QUIET) | {"RoleDetailList": {"app": {}}}).encode(), "RoleDetailList is no list but dict"),
        (
            json.dumps(details(QUIET)).replace('"RoleName": "app"', '"RoleName": 7').encode(),
            r"RoleDetailList\[0\] has no RoleName",
        ),
        (as_file(QUIET)[:-40], "not JSON"),
        (as_file(QUIET).replace(b"ecr-steward/iam-baseline/1", b"another/1"), "format is 'another/1'"),
        (json.dumps({key: [] for key in details(QUIET)}).encode(), "entities of 0 accounts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_an_error(run, text, what):
    code, written = run(as_file(QUIET), text)

    assert (code, written.out) == (UNUSABLE, "")
    assert re.search(what, written.err)


def test_a_file_that_is_not_there_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path / "none"), str(tmp_path / "none")]) == UNUSABLE
    assert "none" in capsys.readouterr().err


def test_the_answer_is_the_same_bytes_each_time(run):
    live = details(account(role("app", ALL), role("zoe", READ), group("readers"), SHARED))

    assert len({run(details(QUIET), live, "--format", "json")[1].out for _ in range(3)}) == 1
