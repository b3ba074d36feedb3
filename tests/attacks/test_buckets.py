"""A developer without IAM rights writes and weakens the buckets; the functions still write to them."""

import json

import pytest

from tests.local.aws.launched import ACCOUNT

BASELINE = f"baseline/{ACCOUNT}.json"
OPEN_TO_ALL = {"Version": "2012-10-17", "Statement": []}
SETTINGS = (
    ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
    ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": []}}),
    ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": []}}),
    ("put_bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}),
    ("put_public_access_block", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}),
    ("put_bucket_replication", {"ReplicationConfiguration": {"Role": "arn:aws:iam::123456789012:role/x", "Rules": []}}),
    ("delete_bucket", {}),
)


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("BaselineBucket", BASELINE),
        ("ReportsBucket", "reports/latest.html"),
        ("ReportsBucket", f"uploads/{'0' * 64}.json"),
    ],
)
def test_only_the_functions_write_a_baseline_a_report_or_an_upload(stack, developer, refused, bucket, key):
    s3, name = stack.aws.client("s3", developer), stack.physical_id(bucket)

    with refused(f"writing {key}"):
        s3.put_object(Bucket=name, Key=key, Body=b"<script>alert(1)</script>")
    with refused(f"deleting {key}"):
        s3.delete_object(Bucket=name, Key=key)


@pytest.mark.parametrize("bucket", ["BaselineBucket", "ReportsBucket"])
@pytest.mark.parametrize(("call", "settings"), SETTINGS)
def test_a_developer_cannot_weaken_a_bucket(stack, developer, refused, bucket, call, settings):
    with refused(f"{call} on {bucket}"):
        getattr(stack.aws.client("s3", developer), call)(Bucket=stack.physical_id(bucket), **settings)


def test_a_scan_still_writes_its_report_and_the_api_links_it(stack):
    stack.scan()

    link = stack.ask("GET", "/drift/report").document["report"]

    assert stack.aws.http("GET", link).body.startswith(b"<!")


def test_a_replaced_report_is_refused_and_alerted(stack, alerts):
    """Past the bucket's policy: its owner writes another version, and makes the record name it."""
    s3, bucket = stack.aws.client("s3"), stack.physical_id("ReportsBucket")
    lifted = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    replaced = s3.put_object(Bucket=bucket, Key="reports/latest.html", Body=b"<script>alert(1)</script>")["VersionId"]
    s3.put_bucket_policy(Bucket=bucket, Policy=lifted)
    assert replaced not in stack.ask("GET", "/drift/report").document["report"]
    stack.aws.client("dynamodb").update_item(
        TableName=stack.physical_id("DriftState"),
        Key={"id": {"S": "latest-report"}},
        UpdateExpression="SET versions.html = :version",
        ExpressionAttributeValues={":version": {"S": replaced}},
    )

    answer = stack.ask("GET", "/drift/report")

    stack.refusals.append(("a report that somebody replaced", answer.document["detail"]))
    assert answer.status == 409
    (sent,) = alerts.about(replaced)
    assert "Somebody replaced a drift report" in sent["Subject"]
    assert "<script>" not in sent["Message"]
    stack.scan()
    assert stack.ask("GET", "/drift/report").status == 200


def test_an_operator_still_uploads_a_baseline_through_the_api(stack):
    version = stack.ask("GET", "/drift/baseline").document["version"]
    s3 = stack.aws.client("s3")
    stored = s3.get_object(Bucket=stack.physical_id("BaselineBucket"), Key=BASELINE, VersionId=version)["Body"].read()

    uploaded = stack.ask("PUT", "/drift/baseline", json.loads(stored))

    assert uploaded.status in {200, 201}, uploaded.body
    assert uploaded.document["version"] != version
