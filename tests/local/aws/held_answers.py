"""The answers of a running local AWS, held to botocore's model as moto's and the doubles' are."""

import json
import re

import botocore.parsers

from tests.answers import unlike_the_model
from tests.contract.test_operations_of_adapters import MODELS, OPERATIONS

SIGNED_AS = {model.signing_name: service for service, model in MODELS.items()}


def answers(file):
    """Each recorded answer to an operation that an adapter calls: service, operation, and the answer."""
    for line in file.read_text().splitlines():
        answer = json.loads(line)
        service = SIGNED_AS.get(answer["service"])
        operation = service and (answer["operation"] or operation_at(service, answer))
        if (service, operation) in OPERATIONS and answer["status"] < 300:
            yield service, operation, answer


def operation_at(service, answer):
    """The operation of a request in REST, of those that adapters call; empty for another one."""
    query = {part.partition("=")[0] for part in answer["query"].split("&")}
    for name in (name for of, name in OPERATIONS if of == service):
        http = MODELS[service].operation_model(name).http
        path, _, named = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{\w+(\\\+)?\\\}", lambda part: ".+" if part[1] else "[^/]+", re.escape(path))
        sub_resource = query & {"location", "notification", "policy", "publicAccessBlock", "versioning", "versions"}
        if (
            answer["method"] == http["method"]
            and re.fullmatch(pattern, answer["path"])
            and sub_resource == {named.partition("=")[0]} - {""}
        ):
            return name
    return ""


def unlike_of(service, operation, answer):
    """What of an answer the model does not know; nothing of one in another protocol than botocore's."""
    model = MODELS[service].operation_model(operation)
    protocol = MODELS[service].resolved_protocol
    body = answer["body"].encode()
    if not body.strip() or body.lstrip().startswith(b"<") != (protocol in {"query", "ec2", "rest-xml"}):
        return set()
    parser = botocore.parsers.create_parser(protocol)
    response = {"status_code": answer["status"], "headers": {}, "body": body}
    return unlike_the_model(parser, response, model.output_shape)


def unlike_the_model_of_aws(file):
    """Operation -> what of its answers the model does not know."""
    wrong: dict[str, set[str]] = {}
    for service, operation, answer in answers(file):
        if found := unlike_of(service, operation, answer):
            wrong.setdefault(f"{service}:{operation}", set()).update(found)
    return wrong
