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
- api.pulumi.com/oidc: https://www.pulumi.com/docs/deployments/deployments/oidc/
- oidc.codefresh.io: https://codefresh.io/docs/docs/integrations/oidc-pipelines/
- oidc.vercel.com: https://vercel.com/docs/oidc/reference
- proidc.upbound.io: https://docs.upbound.io/manuals/platform/oidc/
- which other issuers several organizations share, and which claim tells them apart:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
- the four web providers that need no provider in the account, and the keys ``aud``, ``app_id``, ``sub``, ``user_id``,
  ``id``: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
- SAML: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml

An issuer of one organization alone (Bitbucket's and CircleCI's have the workspace in their name) is not open to all.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy_drift.domain.access.trust import conditions_of
from policy_drift.domain.account import Document

Conditions = Mapping[str, Mapping[str, Any]]

WEB_PROVIDERS = ("accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com")
"""Trusted by name alone: no identity provider in the account stands for them."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a token names its organization: in a claim, behind some text, and in front of some text or at the end."""

    claim: str
    before: str = ""
    behind: str = ""

    def name_in(self, value: str) -> str:
        """The name in a value of a policy; empty where there is none, or where the policy leaves it open."""
        start = 0 if value.startswith(self.before) else value.find(f":{self.before}") + 1
        if not value.startswith(self.before, start):
            return ""
        rest = value[start + len(self.before) :]
        name = rest.partition(self.behind)[0] if self.behind else rest
        name = name.removesuffix(_ANY_NUMBER)
        return "" if set("*?$") & set(name) else name

    def values_of(self, name: str) -> set[str]:
        """What the values are like that have a name there."""
        return {f"{self.before}{name}"} | ({f"{self.before}{name}{self.behind}*"} if self.behind else set())


_ANY_NUMBER = "@*"
"""GitHub writes ``acme`` as ``acme@123`` in subjects of repositories that were made after 15 July 2026."""

_GITHUB = (
    (
        *(_Place("sub", before, "/") for before in ("repo:", "repository:", "workflow_ref:")),
        *(_Place("sub", "repository_owner:", ":"), _Place("repository_owner")),
        *(_Place("repository", "", "/"), _Place("workflow_ref", "", "/")),
    ),
    (_Place("sub", "repository_owner_id:", ":"), _Place("repository_owner_id")),
    (_Place("sub", "repository_id:", ":"), _Place("repository_id")),
)
_TERRAFORM = ((_Place("sub", "organization:", ":"), _Place("terraform_organization_name")),)
_ORGANIZATION_AT = {
    "token.actions.githubusercontent.com": _GITHUB,
    "vstoken.actions.githubusercontent.com": _GITHUB,
    "gitlab.com": (
        (_Place("sub", "project_path:", "/"), _Place("namespace_path", "", "/"), _Place("project_path", "", "/")),
    ),
    "app.terraform.io": _TERRAFORM,
    "app.eu.terraform.io": _TERRAFORM,
    "agent.buildkite.com": ((_Place("sub", "organization:", ":"), _Place("organization_slug")),),
    "api.pulumi.com/oidc": (
        (
            *(_Place("sub", f"pulumi:{what}:org:", ":") for what in ("deploy", "environments")),
            *(_Place("aud"), _Place("aud", "aws:")),
        ),
    ),
    "oidc.codefresh.io": ((_Place("sub", "account:", ":"), _Place("account_id")),),
    "oidc.vercel.com": ((_Place("sub", "owner:", ":"), _Place("owner"), _Place("aud", "https://vercel.com/")),),
    "proidc.upbound.io": ((_Place("sub", "mcp:", "/"),),),
    "scalr.io": ((_Place("sub", "account:", ":"),),),
}
"""Issuers open to all: the places where their tokens name the organization, each list for names of one kind. Every
token has these claims. Not ``job_workflow_ref``: everyone may call a public workflow of another organization.
"""

_OTHER_SUBJECTS = {
    issuer: ("environment:?*", "job_workflow_ref:?*", "ref:?*", "actor:?*", "workflow:?*", "event_name:?*")
    for issuer, places in _ORGANIZATION_AT.items()
    if places is _GITHUB
}
"""What subjects may begin with besides: whoever has a repository at GitHub chooses the claims in its subject."""

_WITHOUT_CAPITALS = frozenset({*_OTHER_SUBJECTS, "gitlab.com"})
"""Issuers that take names in other capitals for the same."""

_APPLICATION_OF = {
    "accounts.google.com": ("aud", "sub"),
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "graph.facebook.com": ("app_id", "id"),
    "www.amazon.com": ("app_id", "user_id"),
    "oidc-configuration.audit-log.githubusercontent.com": ("sub", "sub"),
    "studio.datachain.ai/api": ("sub", "sub"),
    "tokens.cloud.shisho.dev": ("sub", "sub"),
    "sandboxes.cloud": ("aud", "sub"),
}
"""Issuers open to all that name the application a token is for, and the user: strangers have applications as well.

Of some issuers it is not known where the name of the organization is in the claim that tells organizations apart: every
other value is taken for a stranger's.
"""

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
    return issuer == provider or issuer in _ORGANIZATION_AT or issuer in _APPLICATION_OF


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
    if issuer in _ORGANIZATION_AT:
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
    groups = _ORGANIZATION_AT[issuer]
    trusted: dict[str, set[str]] = {place.claim: set() for group in groups for place in group}
    of_every_token = frozenset(trusted)
    for claim in asked.keys() - {"sub"} - _OF_NOBODY_IN_PARTICULAR:
        trusted.setdefault(claim, set()).update(_of_the_same(value) for value in known.get(claim, []))
    in_capitals: set[str] = set()
    for group in groups:
        names = _names(group, known)
        if issuer in _WITHOUT_CAPITALS:
            folded = {name.casefold() for name in names}
            names |= {name for name in _names(group, asked) if name.casefold() in folded}
            in_capitals.update(value for value in asked.get("sub", []) if _names(group, {"sub": [value]}) & names)
        if issuer in _OTHER_SUBJECTS:
            names |= {name.partition("@")[0] for name in names} | {f"{name}@*" for name in names if "@" not in name}
        for place in group:
            values = {value for name in names for value in place.values_of(name)}
            behind_others = {f"*:{value}" for value in values if place.claim == "sub" and issuer in _OTHER_SUBJECTS}
            trusted[place.claim] |= values | behind_others
    subjects = [f"{one.before}?*{one.behind.strip(':')}*" for group in groups for one in group if one.claim == "sub"]
    unlike = _unlike({f"{prefix}:{claim}": sorted(values) for claim, values in trusted.items()}, of_every_token)
    spelled = {"StringNotEqualsIgnoreCase": {f"{prefix}:sub": sorted(in_capitals)}} if in_capitals else {}
    return {"StringLike": {f"{prefix}:sub": [*subjects, *_OTHER_SUBJECTS.get(issuer, ())]}, **unlike, **spelled}


def _names(places: Collection[_Place], claims: Mapping[str, list[str]]) -> set[str]:
    """The organizations that a trust policy names in these places."""
    return {place.name_in(value) for place in places for value in claims.get(place.claim, [])} - {""}


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


def _of_the_same(value: str) -> str:
    """All values of the same owner, such as the repositories of an organization."""
    owner, slash, _ = value.partition("/")
    return f"{owner}/*" if slash and not set("*?$") & set(owner) else value
