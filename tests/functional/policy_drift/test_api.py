"""The operators' API, through the gateway's events; every answer is held to ``openapi.json``."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.client import BaseClient

from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords
from policy_drift.bootstrap import operate_drift
from policy_drift.domain.baseline import AT_ONCE
from tests.doubles.frozen_clock import HurryingClock
from tests.functional.contract import Contract
from tests.functional.gateway import ACCOUNT, Gateway, client_of, sample
from tests.functional.policy_drift.conftest import KEY, TRUST, allow

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


class Api(Gateway):
    """Calls of the routes of drift."""

    handler = "operate_drift_handler"

    def call(self, method, path, body=None, **request):
        event = sample("policy_drift", "list_findings") | {"httpMethod": method, "path": path, "resource": path}
        prefix, _, rest = path.partition("/drift/findings/")
        if rest and not prefix:
            finding, _, action = rest.partition("/")
            resource = "/drift/findings/{finding_id}" + (f"/{action}" if action else "")
            event |= {"resource": resource, "pathParameters": {"finding_id": finding}}
        return self.request(event, body, **request)

    def findings(self, **request):
        return self.call("GET", "/drift/findings", **request)

    def acknowledge(self, finding, **changes):
        given = {"reason": "migration", "owner": "team-a", "expires": TOMORROW, "fingerprint": finding["fingerprint"]}
        body = {name: value for name, value in (given | changes).items() if value is not None}
        return self.call("POST", f"/drift/findings/{finding['id']}/acknowledgement", body)

    def adopt(self, *findings, **changes):
        reviewed = [{"id": finding["id"], "fingerprint": finding["fingerprint"]} | changes for finding in findings]
        return self.call("POST", "/drift/baseline/adoptions", {"findings": reviewed})

    def prepare(self, sha256, size):
        return self.call("POST", "/drift/baseline/uploads", {"sha256": sha256, "size": size})

    def upload(self, document, **request):
        return self.call("PUT", "/drift/baseline", document, **request)


@pytest.fixture
def api(account, cold_start):
    return Api(Contract("policy_drift"), cold_start)


@pytest.fixture
def finding(scan, give, api):
    """The role ``ci`` may delete what it may read; nobody approved that."""
    scan()
    give("s3:DeleteObject")
    scan()
    (found,) = api.findings()[2]["findings"]
    return found


def test_an_account_as_approved_has_no_findings(scan, api):
    scan()

    assert api.findings()[2] == {"findings": [], "next": None}


@pytest.fixture
def findings(scan, give, account, api):
    """Five, of two severities."""
    scan()
    give("s3:DeleteObject")
    for name in ("a", "b", "c", "d"):
        account.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    scan()
    return api.findings()[2]["findings"]


def test_findings_come_in_pages_and_each_is_on_one_of_them(api, findings):
    pages, query = [], {"limit": "2"}
    while query:
        _, _, page = api.findings(query=query)
        pages.append(page["findings"])
        query = {"next": page["next"]} if page["next"] else {}

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [finding for page in pages for finding in page] == findings


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "1001"}, {"limit": "ten"}, {"limit": "²"}, {"next": "x"}, {"next": "é"}, {"next": ""}],
)
def test_a_page_that_cannot_be_is_refused(api, query):
    status, _, problem = api.findings(query=query)

    assert status == 400
    assert next(iter(query)) in problem["detail"]


def test_a_finding_is_shown_with_both_sides_and_what_proves_it(api, finding):
    status, _, shown = api.call("GET", f"/drift/findings/{finding['id']}")

    assert status == 200
    assert [witness["action"] for witness in shown["newly_allowed"]] == ["s3:DeleteObject"]
    assert "s3:DeleteObject" in json.dumps(shown["live"])
    assert "s3:DeleteObject" not in json.dumps(shown["approved"])


def test_a_finding_is_shown_with_the_commands_that_revert_it_and_the_body_that_adopts_it(api, finding):
    shown = api.call("GET", f"/drift/findings/{finding['id']}")[2]

    assert shown["revert"]["commands"] == ["aws iam delete-role-policy --role-name ci --policy-name more"]
    assert shown["adoption"] == {"findings": [{"id": finding["id"], "fingerprint": finding["fingerprint"]}]}
    assert shown["accepts"] == "1 finding, with all of the access that is listed: 1 line added, 0 lines removed"


def test_how_a_finding_is_reverted_is_unknown_while_iam_cannot_be_read(api, finding, fails):
    fails("GetAccountAuthorizationDetails", "AccessDenied")

    status, _, shown = api.call("GET", f"/drift/findings/{finding['id']}")

    assert (status, shown["revert"]["commands"]) == (200, [])
    assert "is not known" in shown["revert"]["refused"]


@pytest.mark.parametrize("how", ["reverted", "adopted"])
def test_a_resolved_finding_says_how_it_ended(api, finding, account, scan, how):
    if how == "adopted":
        api.adopt(finding)
    else:
        account.delete_role_policy(RoleName="ci", PolicyName="more")
        scan()

    shown = api.call("GET", f"/drift/findings/{finding['id']}")[2]

    assert (shown["state"], shown["ended"], shown["revert"], shown["adoption"]) == ("RESOLVED", how, None, {})


@pytest.mark.parametrize(
    ("state", "count"), [("open", 1), ("OPEN", 1), ("ALL", 1), ("RESOLVED", 0), ("ACKNOWLEDGED", 0)]
)
def test_findings_are_listed_by_state(api, finding, state, count):
    assert len(api.findings(query={"state": state})[2]["findings"]) == count


def test_an_acknowledged_finding_has_an_owner_and_an_end(api, finding, heard):
    heard()

    status, _, shown = api.acknowledge(finding)

    assert (status, shown["state"], shown["acknowledgement"]["owner"]) == (200, "ACKNOWLEDGED", "team-a")
    assert [event["detail-type"] for event in heard()] == ["PolicyDriftAcknowledged"]
    assert api.findings()[2]["findings"] == []


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"reason": None}, 422, "reason"),
        ({"reason": "  "}, 422, "reason"),
        ({"owner": ""}, 422, "owner"),
        ({"expires": "2020-01-01T00:00:00Z"}, 422, "past"),
        ({"expires": "tomorrow"}, 422, "ISO 8601"),
        ({"expires": "2099-01-01T00:00:00"}, 422, "time zone"),
        ({"expires": "2099-01-01T00:00:00Z"}, 422, "year"),
        ({"expires": 5}, 422, "text"),
        ({"fingerprint": "sha256:another"}, 412, "fingerprint"),
        ({"besides": "x"}, 422, "nothing else"),
    ],
)
def test_an_acknowledgement_that_is_not_sound_is_refused_with_what_would_be(api, finding, changes, status, words):
    refused, _, problem = api.acknowledge(finding, **changes)

    assert refused == status
    assert words in problem["detail"]
    assert api.findings()[2]["findings"] == [finding]


def test_an_adopted_finding_is_approved_and_over_at_once(api, finding, baseline, heard):
    heard()

    status, _, shown = api.adopt(finding)

    assert (status, shown["how"]) == (200, "adopted")
    assert shown["accepted"] == "1 finding, with all of the access that is listed: 1 line added, 0 lines removed"
    assert [line.partition(" (")[0] for line in shown["added"]] == ["role/ci: s3:DeleteObject"]
    assert "s3:DeleteObject" in json.dumps(baseline.read())
    assert api.findings()[2]["findings"] == []
    assert {event["detail-type"] for event in heard()} == {"BaselineChanged", "PolicyDriftResolved"}


def test_a_finding_that_has_changed_since_it_was_reviewed_is_not_adopted(api, finding, give, baseline):
    give("s3:*")

    status, _, problem = api.adopt(finding)

    assert status == 412
    assert "changed since it was reviewed" in problem["detail"]
    assert "s3:*" not in json.dumps(baseline.read())


def test_a_finding_that_is_over_is_not_adopted(api, finding, account):
    account.delete_role_policy(RoleName="ci", PolicyName="more")

    assert api.adopt(finding)[0] == 412


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"findings": []},
        {"findings": "all"},
        {"findings": [{"id": "access:role:ci"}]},
        {"findings": [5]},
        {"findings": [], "all": True},
    ],
)
def test_an_adoption_names_findings_and_fingerprints(api, finding, body):
    status, _, problem = api.call("POST", "/drift/baseline/adoptions", body)

    assert status == 422
    assert "fingerprint" in problem["detail"]


def test_a_user_that_was_renamed_is_adopted_under_its_new_name(api, account, scan, baseline):
    account.create_user(UserName="ann")
    scan()
    account.update_user(UserName="ann", NewUserName="eve", NewPath="/people/")
    scan()
    (renamed,) = api.findings()[2]["findings"]

    assert api.adopt(renamed)[0] == 200

    assert baseline.read()["users"].keys() == {"eve"}
    assert scan()["open"] == {}


def test_what_a_renamed_user_may_do_is_adopted_without_its_new_name(api, account, scan, baseline):
    account.create_user(UserName="ann")
    scan()
    account.update_user(UserName="ann", NewUserName="eve")
    account.put_user_policy(UserName="eve", PolicyName="more", PolicyDocument=allow("s3:GetObject"))
    scan()
    findings = {finding["id"]: finding for finding in api.findings()[2]["findings"]}

    assert api.adopt(findings["access:user:eve"])[0] == 200

    assert baseline.read()["users"]["ann"]["inline"].keys() == {"more"}
    assert scan()["open"] == {"INFO": 1}


def test_a_group_that_was_renamed_is_adopted_with_its_members(api, account, scan, baseline):
    account.create_group(GroupName="devs")
    account.create_user(UserName="ann")
    account.add_user_to_group(GroupName="devs", UserName="ann")
    scan()
    account.update_group(GroupName="devs", NewGroupName="developers")
    scan()
    (renamed,) = api.findings()[2]["findings"]

    assert api.adopt(renamed)[0] == 200

    assert baseline.read()["users"]["ann"]["groups"] == ["developers"]
    assert scan()["open"] == {}


def test_no_more_than_200_findings_are_adopted_at_a_time(api, finding):
    many = [{"id": f"access:role:{number}", "fingerprint": "sha256:0"} for number in range(201)]

    assert api.call("POST", "/drift/baseline/adoptions", {"findings": many})[0] == 422


@pytest.mark.parametrize("path", ["", "/acknowledgement"])
def test_an_unknown_finding_is_not_found(api, finding, path):
    method = "POST" if path else "GET"
    body = {"reason": "r", "owner": "o", "expires": TOMORROW, "fingerprint": "f"} if path else None

    status, _, problem = api.call(method, f"/drift/findings/access:role:nobody{path}", body)

    assert status == 404
    assert "GET /drift/findings" in problem["detail"]


def test_the_baseline_is_shown_with_a_link_to_its_document(api, finding):
    status, headers, shown = api.call("GET", "/drift/baseline")

    assert (status, shown["reviewed"], shown["how"]) == (200, False, "captured")
    assert shown["version"] in headers["ETag"]
    assert "X-Amz-" in shown["document"]


def test_an_uploaded_baseline_is_in_force_and_a_scan_follows(api, finding, baseline, scans):
    status, _, shown = api.upload(baseline.read() | {"reviewed": True})

    assert (status, shown["reviewed"], shown["how"]) == (200, True, "uploaded")
    assert len(scans) == 1


def test_an_upload_into_the_bucket_that_no_scan_has_seen_is_not_replaced_unread(api, finding, baseline, scans):
    approved = baseline.read()
    baseline.write(json.dumps(approved).replace("s3:GetObject", "s3:*"))

    adopted, _, problem = api.adopt(finding)
    uploaded = api.upload(approved)[0]

    assert (adopted, uploaded) == (409, 409)
    assert "no scan has seen" in problem["detail"]
    assert "s3:*" in json.dumps(baseline.read())


def test_an_upload_takes_the_place_of_one_that_was_deleted_for_good(api, finding, baseline, heard, scans):
    approved = baseline.read()
    version = client_of("s3").head_object(Bucket="baseline", Key=KEY)["VersionId"]
    client_of("s3").delete_object(Bucket="baseline", Key=KEY, VersionId=version)
    heard()

    shown = api.call("GET", "/drift/baseline")[0]
    status = api.upload(approved)[0]

    (changed,) = [event["detail"]["data"] for event in heard() if event["detail-type"] == "BaselineChanged"]
    assert (shown, status, changed["severity"]) == (409, 200, "CRITICAL")


def test_an_upload_over_a_version_that_was_replaced_meanwhile_is_refused(api, finding, baseline, scans):
    status, _, problem = api.upload(baseline.read(), headers={"If-Match": '"of yesterday"'})

    assert status == 412
    assert "If-Match" in problem["detail"]
    assert scans == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [("", "empty"), ("{", "JSON"), ("[]", "object"), ('{"account": "210987654321"}', "")],
    ids=["empty", "truncated", "no object", "another account"],
)
def test_an_upload_that_cannot_be_used_is_refused_with_the_reason(api, finding, baseline, raw, words):
    before = baseline.read()

    status, _, problem = api.upload(None, raw=raw)

    assert status == 422
    assert words in problem["detail"]
    assert baseline.read() == before


def test_an_upload_that_is_no_baseline_is_refused_before_if_match_is_compared(api, finding):
    assert api.upload([], headers={"If-Match": '"of yesterday"'})[0] == 422


def test_an_upload_of_another_media_type_is_refused(api, finding, baseline):
    assert api.upload(baseline.read(), headers={"Content-Type": "text/plain"})[0] == 415


@pytest.fixture
def sent(api, finding, baseline):
    """Another baseline, which was sent to a link: its SHA-256."""
    text = json.dumps(baseline.read()).replace("s3:GetObject", "s3:*").encode()
    sha256 = hashlib.sha256(text).hexdigest()
    status, _, link = api.prepare(sha256, len(text))
    assert (status, link["expires_in"]) == (201, 300)
    requests.put(link["upload"], text, headers=link["headers"], timeout=5).raise_for_status()
    return sha256


def test_a_link_for_an_upload_alone_changes_nothing_that_is_in_force(api, sent, scan, baseline, heard):
    heard()

    scan()

    shown = api.call("GET", "/drift/baseline")[2]
    assert shown["how"] == "captured"
    assert "s3:*" not in json.dumps(baseline.read())
    assert {event["detail-type"] for event in heard()} == {"DriftScanCompleted"}


def test_what_was_sent_to_a_link_is_in_force_when_it_is_named(api, sent, baseline, scans):
    before = api.call("GET", "/drift/baseline")[2]["version"]

    status, _, shown = api.upload(None, query={"uploaded": sent}, headers={"If-Match": f'"{before}"'})

    assert (status, shown["how"]) == (200, "uploaded")
    assert shown["version"] != before
    assert "s3:*" in json.dumps(baseline.read())
    assert len(scans) == 1


def test_an_upload_that_differs_too_much_for_one_call_is_accepted_and_a_scan_puts_it_in_force(
    api, sent, baseline, scans, scan, cold_start, monkeypatch
):
    handler = cold_start("policy_drift.operate_drift_handler")
    in_a_hurry = operate_drift(clock=HurryingClock(datetime.now(UTC)))
    monkeypatch.setattr(handler, "use_cases", lambda: in_a_hurry)  # the same wiring, with another clock

    status, _, answer = api.upload(None, query={"uploaded": sent})

    before = api.call("GET", "/drift/baseline")[2]
    scan()
    after = api.call("GET", "/drift/baseline")[2]
    assert (status, len(scans)) == (202, 1)
    assert json.loads(scans[0]["Payload"])["id"] == answer["scan_id"]
    assert (before["how"], after["how"]) == ("captured", "uploaded")
    assert "s3:*" in json.dumps(baseline.read())


def test_what_was_sent_to_a_link_does_not_replace_another_version_than_the_named_one(api, sent, baseline):
    status, _, _ = api.upload(None, query={"uploaded": sent}, headers={"If-Match": '"of yesterday"'})

    assert status == 412
    assert "s3:*" not in json.dumps(baseline.read())


@pytest.fixture
def more_memory(monkeypatch):
    """Functions that read twice as much as a request has time for."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "4096")


