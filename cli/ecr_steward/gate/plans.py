"""Plans of Terraform and OpenTofu, as ``terraform show -json`` writes them: IAM before and after.

A value that is known after the apply alone is opaque. It is called after what the configuration refers to there, so
that the same reference on both sides is the same value. A policy document that is not known yet is put together from
the statements of its data source, whose unknown parts alone are opaque then.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ecr_steward.gate.documents import STATEMENTS, documents, statement_of
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.opaque import OWN_ACCOUNT, digest, token
from ecr_steward.gate.side import Draft, Place, Side, as_document, as_policy_arn
from ecr_steward.gate.templates import Unjudged
from policy_drift.domain.account import EntityId, EntityKind

_KINDS = {"aws_iam_user": EntityKind.USER, "aws_iam_group": EntityKind.GROUP, "aws_iam_role": EntityKind.ROLE}
_POLICIES = {f"{kind}_policy": (kind, entity) for kind, entity in _KINDS.items()}
_ATTACHMENTS = {f"{kind}_policy_attachment": (kind, entity) for kind, entity in _KINDS.items()}
_EXCLUSIVE = {f"{kind}_policy_attachments_exclusive": (kind, entity) for kind, entity in _KINDS.items()}
_DOCUMENT = "aws_iam_policy_document"
_NOT_READ = re.compile(
    r"awscc_iam_(?:role|user|group|managed|user_to)\w*|(?:aws|awscc)_sso(?:admin)?_\w*(?:polic|permission|assignment|boundary)\w*"
    r"|(?:aws|awscc)_cloudformation_stack(?:_set|_set_instance)?|aws_cloudcontrolapi_resource"
    r"|aws_serverlessapplicationrepository_cloudformation_stack|aws_servicecatalog_provisioned_product"
)
"""Resources that give access, and that the gate does not look into: a change of one is never passed over."""
_DOCUMENTS = (
    *("policy", "access_policies", "access_policy", "resource_policy", "policy_document", "policy_text"),
    *("key_policy", "repository_policy_text", "session_policy"),
)
"""What the arguments are called that hold the policy of a resource outside of IAM."""
_GIVEN = {*_DOCUMENTS, "managed_policy_arns"}
"""Arguments that give access where the configuration has them; a block may be dynamic, which a plan does not say."""
_INDEX = re.compile(r"\[[^\]]*\]")


def is_plan(body: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a plan."""
    return "format_version" in body and ("resource_changes" in body or "planned_values" in body)


@contextmanager
def as_terraform_writes_them(file: str) -> Iterator[None]:
    """Refuse a plan with parts of other kinds than Terraform writes; no guess is made about it."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnusableInputError(
            file, f"it is no plan as Terraform writes it ({error})", "use terraform show -json PLAN"
        ) from error


def is_state(body: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a state: what is there, without what will change."""
    return "format_version" in body and "values" in body and "resource_changes" not in body


def unjudged(body: Mapping[str, Any], file: str) -> Iterator[Unjudged]:
    """What a plan changes, or puts off, and the gate does not look into."""
    for one in _mappings(body.get("resource_changes")):
        inner = one.get("change", {})
        if inner.get("actions") != ["no-op"] and _NOT_READ.fullmatch(str(one.get("type"))):
            yield _unjudged(file, one, inner, "resources of this type are not judged: look at it yourself")
    for deferred in _mappings(body.get("deferred_changes")):
        one = deferred.get("resource_change", {})
        if _may_give_access(str(one.get("type")), one.get("change", {})):
            why = "Terraform puts this change off: check the plan that follows the apply"
            yield _unjudged(file, one, one.get("change", {}), why)


def _may_give_access(kind: str, inner: Mapping[str, Any]) -> bool:
    if kind.startswith(("aws_iam_", "awscc_iam_", "aws_ssoadmin_")) or kind in STATEMENTS or "polic" in kind:
        return True
    named = {*_as_mapping(inner.get("after")), *_as_mapping(inner.get("after_unknown"))}
    return bool(_NOT_READ.fullmatch(kind)) or not named.isdisjoint(_DOCUMENTS)


def _unjudged(file: str, one: Mapping[str, Any], inner: Mapping[str, Any], why: str) -> Unjudged:
    content = json.dumps([inner.get("after"), inner.get("after_unknown")], sort_keys=True)
    return Unjudged(file, 1, str(one.get("address")), why, content)


