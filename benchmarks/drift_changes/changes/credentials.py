"""Credentials, identity providers, instance profiles and tags: access that no policy grants."""

from benchmarks.drift_changes.calls import allow, attach, call, document, made_by, role, user
from benchmarks.drift_changes.change import ACCOUNT, Call, Change, Document, Step, Told, Who, finding, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, READ

_ISSUER = "idp.drift-changes.example"
_PASSWORD = "Correct-horse-battery-1"  # noqa: S105 - of a user of the local AWS
_OWN_POLICIES = document(allow("iam:PutUserPolicy"))


def credential(slug: str, severity: str, *, expected: bool = False) -> Told:
    """A credential of a user."""
    return told("credential", f"user/{slug}", severity, "BROADENED", expected=expected)


def key(slug: str, by: Who = "insider") -> Call:
    """Make an access key."""
    return call("create-access-key", UserName=slug, by=by)


def no_key(slug: str, by: Who = "insider") -> Call:
    """Delete the access key that a user has."""
    return call("delete-access-key", UserName=slug, AccessKeyId=f"<key/{slug}>", by=by)


def password(slug: str, by: Who = "insider") -> Call:
    """Make a console password."""
    return call("create-login-profile", UserName=slug, Password=_PASSWORD, by=by)


def no_password(slug: str, by: Who = "insider") -> Call:
    """Delete it."""
    return call("delete-login-profile", UserName=slug, by=by)


def administrator(slug: str) -> tuple[Call, ...]:
    """A user who may do everything."""
    return (*user(slug), attach("user", slug, ADMINISTRATOR))


def made(name: str, given: tuple[Call, ...], made: Call, gone: Call, *expected: Told) -> Change:
    """A credential that is made, and deleted in the end."""
    return Change(name, given, (Step((made,), expected),), undo=(gone,))


def used(slug: str, name: str, severity: str, given: tuple[Call, ...], *calls: Call) -> Change:
    """A credential that is made, and deleted before it was checked."""
    lasting = frozenset({finding("transient", f"user/{slug}")})
    reported = told("transient", f"user/{slug}", severity, "BROADENED")
    return Change(name, given, (Step(calls, (reported,)),), lasting=lasting)


def _by_tag(key_of_tag: str) -> Document:
    return document(allow("sqs:SendMessage", Condition={"StringEquals": {f"aws:PrincipalTag/{key_of_tag}": "ops"}}))


CREDENTIALS = (
    made(
        "an access key created",
        user("key-made", rights=READ),
        key("key-made"),
        no_key("key-made"),
        credential("key-made", "MEDIUM"),
    ),
    made(
        "an access key for an administrator",
        administrator("key-admin"),
        key("key-admin"),
        no_key("key-admin"),
        credential("key-admin", "CRITICAL"),
    ),
    made(
        "an access key for a user who may write policies for himself",
        user("key-path", rights=_OWN_POLICIES),
        key("key-path"),
        no_key("key-path"),
        credential("key-path", "CRITICAL"),
    ),
    made(
        "a console password for a user",
        user("password-new", rights=READ),
        password("password-new"),
        no_password("password-new"),
        credential("password-new", "MEDIUM"),
    ),
    made(
        "a console password for an administrator",
        administrator("password-admin"),
        password("password-admin"),
        no_password("password-admin"),
        credential("password-admin", "CRITICAL"),
    ),
    made(
        "an access key made by the deployer: expected",
        user("key-deployed", rights=READ),
        key("key-deployed", by="deployer"),
        no_key("key-deployed", by="deployer"),
        credential("key-deployed", "MEDIUM", expected=True),
    ),
    made(
        "an access key for an administrator, by the deployer: expected, but still mailed",
        administrator("key-deployed-admin"),
        key("key-deployed-admin", by="deployer"),
        no_key("key-deployed-admin", by="deployer"),
        credential("key-deployed-admin", "CRITICAL", expected=True),
    ),
    Change(
        "an access key, then a console password for the same user",
        user("key-and-password", rights=READ),
        (
            Step((key("key-and-password"),), (credential("key-and-password", "MEDIUM"),)),
            Step((password("key-and-password"),), (credential("key-and-password", "MEDIUM"),)),
        ),
        undo=(no_password("key-and-password"), no_key("key-and-password")),
    ),
    Change(
        "an access key by the deployer, then a console password by another person: not expected",
        user("key-by-two", rights=READ),
        (
            Step((key("key-by-two", by="deployer"),), (credential("key-by-two", "MEDIUM", expected=True),)),
            Step((password("key-by-two"),), (credential("key-by-two", "MEDIUM"),)),
        ),
        undo=(no_password("key-by-two"), no_key("key-by-two")),
    ),
    used(
        "key-used",
        "an access key made, and deleted before it was checked",
        "MEDIUM",
        user("key-used", rights=READ),
        key("key-used"),
        no_key("key-used"),
    ),
    used(
        "password-used",
        "a console password of an administrator made, and deleted before it was checked",
        "CRITICAL",
        administrator("password-used"),
        password("password-used"),
        no_password("password-used"),
    ),
    Change(
        "an access key without permission: denied by IAM",
        user("key-refused", rights=READ),
        (Step((key("key-refused", by="outsider"),)),),
    ),
    Change(
        "an identity provider made",
        (),
        (
            Step(
                (
                    call(
                        "create-open-id-connect-provider",
                        Url=f"https://{_ISSUER}",
                        ClientIDList=["sts.amazonaws.com"],
                        ThumbprintList=["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
                    ),
                ),
                (told("provider", f"account/{ACCOUNT}", "MEDIUM", "BROADENED"),),
            ),
        ),
        adopted=(finding("provider", f"account/{ACCOUNT}"),),
    ),
    Change(
        "a role put into an instance profile",
        (*role("profiled", rights=READ), call("create-instance-profile", InstanceProfileName="profiled")),
        (
            Step(
                (call("add-role-to-instance-profile", InstanceProfileName="profiled", RoleName="profiled"),),
                (told("profile", "role/profiled", "MEDIUM", "BROADENED"),),
            ),
        ),
        undo=(call("remove-role-from-instance-profile", InstanceProfileName="profiled", RoleName="profiled"),),
    ),
    Change(
        "a tag by which a policy decides put on a role",
        role("tag-deciding", rights=_by_tag("drift-changes-team")),
        (
            Step(
                (call("tag-role", RoleName="tag-deciding", Tags=[{"Key": "drift-changes-team", "Value": "ops"}]),),
                (told("tag", "role/tag-deciding", "MEDIUM", "BROADENED"),),
            ),
        ),
        adopted=(finding("tag", "role/tag-deciding"),),
    ),
    Change(
        "a tag by which a policy decides put on a user, by the deployer: expected",
        user("tag-deployed", rights=_by_tag("drift-changes-unit")),
        (
            Step(
                made_by(
                    "deployer",
                    call("tag-user", UserName="tag-deployed", Tags=[{"Key": "drift-changes-unit", "Value": "ops"}]),
                ),
                (told("tag", "user/tag-deployed", "MEDIUM", "BROADENED", expected=True),),
            ),
        ),
        adopted=(finding("tag", "user/tag-deployed"),),
    ),
)
