"""A stranger to an identity provider: an identity that it signs in and that was not meant to get in.

A stranger's token is written as the conditions that it meets. Strangers name their organizations, repositories and
branches as they like, so a stranger at an issuer that is open to all is any subject of an organization that was not
trusted: those that the approved trust policy names are excluded, or, where the provider was not trusted at all, those
that the live one names. The same goes for the application that a token is for, and for other claims that say who
signs in; a stranger brings about every other claim, such as a branch.

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

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from policy_drift.domain.access.trust import conditions_of
from policy_drift.domain.account import Document

Conditions = Mapping[str, Mapping[str, Any]]

WEB_PROVIDERS = ("accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com")
"""Trusted by name alone: no identity provider in the account stands for them."""

_ORGANIZATION_IN_SUBJECT = {
    "token.actions.githubusercontent.com": ("repo:", "/"),
    "gitlab.com": ("project_path:", "/"),
    "app.terraform.io": ("organization:", ":"),
    "agent.buildkite.com": ("organization:", ":"),
}
"""Issuers open to all: what stands before and behind the name of the organization in their subjects."""

_CLAIMS_OF_ORGANIZATION = {
    "token.actions.githubusercontent.com": frozenset({"repository_owner", "repository", "workflow_ref"}),
    "gitlab.com": frozenset({"namespace_path", "project_path"}),
    "app.terraform.io": frozenset({"terraform_organization_name"}),
    "agent.buildkite.com": frozenset({"organization_slug"}),
}
"""Claims that begin with the name of the organization, or are it; every token of the issuer has them. Not
``job_workflow_ref``: everyone may call a public workflow of another organization.
"""

_APPLICATION_OF = {
    "accounts.google.com": ("aud", "sub"),
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "graph.facebook.com": ("app_id", "id"),
    "www.amazon.com": ("app_id", "user_id"),
}
"""Issuers open to all that name the application a token is for, and the user: strangers have applications as well."""

_GUEST = {
    **{
        f"{quantifier}:StringEquals": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}
        for quantifier in ("ForAnyValue", "ForAllValues")
    },
    "Null": {"cognito-identity.amazonaws.com:aud": "false"},
}
"""A token that a pool of Cognito gives to everyone who asks, where it gives such ones."""

_OF_ANY_OTHER = ("somebody:else", "system:serviceaccount:somebody-elses:default")
"""Subjects of issuers that are not known: of no format, and of a Kubernetes cluster."""

_OF_NOBODY_IN_PARTICULAR = frozenset(
    {
        *("aud", "oaud", "azp", "amr", "iss", "doc", "sub_type", "namequalifier", "jti"),
        *("ref", "ref_type", "ref_path", "ref_protected", "head_ref", "base_ref", "environment", "event_name"),
        *("workflow", "runner_environment", "pipeline_source", "run_phase", "build_branch", "build_tag"),
    }
)
"""Claims that do not say who signs in, or that everyone chooses."""


def is_open_to_all(provider: str) -> bool:
    """Whether anybody can get a token from the issuer of a provider, as a trust policy names it."""
    issuer = issuer_of(provider)
    return issuer == provider or issuer in _ORGANIZATION_IN_SUBJECT or issuer in _APPLICATION_OF


def issuer_of(provider: str) -> str:
    """What signs the tokens: of an OIDC provider its address, of a SAML provider its name."""
    for kind in (":oidc-provider/", ":saml-provider/"):
        if kind in provider:
            return provider.partition(kind)[2]
    return provider


def guests(provider: str) -> Iterator[Conditions]:
    """What the tokens are like that a provider gives without any sign-in."""
    if issuer_of(provider) == "cognito-identity.amazonaws.com":
        yield _GUEST


def strangers(provider: str, trusted: Document, asking: Document) -> Iterator[Conditions]:
    """What the tokens of strangers are like.

    Parameters
    ----------
    provider : str
        As a trust policy names it.
    trusted : Document
        A trust policy that says which identities at the provider are no strangers.
    asking : Document
        The trust policy that is in force: the claims that it asks for are those that matter.
    """
    issuer, prefix = issuer_of(provider), "saml" if ":saml-provider/" in provider else issuer_of(provider)
    known = _claims(trusted, prefix)
    asked = _claims(asking, prefix)
    if issuer in _ORGANIZATION_IN_SUBJECT:
        yield _of_another_organization(issuer, prefix, known, asked)
    elif issuer in _APPLICATION_OF:
        application, user = _APPLICATION_OF[issuer]
        claims = _identifying(known, application, user)
        yield _unlike({f"{prefix}:{claim}": known.get(claim, []) for claim in claims}, claims)
    else:
        others = {f"{prefix}:{claim}" for claim in {*known, *asked} - {"sub", *_OF_NOBODY_IN_PARTICULAR}}
        missing = {"Null": dict.fromkeys(sorted(others), "true")} if others else {}
        for subject in _OF_ANY_OTHER:
            yield {"StringEquals": {f"{prefix}:sub": subject}, **missing}


def _of_another_organization(
    issuer: str, prefix: str, known: Mapping[str, list[str]], asked: Mapping[str, list[str]]
) -> Conditions:
    before, behind = _ORGANIZATION_IN_SUBJECT[issuer]
    names = {_organization(value, before, behind) for value in known.get("sub", [])} - {""}
    of_organization = _CLAIMS_OF_ORGANIZATION[issuer]
    owners = (value.partition("/")[0] for claim in of_organization for value in known.get(claim, []))
    names |= {owner for owner in owners if not set("*?$") & set(owner)}
    trusted = {f"{prefix}:sub": sorted(f"{before}{name}{behind}*" for name in names)}
    for claim in asked.keys() - {"sub"} - _OF_NOBODY_IN_PARTICULAR:
        values = {_of_the_same(value) for value in known.get(claim, [])}
        of_the_trusted = {f"{name}{rest}" for name in names for rest in ("", "/*")}
        trusted[f"{prefix}:{claim}"] = sorted(values | (of_the_trusted if claim in of_organization else set()))
    return {"StringLike": {f"{prefix}:sub": f"{before}?*{behind}*"}, **_unlike(trusted, of_organization)}


def _identifying(known: Mapping[str, list[str]], application: str, user: str) -> tuple[str, ...]:
    """The claim that says who is trusted: the application, or the user where no application is asked for."""
    return (user,) if known.get(user) and not known.get(application) else (application,)


def _unlike(trusted: Mapping[str, list[str]], of_every_token: Collection[str]) -> dict[str, Any]:
    """Claims that are none of those that are trusted; those that every token has are not missing either.

    So a condition that also holds without its key, such as one of ForAllValues, lets no stranger in by that.
    """
    values = {key: values for key, values in sorted(trusted.items()) if values}
    always = {key: "false" for key in values if key.rpartition(":")[2] in of_every_token}
    return ({"StringNotLikeIfExists": values} if values else {}) | ({"Null": always} if always else {})


def _claims(trust: Document, prefix: str) -> dict[str, list[str]]:
    """The claims that a trust policy asks for, by their name in lower case, with the values that it names."""
    found: dict[str, list[str]] = {}
    for key, value in conditions_of(trust):
        start, _, claim = key.casefold().rpartition(":")
        if start == prefix.casefold():
            found.setdefault(claim, []).append(value)
    return found


def _organization(subject: str, before: str, behind: str) -> str:
    """The organization of a subject; empty where the policy leaves its name open."""
    name, _, _ = subject.removeprefix(before).partition(behind)
    return "" if not subject.startswith(before) or set("*?$") & set(name) or behind not in subject else name


def _of_the_same(value: str) -> str:
    """All values of the same owner, such as the repositories of an organization."""
    owner, slash, _ = value.partition("/")
    return f"{owner}/*" if slash and not set("*?$") & set(owner) else value
