"""Asking GET /health on the deployed stack: the probe is a check, which is unknown without its right."""

from tests.local.aws.launched import REGION

TRAIL = "health-probe"


class HealthProbes:
    """Probes of the deployed function, by the check that is to be made."""

    roles = ("HealthApiRole",)

    def __init__(self, stack, operator):
        self._stack = stack
        self._operator = operator

    def prepare(self, probe):
        """A trail, so that its state is read; nothing for every other check."""
        cloudtrail = self._stack.aws.client("cloudtrail")
        if probe == "trail" and not cloudtrail.describe_trails()["trailList"]:
            self._stack.aws.client("s3").create_bucket(
                Bucket=TRAIL, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            cloudtrail.create_trail(Name=TRAIL, S3BucketName=TRAIL, IsMultiRegionTrail=True)
            cloudtrail.start_logging(Name=TRAIL)

    def run(self, _role, probe):
        """Whether the check was made."""
        answer = self._stack.call("GET", "/health", self._operator)
        (state,) = [check["state"] for check in answer.document["checks"] if check["check"] == probe]
        return state != "unknown"