@pytest.fixture
def send_large(more_memory, api, finding):
    """Sends a text that no request has time to read to a link, and names it; the answer."""

    def send(document):
        text = json.dumps(document).encode() + b" " * AT_ONCE
        sha256 = hashlib.sha256(text).hexdigest()
        link = api.prepare(sha256, len(text))[2]
        requests.put(link["upload"], text, headers=link["headers"], timeout=60).raise_for_status()
        return api.upload(None, query={"uploaded": sha256})

    return send


@pytest.fixture
def large_in_force(finding):
    """The record says that the baseline is larger than a request reads: so large a text takes too long in a test."""
    records = DynamoDbBaselineRecords(client_of("dynamodb"), "state", ACCOUNT)
    kept = records.get()
    records.save(replace(kept.value, size=AT_ONCE + 1), after=kept.revision)


def test_an_upload_that_no_request_has_time_to_read_is_checked_and_put_in_force_by_the_scan(
    send_large, api, baseline, scans, scan
):
    wider = json.loads(json.dumps(baseline.read()).replace("s3:GetObject", "s3:*"))

    status, _, answer = send_large(wider)

    before = api.call("GET", "/drift/baseline")[2]
    scan()
    after = api.call("GET", "/drift/baseline")[2]
    assert (status, json.loads(scans[0]["Payload"])["id"]) == (202, answer["scan_id"])
    assert (before["how"], after["how"]) == ("captured", "uploaded")
    assert after["by"] == "123456789012:role/operators"
    assert baseline.read() == wider


