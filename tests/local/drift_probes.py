"""Trying the work of the functions of policy drift, on all kinds of entities that they read."""

import base64
import hashlib
import json
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.local.aws.launched import ACCOUNT, allow, policy

FUNCTIONS = {"DriftScanRole": "DriftScan", "DriftCheckRole": "DriftCheck", "DriftApiRole": "DriftApi"}
MANY = 61
"""Members of a group of whom the check reads the whole account, not each alone."""
FINDINGS = 8
FORGETTING = {"the first scan", "the first change under another baseline"}
OF_FINDINGS = {"one finding", "an acknowledgement", "an adoption"}
CALLS = {"userName": "UpdateUser", "groupName": "UpdateGroup", "roleName": "UpdateRole"}
"""How CloudTrail names a principal -> a call that changes it."""
RIGHTS = policy(allow("s3:GetObject"))
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


class DriftProbes:
    """Probes of the deployed functions. The rules for uploads and for changes of IAM are disabled: a check of the real
    event would name the author of a change that is to have no event.
    """

    roles = FUNCTIONS.keys()

    def __init__(self, stack, rights):
        self._stack = stack
        self._physical = rights.physical
        self._iam = stack.aws.client("iam")
        self._lambda = stack.aws.client("lambda")
        self._s3 = stack.aws.client("s3")
        events = stack.aws.client("events")
        events.disable_rule(Name=self._physical["BaselineUploadRule"])
        *bus, rule = self._physical["IamChangeRule"].split("|")
        events.disable_rule(Name=rule, EventBusName=bus[0] if bus else self._physical["Bus"])
        self._is_captured = False
        self._crowd = ""
        self._findings = []

    def prepare(self, probe):
        """Make the account what the probe needs, while every function has its rights."""
        if probe == "a lost baseline":
            self._lose_the_baseline()
            self._is_captured = False
            return
        needs_findings = probe in OF_FINDINGS and not self._findings
        if probe in FORGETTING or needs_findings or not self._is_captured:
            self._forget_everything()
            self._is_captured = probe != "the first scan" and self._scan()
            assert self._is_captured or probe == "the first scan"
        if needs_findings:
            names = self._drifted_roles(FINDINGS)
            assert self._scan(), "nobody found the roles"
            self._findings = [self._finding_of(name) for name in names]
        if probe == "a change of a large group":
            self._crowd = self._crowd or self._large_group()

    def run(self, role, probe):  # noqa: ARG002, C901, PLR0911, PLR0912 - a table, in the form of a match
        """Whether the function that has the role does its work."""
        match probe:
            case "the first scan" | "a scan":
                return self._scan()
            case "a lost baseline":
                return not self._scan() and self._is_found(f"baseline:account:{ACCOUNT}")
            case "a report with the account's access keys":
                return self._reports_keys()
            case "a finding that no event announced":
                (name,) = self._drifted_roles(1)
                return self._scan() and self._finding_of(name)["changes"] != []
            case "a change of a user, a group, a role and a policy":
                return self._are_found(*self._entities_of_every_kind())
            case "a change of a role" | "the first change under another baseline":
                return self._are_found({"roleName": self._drifted_roles(1)[0]})
            case "a change of a large group":
                return self._are_found({"groupName": self._crowd})
            case "what was made beside policies":
                return self._are_confirmed(*self._beside_policies())
            case "a change that IAM does not show yet":
                return self._comes_again({"userName": unique()})
            case "all findings":
                return self._call("GET", "/findings").status == 200
            case "one finding":
                return self._call("GET", f"/findings/{self._findings[-1]['id']}").status == 200
            case "an acknowledgement":
                return self._acknowledge()
            case "an adoption":
                return self._adopt()
            case "an upload":
                return self._upload()
            case "a scan on demand":
                return self._call("POST", "/scans").status == 202
            case "a link to the report":
                return self._call("GET", "/report").status == 200
        raise AssertionError(f"no such probe: {probe}")

    def _scan(self):
        answer = self._invoke("DriftScan", {"id": f"scan-{uuid.uuid4().hex}"})
        return answer is not None and "failed" not in answer

    def _reports_keys(self):
        """Whether the report of a scan has the list of the account's keys."""
        key = self._invoke("DriftScan", {"id": f"scan-{uuid.uuid4().hex}"})["report"].removesuffix("html") + "json"
        report = self._s3.get_object(Bucket=self._physical["ReportsBucket"], Key=key)["Body"].read()
        return json.loads(report)["access_keys"]["problem"] is None

    def _are_found(self, *named):
        """Hand the check a batch of its queue, one change for each of what is named, and none of it approved; whether
        no message is to come again and there is a finding of each principal.
        """
        answer = self._invoke("DriftCheck", {"Records": [queued(one) for one in named]})
        if answer != {"batchItemFailures": []}:
            return False
        wanted = {f"{key.removesuffix('Name')}/{name}" for one in named for key, name in one.items() if key in CALLS}
        return wanted <= {finding["entity"] for finding in self._call("GET", "/findings").document["findings"]}

    def _are_confirmed(self, *claims):
        """Hand the check a batch of events, each with what it says was made; whether IAM confirms all of it."""
        answer = self._invoke("DriftCheck", {"Records": [message for message, _ in claims]})
        findings = self._call("GET", "/findings?limit=1000").document["findings"]
        known = "".join(finding["summary"] for finding in findings if finding["verdict"] == "BROADENED")
        return answer == {"batchItemFailures": []} and all(item in known for _, item in claims)

    def _beside_policies(self):
        """A message of each call that makes something beside policies, and the item that it makes, on new names."""
        name = unique()
        rights = policy(allow("s3:*", condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}))
        tags = [{"Key": "team", "Value": name}]
        self._iam.create_user(UserName=name, Tags=tags)
        self._iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=rights)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        self._iam.create_login_profile(UserName=name, Password=f"A-1{name}")
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)
        self._iam.create_instance_profile(InstanceProfileName=name)
        self._iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        oidc = self._iam.create_open_id_connect_provider(Url=f"https://{name}.example.com", ThumbprintList=["a" * 40])
        saml = self._iam.create_saml_provider(Name=name, SAMLMetadataDocument="x" * 1_000)
        of_user, of_role = {"userName": name}, {"roleName": name}
        tagged = {"tags": [{"key": "team", "value": name}]}
        oidc, saml = oidc["OpenIDConnectProviderArn"], saml["SAMLProviderArn"]
        at = an_hour_ago()
        since = at.isoformat(timespec="seconds")
        return (
            (queued(of_user, "CreateAccessKey", {"accessKey": {"accessKeyId": key}}), f"access key {key}"),
            (queued(of_user, "CreateLoginProfile", at=at), f"console password since {since}"),
            (queued(of_user, "DeactivateMFADevice", at=at), f"no MFA device since {since}"),
            (queued(of_user | tagged, "TagUser"), f"user/{name} has tags"),
            (queued(of_role | tagged, "TagRole"), f"role/{name} has tags"),
            (queued(of_role | {"instanceProfileName": name}, "AddRoleToInstanceProfile"), f"instance profile {name}"),
            (queued({}, "CreateOpenIDConnectProvider", {"openIDConnectProviderArn": oidc}), oidc),
            (queued({}, "CreateSAMLProvider", {"sAMLProviderArn": saml}), saml),
            (queued({}, "DeactivateMFADevice", at=at, identity={"type": "Root"}), f"no root MFA device since {since}"),
        )

    def _comes_again(self, named):
        """Whether the message of a change that is not there is to be checked again; its handle is of no message."""
        message = queued(named, at=datetime.now(UTC))
        answer = self._invoke("DriftCheck", {"Records": [message]})
        return answer == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}

    def _acknowledge(self):
        finding = self._findings.pop()
        given = {"fingerprint": finding["fingerprint"], "reason": "a probe", "owner": "tests", "expires": tomorrow()}
        return self._call("POST", f"/findings/{finding['id']}/acknowledgement", given).status == 200

    def _adopt(self):
        finding = self._findings.pop()
        reviewed = {"id": finding["id"], "fingerprint": finding["fingerprint"]}
        return self._call("POST", "/baseline/adoptions", {"findings": [reviewed]}).status == 200

    def _upload(self):
        """Whether a text comes by a link, and is then read: it is refused for what it says."""
        text = uuid.uuid4().hex.encode()
        sha256 = hashlib.sha256(text).hexdigest()
        link = self._call("POST", "/baseline/uploads", {"sha256": sha256, "size": len(text)}).document
        sent = self._stack.aws.http("PUT", link["upload"], text, link["headers"])
        return sent.status == 200 and self._call("PUT", f"/baseline?uploaded={sha256}").status == 422

    def _is_found(self, finding_id):
        return self._call("GET", f"/findings/{finding_id}").status == 200

    def _finding_of(self, role):
        findings = self._call("GET", "/findings").document["findings"]
        return next(finding for finding in findings if finding["entity"] == f"role/{role}")

    def _entities_of_every_kind(self):
        """A user in a group, a role, and a policy that all have, made since the baseline; as CloudTrail names them."""
        (role,), name = self._drifted_roles(1), unique()
        arn = self._iam.create_policy(PolicyName=name, PolicyDocument=RIGHTS)["Policy"]["Arn"]
        self._iam.create_group(GroupName=name)
        self._iam.put_group_policy(GroupName=name, PolicyName="rights", PolicyDocument=RIGHTS)
        self._iam.attach_group_policy(GroupName=name, PolicyArn=arn)
        self._iam.create_user(UserName=name)
        self._iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=RIGHTS)
        self._iam.add_user_to_group(UserName=name, GroupName=name)
        return {"userName": name}, {"groupName": name}, {"roleName": role}, {"policyArn": arn}

    def _drifted_roles(self, count):
        names = [unique() for _ in range(count)]
        for name in names:
            self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
            self._iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=RIGHTS)
        return names

    def _large_group(self):
        group = unique()
        self._iam.create_group(GroupName=group)
        for number in range(MANY):
            self._iam.create_user(UserName=f"{group}-{number}")
            self._iam.add_user_to_group(GroupName=group, UserName=f"{group}-{number}")
        return group

    def _forget_everything(self):
        """As before the first scan: no baseline, no version of one, no finding and no alert that waits for its run."""
        with self._baseline() as stored:
            listed = self._s3.list_object_versions(Bucket=stored["Bucket"], Prefix=stored["Key"])
            for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
                self._s3.delete_object(**stored, VersionId=version["VersionId"])
        dynamodb, table = self._stack.aws.client("dynamodb"), self._physical["DriftState"]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="id"):
            for item in page["Items"]:
                dynamodb.delete_item(TableName=table, Key=item)
        self._findings = []

    def _lose_the_baseline(self):
        """Two versions that cannot be used, and no record of the one that was in force."""
        self._forget_everything()
        with self._baseline() as stored:
            for text in (b"first", b"second"):
                self._s3.put_object(**stored, Body=text)

    @contextmanager
    def _baseline(self):
        """Where the baseline is stored, without the protection of its bucket."""
        stored = {"Bucket": self._physical["BaselineBucket"], "Key": f"baseline/{ACCOUNT}.json"}
        protection = self._s3.get_bucket_policy(Bucket=stored["Bucket"])["Policy"]
        self._s3.delete_bucket_policy(Bucket=stored["Bucket"])
        try:
            yield stored
        finally:
            self._s3.put_bucket_policy(Bucket=stored["Bucket"], Policy=protection)

    def _call(self, method, path, body=None):
        body = json.dumps(body).encode() if body else None
        return self._stack.call(method, f"/drift{path}", self._stack.key(), body)

    def _invoke(self, function, event):
        """What the function answers; None when it does not."""
        answer = self._lambda.invoke(FunctionName=self._physical[function], Payload=json.dumps(event))
        return None if "FunctionError" in answer else json.loads(answer["Payload"].read())


def queued(named, call="", answered=None, *, at=None, identity=None):
    """A message of the check's queue: CloudTrail tells of a change of what is named, which IAM shows by now."""
    record = {
        "eventSource": "iam.amazonaws.com",
        "eventName": call or next((CALLS[key] for key in named if key in CALLS), "SetDefaultPolicyVersion"),
        "eventTime": (at or an_hour_ago()).isoformat(),
        "eventID": str(uuid.uuid4()),
        "userIdentity": identity or {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/probe"},
        "requestParameters": named,
        "responseElements": answered,
    }
    handle = base64.b64encode(uuid.uuid4().bytes).decode()
    return {"messageId": str(uuid.uuid4()), "receiptHandle": handle, "body": json.dumps({"detail": record})}


def an_hour_ago():
    """When the changes of the probes were made, as their events say."""
    return datetime.now(UTC) - timedelta(hours=1)


def unique():
    """A name that nothing else has."""
    return f"drift-{uuid.uuid4().hex[:12]}"


def tomorrow():
    """This time of the next day, as the API takes it."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()
