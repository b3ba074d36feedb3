"""The deployed API keeps its own contract, whatever is sent: what the contract allows, and what it does not."""

import time
from collections import Counter

import pytest
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.local.aws.launched import REGION

PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = [8, pytest.param(300, marks=pytest.mark.slow)]
OPERATIONS = [
    ("/repositories/{name}", "PUT"),
    ("/repositories/{name}", "GET"),
    ("/repositories", "POST"),
    ("/repositories", "GET"),
    ("/repositories/{name}/adoption", "POST"),
    ("/fleet/adoptions", "POST"),
    ("/fleet/reconciliations", "POST"),
    ("/fleet/scans", "POST"),
    ("/whoami", "GET"),
    ("/openapi.json", "GET"),
    ("/service-users", "GET"),
    ("/service-users/{name}", "GET"),
    ("/service-users/{name}/rotation", "POST"),
    ("/service-users/{name}/rotation", "DELETE"),
    ("/service-users/{name}/check", "POST"),
    ("/service-users/{name}/reactivation", "POST"),
    ("/access-keys", "GET"),
    ("/service-users/{name}/enrolment", "POST"),
    ("/service-users/{name}/enrolment", "DELETE"),
    ("/drift/findings", "GET"),
    ("/drift/findings/{finding_id}", "GET"),
    ("/drift/findings/{finding_id}/acknowledgement", "POST"),
    ("/drift/scans", "POST"),
    ("/drift/report", "GET"),
    ("/drift/baseline", "GET"),
    ("/drift/baseline", "PUT"),
    ("/drift/baseline/adoptions", "POST"),
    ("/drift/baseline/uploads", "POST"),
    ("/health", "GET"),
    ("/openapi/service-users.json", "GET"),
    ("/openapi/drift.json", "GET"),
    ("/openapi/health.json", "GET"),
]
CONTRACTS = ("/openapi.json", "/openapi/service-users.json", "/openapi/drift.json", "/openapi/health.json")
PATIENCE = 60
"""Seconds for which a call is made again while a run holds the user: what its answer, 503, asks a caller to do."""
FUZZING = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)


class SignedAs(requests.auth.AuthBase):
    """Signs what is sent, as sent, for the holder of a key."""

    def __init__(self, key):
        self._credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)

    def __call__(self, prepared):
        request = AWSRequest(prepared.method, prepared.url, data=prepared.body or b"")
        SigV4Auth(self._credentials, "execute-api", REGION).add_auth(request)
        prepared.headers.update(request.headers)
        return prepared


class Api:
    """The deployed API under fuzzing: every answer is checked, and counted by operation and status."""

    def __init__(self, url, key, documents):
        self._contracts = [schemathesis.openapi.from_dict(document) for document in documents]
        for contract in self._contracts:
            contract.config.update(base_url=url)
            contract.config.generation.update(with_security_parameters=False)  # every case is signed
        self._auth = SignedAs(key)
        self.answers = Counter()

    def operations(self):
        """Every operation of every contract, by path and method."""
        found = [operation.ok() for contract in self._contracts for operation in contract.get_all_operations()]
        return {(operation.path, operation.method.upper()): operation for operation in found}

    def check(self, case, promises):
        reply, deadline = case.call(auth=self._auth), time.monotonic() + PATIENCE
        while b"another run works on" in reply.content and time.monotonic() < deadline:
            time.sleep(1)
            reply = case.call(auth=self._auth)
        self.answers[f"{case.operation.label} {reply.status_code}"] += 1
        case.validate_response(reply, checks=promises)


@pytest.fixture(scope="module")
def api(stack, request):
    """The API, as a caller finds it to whom the house rules give every name; says at the end how many cases ran."""
    url, key = stack.variables["STEWARD_API_URL"], stack.pipeline("fuzzer", "*")
    under_test = Api(url, key, [stack.call("GET", path, key).document for path in CONTRACTS])
    yield under_test
    counts = ", ".join(f"{answer}: {count}" for answer, count in sorted(under_test.answers.items()))
    plugins = request.config.pluginmanager
    with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
        plugins.get_plugin("terminalreporter").write_line(
            f"\n{under_test.answers.total()} cases of the contract: {counts}"
        )


def test_the_operations_of_the_contract_are_those_that_are_tried(api):
    assert api.operations().keys() == set(OPERATIONS)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_the_contract_allows_is_answered_as_it_says(api, path, method, examples):
    @settings(FUZZING, max_examples=examples)
    @given(api.operations()[path, method].as_strategy(GenerationMode.POSITIVE))
    def is_kept(case):
        api.check(case, PROMISES)

    is_kept()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize(
    ("path", "method", "promises"),
    [
        ("/repositories/{name}", "PUT", [*PROMISES, negative_data_rejection]),
        ("/repositories/{name}", "GET", [*PROMISES, negative_data_rejection]),
        ("/service-users/{name}", "GET", [*PROMISES, negative_data_rejection]),
        ("/service-users/{name}/rotation", "POST", [*PROMISES, negative_data_rejection]),
        ("/service-users/{name}/reactivation", "POST", [*PROMISES, negative_data_rejection]),
        ("/drift/findings", "GET", [*PROMISES, negative_data_rejection]),
        ("/drift/report", "GET", [*PROMISES, negative_data_rejection]),
        ("/drift/findings/{finding_id}/acknowledgement", "POST", [*PROMISES, negative_data_rejection]),
        ("/drift/baseline", "PUT", [*PROMISES, negative_data_rejection]),
        ("/drift/baseline/adoptions", "POST", [*PROMISES, negative_data_rejection]),
        pytest.param("/repositories", "POST", PROMISES, id="/repositories-POST, which refuses item by item"),
    ],
)
def test_what_the_contract_forbids_is_answered_as_it_says(api, path, method, promises, examples):
    @settings(FUZZING, max_examples=examples)
    @given(api.operations()[path, method].as_strategy(GenerationMode.NEGATIVE))
    def is_kept(case):
        api.check(case, promises)

    is_kept()
