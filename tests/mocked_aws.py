"""AWS as moto knows it."""

from contextlib import contextmanager
from functools import cache

import boto3
from moto import mock_aws

from tests.answers import answers_of_the_model

NOT_OF_AWS = frozenset(
    {
        "CreateTrailResponse.HasCustomEventSelectors",
        "CreateTrailResponse.HasInsightSelectors",
        "DescribeSecretResponse.SecretVersionsToStages",
    }
)
"""Members that moto answers beside those of the model; botocore drops them, so that no adapter sees them."""


@contextmanager
def mocked_aws():
    """An empty account; every answer is one that AWS could give.

    Its default session is the same in every test: it has read the services' models, and reading them again takes longer
    than most tests.
    """
    with answers_of_the_model(NOT_OF_AWS), mock_aws():
        boto3.DEFAULT_SESSION = _session()  # moto puts back what was there
        yield


@cache
def _session():
    return boto3.Session()
