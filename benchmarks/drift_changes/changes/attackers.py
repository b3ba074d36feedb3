"""Attackers at identity providers that are trusted already, and strangers behind a condition."""

from typing import Any

from benchmarks.drift_changes.calls import trust
from benchmarks.drift_changes.change import ACCOUNT, Document, told
from benchmarks.drift_changes.changes.documents import EC2, PARTNER
from benchmarks.drift_changes.changes.trusts import retrusted

_GITHUB, _GITLAB, _TERRAFORM = "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"
_GOOGLE, _COGNITO = "accounts.google.com", "cognito-identity.amazonaws.com"


def _by(issuer: str, **claims: str | list[str]) -> Document:
    """A role that identities of an OIDC provider may assume."""
    provider = issuer if issuer in {_GOOGLE, _COGNITO} else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    said = {f"{issuer}:{claim}": value for claim, value in claims.items() if claim != "amr"}
    condition: dict[str, Any] = {"StringLike": said} if said else {}
    if "amr" in claims:
        condition["ForAnyValue:StringLike"] = {f"{issuer}:amr": claims["amr"]}
    return trust({"Federated": provider}, Action="sts:AssumeRoleWithWebIdentity", Condition=condition)


def _everyone(operator: str, key: str, value: str) -> Document:
    return trust("*", Condition={operator: {key: value}})


def _of_partner(*actions: str) -> Document:
    return trust({"AWS": PARTNER}, Action=list(actions))


def _github(*subjects: str) -> Document:
    return _by(_GITHUB, sub=list(subjects))


def _gitlab(*groups: str) -> Document:
    return _by(_GITLAB, sub=[f"project_path:{group}/shop:*" for group in groups])


def _terraform(*organizations: str) -> Document:
    return _by(_TERRAFORM, sub=[f"organization:{name}:project:shop:*" for name in organizations])


def _cognito(pools: list[str], *users: str) -> Document:
    return _by(_COGNITO, aud=[f"eu-west-1:{pool}" for pool in pools], amr=list(users or ("authenticated",)))


_ACME = _github("repo:acme/shop:*")
_THROUGH_VPC = _everyone("ArnEquals", "aws:SourceVpcArn", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/vpc-1")
_WORST = ("CRITICAL", "BROADENED")
_NEW, _OTHER = "BROADENED", "INCOMPARABLE"
_CASES: tuple[tuple[str, str, Document, Document, str, str], ...] = (
    ("gh-owner", "another owner at GitHub", _ACME, _github("repo:acme/shop:*", "repo:mallory/shop:*"), *_WORST),
    ("gh-suffix", "owners at GitHub with the same ending", _ACME, _github("repo:*acme/shop:*"), *_WORST),
    ("gh-letter", "owners at GitHub with another last letter", _ACME, _github("repo:acm?/shop:*"), *_WORST),
    ("gh-any", "any repository of GitHub", _ACME, _by(_GITHUB), *_WORST),
    ("gh-branch", "all repositories of the trusted owner", _ACME, _github("repo:acme/*"), "MEDIUM", _NEW),
    ("gl-group", "another group at GitLab", _gitlab("acme"), _gitlab("acme", "mallory"), *_WORST),
    ("tfc-org", "another organization at Terraform Cloud", _terraform("acme"), _terraform("acme", "mallory"), *_WORST),
    ("google-app", "another application at Google", _by(_GOOGLE, aud="acme"), _by(_GOOGLE, aud=["acme", "m"]), *_WORST),
    ("cognito-pool", "another pool of Cognito", _cognito(["acme"]), _cognito(["acme", "mallory"]), *_WORST),
    (
        *("cognito-guest", "guests of the trusted pool of Cognito"),
        *(_cognito(["acme"]), _cognito(["acme"], "authenticated", "unauthenticated"), *_WORST),
    ),
    ("star-vpc", "everyone, through the endpoint of one network", trust(EC2), _THROUGH_VPC, "HIGH", _OTHER),
    (
        *("star-userid", "everyone with one unique id", trust(EC2)),
        *(_everyone("StringLike", "aws:userid", "AROAEXAMPLEEXAMPLE777:*"), "HIGH", _OTHER),
    ),
    (
        *("star-agent", "everyone who names the right browser", trust(EC2)),
        *(_everyone("StringEquals", "aws:UserAgent", "secret"), "CRITICAL", _OTHER),
    ),
    (
        *("partner-tags", "session tags for a partner who could assume it already", _of_partner("sts:AssumeRole")),
        *(_of_partner("sts:AssumeRole", "sts:TagSession"), "MEDIUM", _NEW),
    ),
)

ATTACKERS = tuple(
    retrusted(slug, name, before, after, told("trust", f"role/{slug}", severity, verdict, "sts:*"))
    for slug, name, before, after, severity, verdict in _CASES
)
