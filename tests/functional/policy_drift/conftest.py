"""The functions of policy drift, over an account of moto's whose baseline was captured."""

import json

import pytest

from tests.functional.gateway import ACCOUNT, REGION, LambdaContext, client_of

KEY = f"baseline/{ACCOUNT}.json"
ENVIRONMENT = {
    "DRIFT_TABLE": "state",
    "BASELINE_BUCKET": "baseline",
    "BASELINE_OWNER": ACCOUNT,
    "REPORTS_BUCKET": "reports",
    "IAM_EVENTS_REGION": "us-east-1",
    "SCAN_FUNCTION": "scan",
    "CHANGE_QUEUE": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/changes",
    "EVENT_DELAY_SECONDS": "30",
    "ACCESS_KEYS_FUNCTION": "access-keys",
}


def allow(*actions, resource="*"):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}
    )


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


@pytest.fixture
def account(aws, history, no_handler_yet, monkeypatch):
    """IAM with one role, ``ci``, that may read; two empty buckets."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    iam, s3 = client_of("iam"), client_of("s3")
    iam.generate_credential_report()  # it is there from then on, so that no scan waits a second for it
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="ci", PolicyName="rights", PolicyDocument=allow("s3:GetObject"))
    for bucket in ("baseline", "reports"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return iam


@pytest.fixture
def give(account):
    """Gives the role ``ci`` an inline policy beside what it has."""

    def rights(*actions, name="more"):
        account.put_role_policy(RoleName="ci", PolicyName=name, PolicyDocument=allow(*actions))

    return rights


@pytest.fixture
def baseline(account):
    """The approved document, as a person with the bucket sees it."""

    class Baseline:
        def read(self):
            return json.loads(client_of("s3").get_object(Bucket="baseline", Key=KEY)["Body"].read())

        def write(self, text):
            client_of("s3").put_object(Bucket="baseline", Key=KEY, Body=text)

        def delete(self):
            client_of("s3").delete_object(Bucket="baseline", Key=KEY)

    return Baseline()


@pytest.fixture
def scan(account, cold_start):
    """What the schedule does, or another event."""
    handler = cold_start("policy_drift.scan_account_handler")

    def run(**event):
        return handler.lambda_handler({"id": "scan-1"} | event, LambdaContext())

    return run
