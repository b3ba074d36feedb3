"""A stack, changed by a change set that a person sees first."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ecr_steward.errors import CommandError
from ecr_steward.installation.release import SHIPPED, Release

_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_SECONDS = 2.0
_LONGEST = 3600.0
VERSION_TAG, SETTINGS_TAG = "ecr-steward:version", "ecr-steward:settings"
"""What the tag of the settings says where there are no others."""


class Stack:
    """One stack of CloudFormation, and the bucket of what it is made of."""

    def __init__(self, name: str, cloudformation: Any, s3: Any, bucket: str) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self._s3 = s3
        self._bucket = bucket

    def described(self) -> Mapping[str, Any] | None:
        """What CloudFormation says of it; None where it does not exist."""
        from botocore.exceptions import ClientError

        try:
            (found,) = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise CommandError(
                f"the stack {self.name} cannot be read: {error}", "Check region and permissions"
            ) from error
        status: str = found["StackStatus"]
        if status == "REVIEW_IN_PROGRESS":
            return None
        if status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}:
            raise CommandError(
                f"the stack {self.name} is in {status}: its creation failed, and it cannot be changed",
                f"Delete it, and deploy again: aws cloudformation delete-stack --stack-name {self.name}",
            )
        if status.endswith("_IN_PROGRESS"):
            raise CommandError(f"the stack {self.name} is in {status}", "Wait until that has ended, and run it again")
        return dict(found)

    def upload(self, release: Release, watched: Callable[[Sequence[str]], Iterable[str]] = lambda names: names) -> str:
        """Put archives and template into the bucket, each under its own digest; the template's URL.

        ``watched`` gets the archives' names and returns them one by one, as the work proceeds.
        """
        addresses = {name: self._put(name, release.archives[name]) for name in watched(sorted(release.archives))}
        key = self._put("template.yaml", release.located(addresses).encode()).removeprefix(f"s3://{self._bucket}/")
        return f"{self._s3.meta.endpoint_url.rstrip('/')}/{self._bucket}/{key}"

    def propose(self, url: str, parameters: Mapping[str, str], release: Release) -> tuple[str, list[dict[str, str]]]:
        """Make a change set: its id and its changes; none where nothing would change.

        Raises
        ------
        CommandError
            A parameter does not exist, or CloudFormation refuses the template.
        """
        before = self.described()
        known = {
            one["ParameterKey"] for one in self._cloudformation.get_template_summary(TemplateURL=url)["Parameters"]
        }
        if unknown := parameters.keys() - known:
            raise CommandError(f"there is no parameter {min(unknown)}", f"Parameters: {', '.join(sorted(known))}")
        kept = {one["ParameterKey"] for one in (before or {}).get("Parameters", ())} & known - parameters.keys()
        change_set = f"steward-{hashlib.sha256(f'{url}{time.time_ns()}'.encode()).hexdigest()[:16]}"
        arn = self._cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if before else "CREATE",
            TemplateURL=url,
            Capabilities=_CAPABILITIES,
            Parameters=[
                *({"ParameterKey": name, "ParameterValue": value} for name, value in sorted(parameters.items())),
                *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)),
            ],
            Tags=[
                {"Key": VERSION_TAG, "Value": release.version},
                {"Key": SETTINGS_TAG, "Value": release.settings or SHIPPED},
            ],
        )["Id"]
        described = self._ended(lambda: self._cloudformation.describe_change_set(ChangeSetName=arn), "Status")
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            self.withdraw(arn)
            if "didn't contain changes" in reason or "No updates" in reason:
                return "", []
            raise CommandError(f"CloudFormation refuses the change: {reason}", "Nothing was changed")
        return arn, [_change(one["ResourceChange"]) for one in described.get("Changes", ()) if "ResourceChange" in one]

    def withdraw(self, change_set: str) -> None:
        """Delete a change set, and the empty stack that it may have left."""
        self._cloudformation.delete_change_set(ChangeSetName=change_set)

    def execute(self, change_set: str) -> dict[str, str]:
        """Make the changes; the outputs.

        Raises
        ------
        CommandError
            The deployment failed and was rolled back; the first failure is named.
        """
        self._cloudformation.execute_change_set(ChangeSetName=change_set)
        described = self._ended(
            lambda: self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0], "StackStatus"
        )
        if described["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise CommandError(
                f"the deployment ended in {described['StackStatus']}: {self._first_failure()}",
                "What was there before is in place again",
            )
        return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())}

    def _first_failure(self) -> str:
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.name)
        failed = [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'no reason given')}"
            for page in pages
            for one in page["StackEvents"]
            if one["ResourceStatus"].endswith("_FAILED") and "cancelled" not in one.get("ResourceStatusReason", "")
        ]
        return failed[-1] if failed else "see the stack's events"

    def _ended(self, describe: Any, status: str) -> dict[str, Any]:
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until:
            found: dict[str, Any] = describe()
            if not found[status].endswith(("_IN_PROGRESS", "_PENDING")):
                return found
            time.sleep(_SECONDS)
        raise CommandError(f"{self.name} has not ended after an hour", "See the stack's events")

    def _put(self, name: str, content: bytes) -> str:
        """Upload under the content's digest, so that what is there already is not sent again."""
        from botocore.exceptions import ClientError

        key = f"ecr-steward/{hashlib.sha256(content).hexdigest()}/{name}"
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError:
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
            except ClientError as error:
                raise CommandError(
                    f"{name} cannot be uploaded to {self._bucket}: {error}", "Name a bucket of yours with --bucket"
                ) from error
        return f"s3://{self._bucket}/{key}"


def _change(change: Mapping[str, Any]) -> dict[str, str]:
    replaced = change.get("Replacement", "")
    return {
        "action": str(change["Action"]),
        "resource": str(change["LogicalResourceId"]),
        "type": str(change["ResourceType"]),
        "replaced": {"True": "yes", "Conditional": "perhaps"}.get(replaced, ""),
    }


def parsed(parameters: Sequence[str]) -> dict[str, str]:
    """``Name=value`` texts by name.

    Raises
    ------
    CommandError
        One has no equals sign.
    """
    for one in parameters:
        if "=" not in one:
            raise CommandError(f"{one!r} is no parameter", "Example: --parameter AlertEmail=team@example.com")
    return {name: value for name, _, value in (one.partition("=") for one in parameters)}
