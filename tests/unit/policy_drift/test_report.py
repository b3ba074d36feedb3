"""The report of a scan, as JSON and as HTML, also with texts that attack whoever reads it."""

import json
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_drift import baseline_document
from policy_drift.domain.account import Account, EntityId, Group, User
from policy_drift.domain.baseline import Adoption, Baseline, adopted
from policy_drift.domain.finding import Finding, Kind, State
from policy_drift.report.adoption import baseline_patch
from policy_drift.report.document import as_document
from policy_drift.report.html import MOST_KEYS, anchor, render
from policy_drift.report.side_by_side import Mark, Row, side_by_side
from steward.severity import Severity
from tests.doubles.drift_under_test import GET
from tests.doubles.sample_drift import APPROVED, FINDINGS, KEYS, LIVE, NOW, REPORT
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import account, allow, group, role, trusting, user

SAMPLE = Path(__file__).parents[3] / "events" / "policy_drift" / "report.json"
HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "](https://example.org) **bold** <https://example.org>",
    "\u202egnp.exe\u2066\u200b",
    "a\r\nSubject: other\x00\x1b[2J",
    "]]>--><!--",
    "n" * 10_000,
]
KNOWN_TAGS = """
html head meta title style body a header p h1 h2 h3 h4 strong ul ol li span main section div dl dt dd time bdi details
summary nav table caption thead tbody tr th td pre code del ins br footer wbr
"""
KNOWN_ATTRIBUTES = """
lang charset http-equiv content name class href id aria-label aria-labelledby datetime scope colspan open
"""


LOOKS = 5
"""How often a report may look at all roles of the baseline, for all of its findings together."""


