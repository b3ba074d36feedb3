"""A stranger to an identity provider: an identity that it signs in and that no trust policy means.

A stranger's token is written as the conditions that it meets. Strangers name their organizations, repositories and
branches as they like, and an organization's name may begin with any other name (``octo-org-somebody-else``), so
subjects are patterns. A ``*`` must not reach over a separator, or the pattern would fit names inside the trusted
organization: subjects with more separators than the pattern has are excluded.

Sources, by issuer:

- token.actions.githubusercontent.com: https://docs.github.com/en/actions/reference/security/oidc
- gitlab.com: https://docs.gitlab.com/ci/secrets/id_token_authentication/
- app.terraform.io: https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
- agent.buildkite.com: https://buildkite.com/docs/pipelines/security/oidc/aws
- the four web providers that need no provider in the account, and the keys ``aud``, ``app_id``, ``sub``, ``user_id``,
  ``id``: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
- SAML: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml

An issuer of one organization alone (Bitbucket's and CircleCI's have the workspace in their name) is not open to all.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policy_drift.domain.access.trust import conditions_of
from policy_drift.domain.account import Document

Conditions = Mapping[str, Mapping[str, Any]]

WEB_PROVIDERS = ("accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com")
"""Trusted by name alone: no identity provider in the account stands for them."""

_NAMED_BY_ANYBODY = {
    "token.actions.githubusercontent.com": (
        "/",
        (
            "repo:*somebody-else/*:ref:refs/heads/*",
            "repo:*somebody-else/*:ref:refs/tags/*",
            "repo:*somebody-else/*:environment:*",
            "repo:*somebody-else/*:pull_request",
        ),
    ),
    "gitlab.com": ("/", ("project_path:*somebody-else/*:ref_type:*:ref:*",)),
    "app.terraform.io": (":", ("organization:*somebody-else:project:*:workspace:*:run_phase:*",)),
    "agent.buildkite.com": (":", ("organization:*somebody-else:pipeline:*:ref:*:commit:*:step:*",)),
}
"""Issuers open to all: what separates names in their subjects, and the forms that subjects have."""

_OF_ANOTHER_APPLICATION = {
    "accounts.google.com": {"aud": "100000000000000000001", "sub": "100000000000000000002"},
    "cognito-identity.amazonaws.com": {
        "aud": "us-east-1:00000000-0000-4000-8000-000000000001",
        "sub": "us-east-1:00000000-0000-4000-8000-000000000002",
    },
    "graph.facebook.com": {"app_id": "100000000000001", "id": "100000000000002"},
    "www.amazon.com": {
        "app_id": "amzn1.application-oa2-client.0000000000000000000000000000000f",
        "user_id": "amzn1.account.SOMEBODYELSE",
    },
}
"""Issuers open to all that name the application a token is for: a stranger's tokens are for an own one."""

_OF_ANY_OTHER = ("somebody:else", "system:serviceaccount:somebody-elses:default")
"""Subjects of issuers that are not known: of no format, and of a Kubernetes cluster."""

_OF_NOBODY_IN_PARTICULAR = frozenset({"aud", "oaud", "amr", "iss", "doc", "sub_type", "namequalifier"})
"""Claims that do not say who somebody is."""


def is_open_to_all(provider: str) -> bool:
    """Whether anybody can get a token from the issuer of a provider, as a trust policy names it."""
    issuer = issuer_of(provider)
    return issuer == provider or issuer in _NAMED_BY_ANYBODY or issuer in _OF_ANOTHER_APPLICATION


def issuer_of(provider: str) -> str:
    """What signs the tokens: of an OIDC provider its address, of a SAML provider its name."""
    for kind in (":oidc-provider/", ":saml-provider/"):
        if kind in provider:
            return provider.partition(kind)[2]
    return provider


def strangers(provider: str, trust: Document) -> Iterator[Conditions]:
    """What the tokens of strangers are like.

    Claims that the trust policy asks for besides, such as ``repository_owner``, a stranger does not have.
    """
    issuer, prefix = issuer_of(provider), "saml" if ":saml-provider/" in provider else issuer_of(provider)
    keys = {key.casefold() for key, _ in conditions_of(trust) if key.casefold().startswith(f"{prefix.casefold()}:")}
    for token in _tokens(issuer, prefix):
        claimed = {key.casefold() for claims in token.values() for key in claims}
        others = {key for key in keys - claimed if key.rpartition(":")[2] not in _OF_NOBODY_IN_PARTICULAR}
        yield {**token, "Null": dict.fromkeys(sorted(others), "true")} if others else token


def _tokens(issuer: str, prefix: str) -> Iterator[Conditions]:
    if issuer in _NAMED_BY_ANYBODY:
        separator, subjects = _NAMED_BY_ANYBODY[issuer]
        for subject in subjects:
            longer = f"*{separator}" * (subject.count(separator) + 1) + "*"
            yield {"StringLike": {f"{prefix}:sub": subject}, "StringNotLike": {f"{prefix}:sub": longer}}
    elif issuer in _OF_ANOTHER_APPLICATION:
        yield {"StringEquals": {f"{prefix}:{claim}": value for claim, value in _OF_ANOTHER_APPLICATION[issuer].items()}}
    else:
        for subject in _OF_ANY_OTHER:
            yield {"StringEquals": {f"{prefix}:sub": subject}}
