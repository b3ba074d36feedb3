"""AWS's codes become errors of the tree, but for those that mean something where they come."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from steward.aws.errors import translated, unless
from steward.errors import AccessDeniedError, ConflictError, ThrottledError, UpstreamError


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetUser")


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (refusal("AccessDenied"), AccessDeniedError),
        (refusal("Throttling"), ThrottledError),
        (refusal("NoSuchEntity"), UpstreamError),
        (EndpointConnectionError(endpoint_url="https://iam.test"), UpstreamError),
    ],
    ids=["denied", "throttled", "of another kind", "not reached"],
)
def test_a_failure_becomes_the_error_of_its_kind_and_keeps_its_cause(error, becomes):
    with pytest.raises(becomes) as raised, translated({"EntityAlreadyExists": ConflictError("it is there")}):
        raise error

    assert raised.value.__cause__ is error


def test_a_code_that_is_expected_becomes_what_it_means_here():
    meant = ConflictError("it is there")

    with pytest.raises(ConflictError) as raised, translated({"EntityAlreadyExists": meant}):
        raise refusal("EntityAlreadyExists")

    assert raised.value is meant


def answered(error, *codes):
    with translated(), unless(*codes):
        raise error
    return "nothing there"


def test_a_code_that_is_an_answer_is_no_failure():
    assert answered(refusal("NoSuchEntity"), "NoSuchEntity", "NoSuchKey") == "nothing there"


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "NoSuchEntityElsewhere", ""])
def test_no_other_code_is_taken_for_that_answer(code):
    with pytest.raises(UpstreamError):
        answered(refusal(code), "NoSuchEntity")


def test_a_connection_that_failed_is_never_an_answer():
    with pytest.raises(UpstreamError):
        answered(EndpointConnectionError(endpoint_url="https://iam.test"), "NoSuchEntity")