def test_an_upload_that_the_scan_refuses_is_refused_in_the_name_of_its_sender(send_large, api, scan, scans, heard):
    before = api.call("GET", "/drift/baseline")[2]
    status = send_large({"account": "210987654321"})[0]
    heard()

    scan()

    (refused,) = [one["detail"]["data"] for one in heard() if one["detail-type"] == "BaselineRefused"]
    after = api.call("GET", "/drift/baseline")[2]
    assert status == 202
    assert refused["by"] == "123456789012:role/operators"
    assert after["version"] == before["version"]


def test_an_upload_that_no_request_reads_does_not_replace_an_upload_that_no_scan_has_seen(send_large, baseline):
    approved = baseline.read()
    baseline.write(json.dumps(approved).replace("s3:GetObject", "sqs:*"))

    assert send_large(approved)[0] == 409
    assert "sqs:*" in json.dumps(baseline.read())


def test_a_baseline_that_no_request_reads_is_not_adopted_into_and_what_to_do_is_said(
    large_in_force, api, finding, baseline
):
    before = baseline.read()

    status, _, problem = api.adopt(finding)

    assert status == 409
    assert "send it to a link" in problem["detail"]
    assert baseline.read() == before


def test_findings_are_shown_and_acknowledged_beside_a_baseline_that_no_request_reads(large_in_force, api, finding):
    status, _, shown = api.call("GET", f"/drift/findings/{finding['id']}")

    assert (status, shown["revert"]["commands"]) == (200, [])
    assert "too many for one call" in shown["revert"]["refused"]
    assert api.call("GET", "/drift/baseline")[0] == 200
    assert api.acknowledge(finding)[0] == 200