class Read(HTMLParser):
    """What a browser would see in a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.links, self.ids, self.text = set(), set(), [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_data(self, data):
        self.text.append(data)


def document(findings=FINDINGS, **more):
    return as_document(replace(REPORT, findings=findings, **more), approved=APPROVED, live=LIVE)


class Counted(dict):
    """Entities by name; how often all of them are looked at."""

    looks = 0

    def values(self):
        self.looks += 1
        return super().values()


@pytest.mark.parametrize("findings", [2, 40])
def test_the_number_of_findings_does_not_make_the_report_look_at_all_principals_more_often(findings):
    roles = [role(f"role-{number}", GET) for number in range(40)]
    approved, live = account(*roles), account(*(replace(one, inline={"own": allow("s3:*")}) for one in roles))
    found = tuple(replace(FINDINGS[0], drift=drift) for drift in drifts(approved, live).found[:findings])
    counted = Counted(approved.roles)

    as_document(replace(REPORT, findings=found), approved=replace(approved, roles=counted), live=live)

    assert len(found) == findings
    assert counted.looks <= LOOKS


def attacked(text):
    """A report in which somebody has chosen every text."""
    one = FINDINGS[0]
    changes = tuple(
        replace(change, actor=text, event_name=text, event_id=text, source_ip=text, user_agent=text)
        for change in one.changes
    )
    witness = replace(one.drift.newly_allowed[0], principal=text, resource=text, context={text: text})
    drift = replace(
        one.drift,
        entity=EntityId(f"role/{text}"),
        summary=text,
        reasons=(text,),
        newly_allowed=(witness,),
        approved={text: text},
        live={text: [text]},
        fingerprint=text,
    )
    known = FINDINGS[5]
    acknowledgement = replace(known.acknowledgement, by=text, owner=text, reason=text)
    coverage = replace(REPORT.coverage, unreadable={text: text})
    findings = (replace(one, drift=drift, changes=changes), replace(known, acknowledgement=acknowledgement))
    texts = dict.fromkeys(("user", "owner", "last_use", "last_used_service", "way_out", "reason"), text)
    key = replace(KEYS.keys[0], **texts)
    keys = replace(KEYS, keys=(key, replace(key, last_used_at=None)), unreadable=(text,))
    more = {"coverage": coverage, "not_looked_at": (text,), "baseline_version": text, "access_keys": keys}
    return document(findings, **more)


def test_the_sample_is_what_the_code_makes_of_its_data():
    """Made anew with `python -m scripts.drift_report_sample`."""
    assert json.loads(SAMPLE.read_text()) == json.loads(json.dumps(document()))


def test_documents_of_shared_policies_stand_once_in_the_report():
    push = next(arn for arn in LIVE.policies if arn.endswith("policy/push"))
    state = {"policies": {"inline:own": {"Statement": []}, push: LIVE.policies[push].document}, "shared": [push]}
    one = replace(FINDINGS[2], drift=replace(FINDINGS[2].drift, approved=state, live=state))

    made = document((one, replace(one, drift=replace(one.drift, kind=Kind.NOTE))))

    assert made["shared_policies"] == {push: LIVE.policies[push].document}
    assert [one["live"] for one in made["findings"]] == [
        {"policies": {"inline:own": {"Statement": []}}, "shared": [push]}
    ] * 2


def test_the_report_lists_old_and_unused_access_keys_as_of_a_moment():
    page = " ".join(" ".join(Read(render(document())).text).split())

    assert "7 active of 9" in page
    assert "2 are 90 days old or older, 1 unused, 2 rotated by nobody" in page
    assert page.index("legacy-deploy") < page.index("github-push")


def test_a_report_without_the_list_of_access_keys_says_why_and_an_older_one_is_still_shown():
    unknown = document(access_keys="access-keys failed; its log says why")
    older = {name: value for name, value in unknown.items() if name != "access_keys"}

    assert unknown["access_keys"]["summary"] is None
    assert "Not known: access-keys failed; its log says why." in "".join(Read(render(unknown)).text)
    assert 'id="keys"' not in render(older)


def test_more_access_keys_than_the_page_lists_are_counted():
    one = KEYS.keys[0]
    keys = replace(KEYS, keys=(one,) * (MOST_KEYS + 2), left_out=40)

    page = render(document(access_keys=keys))

    assert page.count("legacy-deploy") == MOST_KEYS
    assert "42 more, younger ones" in page


def test_open_findings_come_first_and_the_worst_of_them_before_the_others():
    order = [(one["state"], one["severity"]) for one in document(FINDINGS[::-1])["findings"]]

    assert order == [
        ("OPEN", "CRITICAL"),
        ("OPEN", "CRITICAL"),
        ("OPEN", "HIGH"),
        ("OPEN", "HIGH"),
        ("OPEN", "MEDIUM"),
        ("OPEN", "LOW"),
        ("OPEN", "INFO"),
        ("ACKNOWLEDGED", "MEDIUM"),
    ]


def assert_harmless(page):
    """Nothing but our own markup and links, and nothing that cannot be seen."""
    read = Read(page)

    assert read.tags <= {*KNOWN_TAGS.split()}
    assert read.attributes <= {*KNOWN_ATTRIBUTES.split()}
    assert [link for link in read.links if not link.startswith("#")] == []
    assert page.count("</style>") == 1
    assert all(line.isprintable() for line in page.split("\n"))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_no_text_of_others_becomes_markup(text):
    assert_harmless(render(attacked(text)))


MARKUP = st.text("<>&\"'=/!-`{}%# ascript\n\r\t\x1b\u202e\u2066\u200b\u2028\x00é", min_size=1, max_size=60)
ANYTHING = st.one_of(MARKUP, st.text(min_size=1, max_size=200), st.characters(categories=["Cs", "Cf", "Cc", "Co"]))


@given(ANYTHING)
@settings(max_examples=40, deadline=None)
def test_foreign_text_is_never_markup(text):
    assert_harmless(render(attacked(text)))


@given(ANYTHING.filter(lambda text: "/" not in text), ANYTHING)
@settings(max_examples=40, deadline=None)
def test_names_and_documents_of_an_account_are_no_markup(name, text):
    """From IAM to the page: what differs, the commands that revert it, the patch of the baseline."""
    resource = {
        "Statement": {"Sid": text, "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{text}"}
    }
    approved = account(user(name, groups=(name,)), group(name), role(f"r-{name}"))
    live = account(
        user(name, resource), group(name), role(f"r-{name}", trust=trusting("*")), role(f"n-{name}", resource)
    )
    found = tuple(Finding(one, State.OPEN, NOW, NOW) for one in drifts(approved, live).found)

    assert len(found) >= 3
    assert_harmless(render(as_document(replace(REPORT, findings=found), approved=approved, live=live)))


def test_a_long_name_is_shortened_and_says_so():
    assert "… (shortened, 10,005 characters)" in render(attacked("n" * 10_000))


def test_every_link_leads_to_one_finding():
    read = Read(render(document()))

    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)
    assert {anchor(one.id) for one in FINDINGS} <= set(read.ids)


def test_a_thousand_findings_are_one_page_that_can_be_opened():
    many = tuple(
        replace(one, drift=replace(one.drift, entity=EntityId(f"{one.drift.entity}-{number}"), live={"n": number}))
        for number in range(125)
        for one in FINDINGS
    )
    whole = document(many)

    page = render(whole)

    assert len(page.encode()) < 8_000_000
    assert page.count('<details class="finding') == 1_000


def test_more_findings_than_a_page_can_hold_are_counted():
    many = tuple(
        replace(FINDINGS[3], drift=replace(FINDINGS[3].drift, entity=EntityId(f"user/u{number}")))
        for number in range(1_003)
    )

    assert "Shortened: 3 more findings" in render(document(many), json_report="report.json")


def test_nothing_open_is_said_calmly_and_an_unreviewed_baseline_is_not():
    text = "".join(Read(render(document((), baseline_reviewed=False))).text)

    assert "IAM matches the baseline." in text
    assert "The baseline has not been reviewed." in text


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda one: one.id)
def test_the_patch_of_the_baseline_approves_what_is_live(finding):
    """Applied to the baseline, the same drift has nothing left to change in it."""
    patch = baseline_patch(finding.drift, APPROVED, LIVE)
    undo = baseline_patch(finding.drift, LIVE, APPROVED)
    before = baseline()

    patched = jsonpatch.apply_patch(before, patch)

    assert patch
    assert patched != before
    assert jsonpatch.apply_patch(patched, undo) == before


def baseline():
    return {
        section: {
            key: json.loads(json.dumps({part: value for part, value in parts(one) if value is not None}))
            for key, one in getattr(APPROVED, section).items()
        }
        for section in ("users", "groups", "roles", "policies")
    }


def parts(entity):
    return [(one.name, getattr(entity, one.name)) for one in fields(entity) if one.name not in {"name", "arn"}]


def test_only_the_lines_that_differ_are_marked():
    approved = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}

    rows = side_by_side(approved, approved | {"g": 8})

    assert rows == [
        Row(Mark.LEFT_OUT, "4 equal lines"),
        *[
            Row(Mark.SAME, f'  "{key}": {value},', f'  "{key}": {value},')
            for key, value in [("d", 4), ("e", 5), ("f", 6)]
        ],
        Row(Mark.CHANGED, '  "g": 7', '  "g": 8'),
        Row(Mark.SAME, "}", "}"),
    ]


def test_severities_of_open_findings_are_counted():
    assert list(document()["open"]) == [severity.name for severity in sorted(Severity, reverse=True)]
    assert document()["open"] == {"CRITICAL": 2, "HIGH": 2, "MEDIUM": 1, "LOW": 1, "INFO": 1}


@pytest.mark.parametrize("kind", [Kind.NOTE, Kind.ACCESS])
def test_the_patch_for_what_was_renamed_approves_what_an_adoption_approves(kind):
    """A group and one of its members have other names, and the member may do more."""
    ann = User("ann", "/", "AIDA1", groups=("devs",))
    eve = replace(ann, name="eve", path="/people/", groups=("developers",), inline={"more": GET})
    approved = Account("111122223333", {"ann": ann}, {"devs": Group("devs", "/", "AGPA1")})
    live = Account("111122223333", {"eve": eve}, {"developers": Group("developers", "/", "AGPA1")})
    for entity in (EntityId("user/eve"), EntityId("group/developers")):
        drift = replace(FINDINGS[0].drift, entity=entity, kind=kind)
        wanted = adopted(approved, live, Adoption({entity: frozenset({kind})}))

        patched = jsonpatch.apply_patch(written(approved), baseline_patch(drift, approved, live))

        assert patched == written(wanted)


def written(account):
    """The account as it stands in the baseline's file."""
    return json.loads(baseline_document.write(Baseline(account)))
