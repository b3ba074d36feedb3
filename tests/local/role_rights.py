"""A deployed function's role, deprived of one action for a while."""

import copy
import json
from contextlib import contextmanager

from tests.local.aws.launched import ACCOUNT


class RoleRights:
    """The roles of the deployed stack, by their logical ids."""

    def __init__(self, aws):
        self._iam = aws.client("iam")
        resources = aws.client("cloudformation").describe_stack_resources(StackName="ecr-steward")["StackResources"]
        self.physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    @contextmanager
    def without(self, role, action, sid=""):
        """The role, deprived of an action (in one statement, if ``sid`` names it)."""
        name = self.physical[role]
        before = {policy: self._inline(name, policy) for policy in self._inline_names(name)}
        attached = [p["PolicyArn"] for p in self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
        ours = {arn: self._managed(arn) for arn in attached if f":{ACCOUNT}:" in arn}
        try:
            for policy, document in before.items():
                self._put_inline(name, policy, _without(document, action, sid))
            for arn, document in ours.items():
                self._put_managed(arn, _without(document, action, sid))
            yield
        finally:
            for policy, document in before.items():
                self._put_inline(name, policy, document)
            for arn, document in ours.items():
                self._put_managed(arn, document)

    def _inline_names(self, role):
        return self._iam.list_role_policies(RoleName=role)["PolicyNames"]

    def _inline(self, role, policy):
        return self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]

    def _put_inline(self, role, policy, document):
        self._iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

    def _managed(self, arn):
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    def _put_managed(self, arn, document):
        versions = self._iam.list_policy_versions(PolicyArn=arn)["Versions"]
        for version in versions:
            if not version["IsDefaultVersion"]:
                self._iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        self._iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)


def _without(document, action, sid):
    """The document without an action; a statement that had no other is gone."""
    left = copy.deepcopy(document)
    for statement in left["Statement"]:
        if not sid or statement.get("Sid") == sid:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in actions if one != action] or ["none:None"]
    return left