def test_a_small_upload_replaces_a_baseline_that_no_request_reads(large_in_force, api, baseline, scans, scan):
    status = api.upload(baseline.read())[0]

    scan()

    assert status == 202
    assert api.upload(baseline.read())[0] == 200


def test_a_baseline_is_too_large_for_the_memory_of_the_function_and_the_refusal_names_the_parameter(api):
    api.restart(AWS_LAMBDA_FUNCTION_MEMORY_SIZE="2048")

    status, _, problem = api.prepare("00" * 32, 300_000_000)

    assert status == 422
    assert "DriftMemory" in problem["detail"]


def test_a_function_with_all_memory_of_lambda_takes_the_baseline_of_the_largest_account(api):
    api.restart(AWS_LAMBDA_FUNCTION_MEMORY_SIZE="10240")

    assert api.prepare("00" * 32, 300_000_000)[0] == 201


@pytest.mark.parametrize("found", ["another text", "nothing"])
def test_an_upload_that_is_not_the_text_of_its_name_is_refused(api, sent, baseline, found):
    """Past the bucket's policy: its owner replaces what was sent, or it was deleted after a day."""
    place = {"Bucket": "reports", "Key": f"uploads/{sent}.json"}
    if found == "nothing":
        client_of("s3").delete_object(**place)
    else:
        client_of("s3").put_object(**place, Body=json.dumps(baseline.read()).encode())

    status, _, problem = api.upload(None, query={"uploaded": sent})

    assert status == 409
    assert "ask for a link again" in problem["detail"]