def _mappings(listed: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def before(body: Mapping[str, Any], file: str) -> Side:
    """IAM as the plan found it."""
    return _Plan(body, file, "before").side()


def after(body: Mapping[str, Any], file: str) -> Side:
    """IAM as the plan would leave it."""
    return _Plan(body, file, "after").side()


class _Plan:
    """One side of a plan."""

    def __init__(self, body: Mapping[str, Any], file: str, which: str) -> None:
        version = str(body.get("format_version"))
        if version.split(".", maxsplit=1)[0] not in ("0", "1"):
            raise UnusableInputError(file, f"format_version is {version}", "plans of format 0.x and 1.x are read")
        changes = body.get("resource_changes", [])
        if not isinstance(changes, list):
            raise UnusableInputError(file, "resource_changes is no list", "use the output of terraform show -json PLAN")
        if body.get("errored"):
            raise UnusableInputError(file, "Terraform stopped with an error while it planned", "check a whole plan")
        if "resource_changes" not in body and any(_resources(body.get("planned_values", {}).get("root_module"))):
            raise UnusableInputError(file, "it has no resource_changes", "use the output of terraform show -json PLAN")
        self._which = which
        # A deposed object only waits for its deletion; the one that took its place has the same address.
        self._changes = [
            one for one in changes if isinstance(one, Mapping) and "address" in one and "deposed" not in one
        ]
        self._expressions = dict(_expressions(body.get("configuration", {}).get("root_module", {}), ""))
        self._draft = Draft(OWN_ACCOUNT)
        self._entities: dict[str, EntityId] = {}
        self._documents: dict[str, Any] = {}
        for address, document in self._data_sources(body):
            # Instances of one source, by count or for_each, are one address here: they are known if they are alike.
            alike = self._documents.setdefault(address, document) == document
            self._documents[address] = document if alike else _token(f"{address}.json")

    def side(self) -> Side:
        resources = [(one, values) for one in self._changes if (values := self._values(one)) is not None]
        for one, values in resources:
            if one.get("type") in _KINDS:
                self._principal(one, values)
        for one, values in resources:
            if one.get("type") == "aws_iam_policy":
                self._draft.policy(self._policy_arn(one["address"]), self._document(one, values, "policy"))
        for one, values in resources:
            self._relation(one, values, str(one.get("type")))
            self._resource_policy(one, values, str(one.get("type")))
        held = {arn for entity in self._draft.entities.values() for arn in entity.attached}
        for one, _ in resources:
            arn = self._policy_arn(one["address"])
            if one.get("type") == "aws_iam_policy" and arn not in held:
                entity = self._draft.entity(EntityKind.ROLE, f"{one['address']}~policy")
                self._draft.describe(entity, Place(label=f"policy/{one['address']}"))
                self._draft.give(entity, "policy", self._draft.policies[arn].document)
        return self._draft.side()

    def _values(self, change: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if change.get("mode", "managed") != "managed":
            return None
        inner = change.get("change", {})
        actions = inner.get("actions") or []
        # What Terraform forgets stays in the account as it is.
        values = inner.get("before" if actions == ["forget"] else self._which)
        if not isinstance(values, Mapping):
            return None
        unknown = inner.get("after_unknown") if self._which == "after" else None
        said = self._expressions.get(_INDEX.sub("", change["address"]))
        if "create" in actions and said is not None and isinstance(unknown, Mapping):
            # What AWS sets for an argument that is not given is unknown, too: a new resource has no policy by it.
            unknown = {key: marked for key, marked in unknown.items() if key in said or key not in _GIVEN}
        return {**values, **self._unknown(change["address"], values, unknown)}

    def _unknown(self, address: str, values: Mapping[str, Any], unknown: Any) -> dict[str, Any]:
        """Values that are not known, as tokens; a list is unknown as a whole when a part of it is."""
        if not isinstance(unknown, Mapping):
            return {}
        found: dict[str, Any] = {}
        for key, marked in unknown.items():
            if marked is True:
                found[key] = _token(self._reference(address, key) or f"{_INDEX.sub('', address)}.{key}")
            elif isinstance(marked, list) and any(isinstance(one, Mapping) and one for one in marked):
                found[key] = self._blocks(address, key, _listed(values.get(key)), marked)
            elif isinstance(marked, list) and True in marked:
                names = [*self._references(address, key)]
                known = values.get(key)
                listed = known if isinstance(known, list) else [None] * len(marked)
                opaque = iter(names or [f"{address}.{key}"])
                found[key] = [
                    _token(next(opaque, f"{address}.{key}.{place}")) if not_known is True else one
                    for place, (one, not_known) in enumerate(zip(listed, marked, strict=False))
                ]
        return found

    def _blocks(self, address: str, key: str, known: list[Any], marked: list[Any]) -> list[Any]:
        """Nested blocks with tokens for the arguments that are not known; a document from its data source."""
        expressions = self._expressions.get(_INDEX.sub("", address), {}).get(key)
        blocks = []
        for place, flags in enumerate(marked):
            block, expression = _at(known, place), _at(expressions, place)
            block = dict(block) if isinstance(block, Mapping) else {}
            for argument, not_known in flags.items() if isinstance(flags, Mapping) else ():
                if not_known is True:
                    said = expression.get(argument) if isinstance(expression, Mapping) else None
                    named = f"{_INDEX.sub('', address)}.{key}.{argument}.{digest(said or place)}"
                    block[argument] = self._source(self._qualified(address, said)) or _token(named)
            blocks.append(block)
        return blocks

    def _source(self, references: list[str]) -> Any:
        """The document of the data source that is referred to; None where there is none."""
        for reference in references:
            source = reference.removesuffix(".json").removesuffix(".minified_json")
            if source in self._documents:
                return self._documents[source]
        return None

    def _references(self, address: str, key: str) -> list[str]:
        """What the configuration refers to in an argument, the most exact first, with the module in front."""
        return self._qualified(address, self._expressions.get(_INDEX.sub("", address), {}).get(key))

    def _qualified(self, address: str, expression: Any) -> list[str]:
        """The references of an expression of a resource, as addresses."""
        parts = _INDEX.sub("", address).split(".")
        module = ".".join(parts[:-2] if parts[-3:-2] != ["data"] else parts[:-3])
        references = expression.get("references", []) if isinstance(expression, Mapping) else []
        full = [f"{module}.{one}" if module else one for one in references if isinstance(one, str)]
        return [one for one in full if not any(other.startswith(f"{one}.") for other in full)]

    def _reference(self, address: str, key: str) -> str:
        return next(iter(self._references(address, key)), "")

    def _principal(self, change: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        address, kind = change["address"], _KINDS[change["type"]]
        name = values.get("name")
        name = name if isinstance(name, str) and name and "<" not in name else address
        entity = self._draft.entity(kind, name)
        self._entities[address] = self._entities[_INDEX.sub("", address)] = entity
        parts: dict[str, Any] = {"unique_id": address, "path": values.get("path") or "/"}
        if isinstance(values.get("permissions_boundary"), str) and values["permissions_boundary"]:
            parts["boundary"] = self._policy(values["permissions_boundary"])
        if kind is EntityKind.ROLE:
            parts["trust"] = as_document(self._document(change, values, "assume_role_policy"))
        self._draft.describe(entity, Place(), **parts)
        for number, policy in enumerate(_listed(values.get("inline_policy"))):
            if isinstance(policy, Mapping) and policy.get("policy"):
                self._draft.give(entity, str(policy.get("name", number)), _decoded(policy["policy"]))
            elif isinstance(policy, str):
                self._draft.give(entity, str(number), policy)
        for arn in _listed(values.get("managed_policy_arns")):
            self._draft.attach(entity, self._policy(arn))

    def _relation(self, change: Mapping[str, Any], values: Mapping[str, Any], kind: str) -> None:
        address = change["address"]
        if kind in _POLICIES and kind != "aws_iam_policy":
            resource, entity = _POLICIES[kind]
            holder = self._holder(address, values, resource.removeprefix("aws_iam_"), entity)
            self._draft.give(holder, address, self._document(change, values, "policy"))
        elif kind in _ATTACHMENTS:
            resource, entity = _ATTACHMENTS[kind]
            holder = self._holder(address, values, resource.removeprefix("aws_iam_"), entity)
            self._draft.attach(holder, self._policy(values.get("policy_arn")))
        elif kind in _EXCLUSIVE or kind == "aws_iam_policy_attachment":
            self._attachments(address, values, kind)
        elif kind == "aws_iam_group_membership":
            for user in _listed(values.get("users")):
                self._draft.join(self._named(str(user), EntityKind.USER), self._group(values.get("group")))
        elif kind == "aws_iam_user_group_membership":
            for group in _listed(values.get("groups")):
                self._draft.join(self._named(str(values.get("user")), EntityKind.USER), self._group(group))

    def _resource_policy(self, change: Mapping[str, Any], values: Mapping[str, Any], kind: str) -> None:
        """The policy of a bucket, a queue, a key and so on: what it allows its principals."""
        managed = (
            "aws_iam_",
            "awscc_iam_",
            "aws_ssoadmin_",
            "aws_organizations_policy",
            "awscc_organizations_policy",
        )
        if not kind.startswith(("aws_", "awscc_")) or kind.startswith(managed):
            return
        if kind in STATEMENTS:
            self._alone(change["address"], kind, statement_of(values))
            return
        if kind == "aws_lambda_function_url":  # the provider makes the permission of a public one
            said = values.get("authorization_type")
            if isinstance(said, str) and said.startswith("<"):
                self._alone(change["address"], kind, said)
            if said == "NONE":
                public = {"action": "lambda:InvokeFunctionUrl", "function_name": values.get("function_name")}
                self._alone(change["address"], kind, statement_of(public))
            return
        known = _as_mapping(change.get("change", {}).get("before"))  # what held a document is one when it is not known
        keys = {*_DOCUMENTS, *(path for path, _ in documents(known) if isinstance(values.get(path), str))}
        given = {key: self._document(change, values, key) for key in sorted(keys) if values.get(key)}
        found = {key: one for key, one in given.items() if isinstance(one, str) or "Statement" in _as_mapping(one)}
        others = {path: one for path, one in documents(values) if path not in found}
        for number, (key, document) in enumerate({**found, **others}.items()):
            self._alone(change["address"] + (f".{key}" if number else ""), kind, document)

    def _alone(self, address: str, kind: str, document: Any) -> None:
        entity = self._draft.entity(EntityKind.ROLE, f"{address}~policy")
        parts: dict[str, Any] = {"unique_id": f"{address}~policy", "trust": as_document(document)}
        self._draft.describe(entity, Place(label=f"{kind}/{address}"), **parts)

    def _attachments(self, address: str, values: Mapping[str, Any], kind: str) -> None:
        """Several policies of one principal, or one policy of several principals."""
        if kind in _EXCLUSIVE:
            resource, entity = _EXCLUSIVE[kind]
            holder = self._holder(address, values, f"{resource.removeprefix('aws_iam_')}_name", entity)
            for arn in _listed(values.get("policy_arns")):
                self._draft.attach(holder, self._policy(arn))
            return
        for key, entity in (("users", EntityKind.USER), ("groups", EntityKind.GROUP), ("roles", EntityKind.ROLE)):
            for name in _listed(values.get(key)):
                self._draft.attach(self._named(str(name), entity), self._policy(values.get("policy_arn")))

    def _holder(self, address: str, values: Mapping[str, Any], key: str, kind: EntityKind) -> EntityId:
        name = values.get(key)
        if isinstance(name, str) and name and "<" not in name:
            return self._draft.entity(kind, name)
        return self._named(str(name) if name else token(self._reference(address, key) or address), kind)

    def _named(self, name: str, kind: EntityKind) -> EntityId:
        """A principal by name, or by the resource that a token refers to."""
        if name.startswith("<"):
            address = name[1:-1].removeprefix("~").rpartition(".")[0]
            if address in self._entities:
                return self._entities[address]
        return self._draft.entity(kind, name)

    def _group(self, name: Any) -> str:
        return self._named(str(name), EntityKind.GROUP).name

    def _policy_arn(self, address: str) -> str:
        for one in self._changes:
            if one["address"] == address:
                values = self._values(one) or {}
                arn = values.get("arn")
                if isinstance(arn, str) and arn.startswith("arn:"):
                    return arn
        return as_policy_arn(_token(f"{_INDEX.sub('', address)}.arn"), OWN_ACCOUNT)

    def _policy(self, arn: Any) -> str:
        return as_policy_arn(str(arn), OWN_ACCOUNT)

    def _document(self, change: Mapping[str, Any], values: Mapping[str, Any], key: str) -> Any:
        """A policy document in a value that is JSON text; from its data source where it is not known yet."""
        text = values.get(key)
        if isinstance(text, str) and not text.startswith("<"):
            return _decoded(text)
        if (source := self._source(self._references(change["address"], key))) is not None:
            return source
        return text if isinstance(text, str) else token(f"{change['address']}.{key}")

    def _data_sources(self, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The documents of data sources by address, those of the plan before those of the state."""
        if self._which == "before":
            return
        for one in (*_resources(body.get("prior_state", {}).get("values", {}).get("root_module", {})), *self._changes):
            if one.get("type") != _DOCUMENT or "address" not in one:
                continue
            inner = one.get("change")
            values = inner.get("after") if isinstance(inner, Mapping) else one.get("values")
            unknown = inner.get("after_unknown") if isinstance(inner, Mapping) else None
            if not isinstance(values, Mapping):
                continue
            address = _INDEX.sub("", one["address"])
            if isinstance(values.get("json"), str):
                yield address, _decoded(values["json"])
            elif not any(values.get(key) for key in ("source_policy_documents", "override_policy_documents")):
                yield address, _from_statements(values, unknown, address, self._expressions.get(address, {}))


def _token(reference: str) -> str:
    """The token of a reference; one to a resource's attribute is a name."""
    is_name = re.search(r"(?:^|\.)aws_\w+\.\w+\.(?:arn|id|name|unique_id)$", reference)
    return token(reference, is_open=is_name is None or "aws_iam_policy_document" in reference)


def _expressions(module: Any, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The expressions of every resource by address without indexes, through all modules."""
    if not isinstance(module, Mapping):
        return
    for resource in module.get("resources", []):
        if isinstance(resource, Mapping):
            yield f"{prefix}{resource.get('address')}", resource.get("expressions", {})
    for name, call in (module.get("module_calls") or {}).items():
        if isinstance(call, Mapping):
            yield from _expressions(call.get("module"), f"{prefix}module.{name}.")


def _resources(module: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(module, Mapping):
        return
    yield from (one for one in module.get("resources", []) if isinstance(one, Mapping))
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _decoded(text: Any) -> Any:
    if isinstance(text, str) and text.startswith("<"):
        return text  # a token
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return token(f"text.{text[:20]}")


_LISTS = (
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
)


def _from_statements(values: Mapping[str, Any], unknown: Any, address: str, expressions: Mapping[str, Any]) -> Any:
    """The document that the statements of a data source make, as the AWS provider puts it together."""
    marked = unknown.get("statement", []) if isinstance(unknown, Mapping) else []
    listed = _listed(values.get("statement"))
    if marked is True or not all(isinstance(one, Mapping) for one in listed):
        return _token(f"{address}.json")
    written = _listed(expressions.get("statement"))
    statements = [
        _statement(one, _at(marked, place), _at(written, place), f"{address}.statement.{place}")
        for place, one in enumerate(listed)
    ]
    return {"Version": values.get("version") or "2012-10-17", "Statement": statements} if statements else None


def _statement(one: Mapping[str, Any], marked: Any, written: Any, name: str) -> dict[str, Any]:
    """A statement block; what is marked in it is not known."""
    statement: dict[str, Any] = {"Effect": one.get("effect") or "Allow"}
    for key, element in _LISTS:
        if listed := _with_tokens(one.get(key), _in(marked, key), name, written, key):
            statement[element] = listed
    for key, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        named: dict[str, list[Any]] = {}
        for number, block in enumerate(_listed(one.get(key))):
            flags = _in(_at(_in(marked, key), number), "identifiers")
            listed = _with_tokens(block.get("identifiers"), flags, f"{name}.{key}", {}, "identifiers")
            named.setdefault(str(block.get("type")), []).extend(listed)
        if named:
            statement[element] = "*" if named == {"*": ["*"]} else named
    for number, block in enumerate(_listed(one.get("condition"))):
        flags = _in(_at(_in(marked, "condition"), number), "values")
        listed = _with_tokens(block.get("values"), flags, f"{name}.condition", {}, "values")
        operators = statement.setdefault("Condition", {})
        operators.setdefault(str(block.get("test")), {})[str(block.get("variable"))] = listed
    return statement


def _at(listed: Any, place: int) -> Any:
    """A member of a list; what stands for all of them where it is none."""
    if not isinstance(listed, list):
        return listed
    return listed[place] if place < len(listed) else None


def _in(value: Any, key: str) -> Any:
    """A member of an object; what stands for all of it where it is none."""
    return value.get(key) if isinstance(value, Mapping) else value


def _with_tokens(listed: Any, marked: Any, name: str, said: Any, key: str) -> list[Any]:
    expression = said.get(key) if isinstance(said, Mapping) else None
    references = expression.get("references", []) if isinstance(expression, Mapping) else []
    exact = [one for one in references if not any(other.startswith(f"{one}.") for other in references)]
    opaque = iter(exact)
    if marked is True:
        return [_token(next(opaque, f"{name}.{key}"))]
    known = _listed(listed)
    if not isinstance(marked, list):
        return known
    return [
        _token(next(opaque, f"{name}.{key}.{place}")) if place < len(marked) and marked[place] is True else one
        for place, one in enumerate(known)
    ] or [_token(next(opaque, f"{name}.{key}.{place}")) for place, one in enumerate(marked) if one is True]
