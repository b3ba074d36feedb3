"""What a page is for: users, keys, drift and messages of the deployed stack, put into the state that it describes."""

import json
import uuid
from contextlib import suppress

from tests.local.aws.launched import ACCOUNT, REGION, Key, policy
from tests.local.service_users import LONG_AGO, ServiceUsers
from tests.local.stack import eventually

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"})
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"


class World:
    """The deployed stack, its people, and the states that the pages are for."""

    def __init__(self, stack):
        self.stack = stack
        self.aws = stack.aws
        self.account = ACCOUNT
        self.iam = stack.aws.client("iam")
        self.secrets = stack.aws.client("secretsmanager")
        self.users = ServiceUsers(stack, stack.physical_id("RotationState"))
        self.outputs = {
            output["OutputKey"]: output["OutputValue"]
            for output in stack.aws.client("cloudformation").describe_stacks(StackName="ecr-steward")["Stacks"][0][
                "Outputs"
            ]
        }
        on_call = self._document(self.outputs["OnCallPolicyArn"])["Statement"]
        reads = [statement for statement in on_call if statement["Sid"].startswith("Read")]
        operator, pipeline = self.outputs["OperatorPolicyArn"], self.outputs["PipelinePolicyArn"]
        self.people = {
            "on call": self._role("on-call", [operator], reads),
            "on call, repair": self._role("on-call-repair", [operator, self.outputs["OnCallPolicyArn"]]),
            "deployer": self._role("deployer", [ADMINISTRATOR]),
            "pipeline": self._role("team-a-ci", [pipeline]),
        }

    # People

    def _document(self, arn):
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    def _role(self, name, managed, statements=()):
        """The key of a session of a new role."""
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        for policy_arn in managed:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements))
        got = self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="on-the-page")["Credentials"]
        return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    # Users

    def steady(self):
        """A user with one key, which is in its secret and in use."""
        name, key = self.users.with_key("page", promoted_at=LONG_AGO, adopted_at=LONG_AGO)
        return {"ecr-push": name, "AKIA…": key}

    def with_a_key_in_quarantine(self):
        """A user whose previous key was deactivated after a rotation."""
        name, older = self.users.with_superseded_key(active=False, deactivated_at=LONG_AGO)
        return {"ecr-push": name, "AKIA…": older}

    def blocked(self):
        """A user with a second key that somebody made by hand, once the steward has reported it."""
        replace = self.steady()
        key = self.users.add_key(replace["ecr-push"])["AccessKeyId"]
        self.invoke("RotationPlanner")
        path = f"/service-users/{replace['ecr-push']}"
        assert eventually(lambda: self.call("GET", path)["blocked_by"], seconds=60), "the steward did not block it"
        return replace | {"AKIA…": key}

    def not_enrolled(self):
        """The name of a user outside of the service path, the id of its key, and the key's secret part."""
        name = f"builder-{uuid.uuid4().hex[:8]}"
        self.iam.create_user(UserName=name)
        key = self.users.add_key(name)
        return name, key["AccessKeyId"], key["SecretAccessKey"]

    def call(self, method, path, body=None):
        """An operator's call; its document."""
        data = json.dumps(body).encode() if body is not None else None
        answer = self.stack.call(method, path, self.stack.key(), data)
        assert answer.status < 300, answer.body
        return answer.document

    # Drift

    def drifted(self, name=None):
        """A role that became administrator, once its finding is there."""
        name = name or f"page-{uuid.uuid4().hex[:8]}"
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        self.iam.attach_role_policy(RoleName=name, PolicyArn=ADMINISTRATOR)
        finding = eventually(lambda: self.finding(f"unmanaged:role:{name}"), seconds=30)
        assert finding, f"nothing found {name}"
        return name

    def finding(self, finding_id):
        """An open finding; None where there is none."""
        answer = self.call("GET", "/drift/findings?limit=1000")
        return next((found for found in answer["findings"] if found["id"] == finding_id), None)

    def baseline(self):
        """The document of the baseline in force, as it stands in git."""
        return self.aws.http("GET", self.call("GET", "/drift/baseline")["document"]).body.decode()

    def trail(self):
        """A trail that logs management events."""
        cloudtrail = self.aws.client("cloudtrail")
        with suppress(cloudtrail.exceptions.TrailAlreadyExistsException):
            cloudtrail.create_trail(Name="pages", S3BucketName="pages", IsMultiRegionTrail=True)
        return {"NAME": "pages"}

    # Messages

    def dead_letter(self, logical_id, body, region=REGION, stack="ecr-steward"):
        """A message in one of the dead-letter queues."""
        described = self.aws.client("cloudformation", region=region).describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
        url, sqs = described["StackResourceDetail"]["PhysicalResourceId"], self.aws.client("sqs", region=region)
        own = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        anybody = policy({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": anybody})
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": own})

    def invoke(self, logical_id):
        """What a schedule does."""
        name = self.stack.function(logical_id)["FunctionName"]
        return self.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