def test_what_was_sent_to_a_link_is_refused_for_the_same_reasons_as_a_body(api, finding, baseline):
    before, text = baseline.read(), b'{\n"account": "210987654321"}'
    sha256 = hashlib.sha256(text).hexdigest()
    link = api.prepare(sha256, len(text))[2]
    requests.put(link["upload"], text, headers=link["headers"], timeout=5).raise_for_status()

    status, _, problem = api.upload(None, query={"uploaded": sha256})

    assert (status, problem["detail"]) == (422, api.upload(None, raw=text.decode())[2]["detail"])
    assert baseline.read() == before


@pytest.mark.parametrize(
    "body",
    [
        {"sha256": "a" * 64, "size": 64 * 1024 * 1024 + 1},
        {"sha256": "a" * 64, "size": 0},
        {"sha256": "a" * 64, "size": True},
        {"sha256": "a" * 63, "size": 1},
        {"sha256": "../" + "a" * 61, "size": 1},
        {"sha256": "a" * 64},
        {"sha256": "a" * 64, "size": 1, "key": "baseline/123456789012.json"},
    ],
    ids=["too large", "empty", "no number", "too short", "a path", "no size", "a key"],
)
def test_a_link_is_given_for_a_text_of_a_known_size_and_digest_alone(api, finding, body):
    assert api.call("POST", "/drift/baseline/uploads", body)[0] == 422


