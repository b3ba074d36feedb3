"""A developer puts other code where SAM uploads what it built; the deployment uploads its own all the same.

SAM names an object by the digest of what is in it, and by default takes one of that name that is already there for
its own. Here the owner plants it: SAM's policy of the bucket demands TLS, which the local AWS does not have.
"""

from local.workspace import Workspace, read_record, write_record
from tests.attacks.attacked_stack import SETTINGS

PLANTED = b"other code"


def test_what_is_planted_among_the_artifacts_is_replaced_by_what_was_built(stack):
    s3 = stack.aws.client("s3")
    (bucket,) = [one["Name"] for one in s3.list_buckets()["Buckets"] if "samclisourcebucket" in one["Name"]]
    built = {one["Key"]: one["ETag"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    for key in built:
        s3.put_object(Bucket=bucket, Key=key, Body=PLANTED)

    _deploy_again(stack)

    uploaded = {one["Key"]: one["ETag"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    planted = s3.put_object(Bucket=bucket, Key="probe", Body=PLANTED)["ETag"]
    assert len(built) > 3
    assert [key for key, etag in uploaded.items() if etag == planted] == []


def _deploy_again(stack):
    """The deployment alone, of what is already built."""
    record = Workspace(stack.folder).deployment_record
    write_record(record, {name: value for name, value in read_record(record).items() if name == "built"})
    again = stack.run("start", "--settings", str(SETTINGS))
    assert again.returncode == 0, again.stdout + again.stderr
