"""The API of repositories, and what its tests change in AWS and in the settings."""

from functools import partial

import pytest
from botocore.client import BaseClient
from moto.ecr.models import ecr_backends

from tests.functional.contract import Contract
from tests.functional.gateway import ACCOUNT, REGION, Gateway, client_of
from tests.functional.gateway import sample as sample_of

CONTRACT = Contract("repository_provisioning")


def sample(name):
    return sample_of("repository_provisioning", name)


@pytest.fixture
def ecr(aws):
    return client_of("ecr")


@pytest.fixture
def settled(aws):
    """Makes every repository look as if it were created long ago."""

    def age():
        for repository in ecr_backends[ACCOUNT][REGION].repositories.values():
            repository.created_at = repository.created_at.replace(year=2020)

    return age


@pytest.fixture
def registry_prefixes(monkeypatch, one_call_at_a_time):
    """ECR's pull-through caches and creation templates, which moto lacks: none, until a test adds some."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]
    answers = {
        "DescribePullThroughCacheRules": {"pullThroughCacheRules": []},
        "DescribeRepositoryCreationTemplates": {"repositoryCreationTemplates": []},
        "GetSigningConfiguration": {"signingConfiguration": {"rules": []}},
    }

    def call(client, operation, parameters):
        return answers[operation] if operation in answers else reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return answers


@pytest.fixture
def house_rules(deploy_settings):
    """Puts other house rules into the settings layer; None leaves the file out."""
    return partial(deploy_settings, "house_rules.yaml")


class Api(Gateway):
    """Calls of the repositories' routes."""

    handler = "provision_repositories_handler"

    def call(self, method, path, body=None, *, by="role", **request):
        event = sample(f"whoami_by_{by}") | {"httpMethod": method, "path": path, "resource": path}
        if path.startswith("/repositories/"):
            event |= {"resource": "/repositories/{name+}", "pathParameters": {"name": path[len("/repositories/") :]}}
        return self.request(event, body, **request)

    def put(self, name, body=None, **request):
        return self.call("PUT", f"/repositories/{name}", body, **request)

    def get(self, name, **request):
        return self.call("GET", f"/repositories/{name}", **request)

    def post(self, *items, **request):
        return self.call("POST", "/repositories", {"repositories": list(items)}, **request)


@pytest.fixture
def api(cold_start, registry_prefixes):
    return Api(CONTRACT, cold_start)