@pytest.mark.parametrize("name", ["", "a" * 63, "A" * 64, "../baseline"])
def test_an_upload_is_named_by_its_digest_alone(api, finding, name):
    assert api.upload(None, query={"uploaded": name})[0] == 422


def test_a_body_beside_a_named_upload_is_refused(api, sent, baseline):
    assert api.upload(baseline.read(), query={"uploaded": sent})[0] == 422


def test_a_scan_is_started_and_not_waited_for(api, finding, scans):
    status, _, asked = api.call("POST", "/drift/scans")

    assert status == 202
    assert [json.loads(scan["Payload"])["id"] for scan in scans] == [asked["scan_id"]]


def change_report_record(expression, values=None):
    """What the table remembers of the latest report."""
    change = {"UpdateExpression": expression} | ({"ExpressionAttributeValues": values} if values else {})
    client_of("dynamodb").update_item(TableName="state", Key={"id": {"S": "latest-report"}}, **change)


@pytest.mark.parametrize("extension", ["html", "json"])
def test_the_latest_report_is_a_link_for_some_minutes(api, finding, extension):
    status, _, shown = api.call("GET", "/drift/report", query={"format": extension})

    assert status == 200
    assert f"latest.{extension}" in shown["report"]


def test_a_report_that_replaced_the_scans_is_not_linked(api, finding):
    client_of("s3").put_object(Bucket="reports", Key="reports/latest.html", Body=b"<script>")

    _, _, shown = api.call("GET", "/drift/report")

    version = parse_qs(urlsplit(shown["report"]).query)["versionId"][0]
    linked = client_of("s3").get_object(Bucket="reports", Key="reports/latest.html", VersionId=version)
    report = linked["Body"].read()
    assert report.startswith(b"<!")
    assert shown["sha256"] == hashlib.sha256(report).hexdigest()
    assert shown["expires_in"] == 300


@pytest.mark.parametrize("found", ["another", "nothing"])
def test_a_report_that_the_bucket_no_longer_holds_is_refused_and_published(api, finding, heard, found):
    """The record names a version that the bucket has lost, or one whose content the scan did not write."""
    s3, place = client_of("s3"), {"Bucket": "reports", "Key": "reports/latest.html"}
    written = s3.put_object(**place, Body=b"<script>")["VersionId"]
    change_report_record("SET versions.html = :version", {":version": {"S": written}})
    if found == "nothing":
        s3.delete_object(**place, VersionId=written)

    status, _, problem = api.call("GET", "/drift/report")

    assert status == 409
    assert "request a scan" in problem["detail"]
    refused = heard()[-1]
    assert refused["detail-type"] == "DriftReportRefused"
    assert refused["detail"]["data"]["report"] == "reports/latest.html"
    assert refused["detail"]["data"]["found"] == (hashlib.sha256(b"<script>").hexdigest() if found == "another" else "")


def test_a_report_of_a_scan_that_recorded_no_digest_is_linked_until_the_next_scan(api, finding):
    change_report_record("REMOVE digests")

    status, _, shown = api.call("GET", "/drift/report")

    assert status == 200
    assert len(shown["sha256"]) == 64


def test_before_the_first_scan_there_is_no_report(api):
    status, _, problem = api.call("GET", "/drift/report")

    assert status == 404
    assert "request a scan" in problem["detail"]


def test_before_the_first_scan_there_is_no_baseline(api):
    assert api.call("GET", "/drift/baseline")[0] == 409


@pytest.mark.parametrize(
    ("path", "query"), [("/drift/findings", {"state": "NEW"}), ("/drift/report", {"format": "pdf"})]
)
def test_a_value_that_a_parameter_does_not_have_is_refused_with_those_it_has(api, finding, path, query):
    status, _, problem = api.call("GET", path, query=query)

    assert status == 400
    assert " or " in problem["detail"]


@pytest.mark.parametrize(("raw", "status"), [("{", 400), ("[]", 400), ("5", 400)])
@pytest.mark.parametrize("path", ["/drift/baseline/adoptions", "/drift/findings/access:role:ci/acknowledgement"])
def test_a_body_that_is_no_object_is_refused(api, finding, path, raw, status):
    assert api.call("POST", path, raw=raw)[0] == status


@pytest.mark.parametrize(
    ("code", "status"), [("InternalServerError", 503), ("ThrottlingException", 503), ("AccessDeniedException", 503)]
)
def test_when_aws_fails_the_answer_is_to_try_again(api, finding, fails, code, status):
    fails("GetItem", code, times=9)

    answered, _, problem = api.call("GET", f"/drift/findings/{finding['id']}")

    assert answered == status
    assert "GetItem" in problem["detail"]


def test_the_contract_is_served_as_it_is_committed(api):
    assert api.call("GET", "/openapi/drift.json")[2] == Contract("policy_drift").document


def test_a_route_that_is_not_there_is_a_problem(api, finding):
    assert api.call("DELETE", "/drift/baseline")[0] == 404


@pytest.fixture
def scans(monkeypatch):
    """What the function of scans was asked; moto would run it in Docker."""
    reached, asked = BaseClient._make_api_call, []  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        if operation != "Invoke" or parameters["FunctionName"] != "scan":
            return reached(client, operation, parameters)
        asked.append(parameters)
        return {"StatusCode": 202}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return asked
