"""Every error of the tree has a status, and a problem that says no more than it should."""

import pytest

from steward import errors
from steward.clock import SystemClock
from steward.rest_api import problem_of


def every_error(kind=errors.StewardError):
    yield from (found for child in kind.__subclasses__() for found in (child, *every_error(child)))


OURS = {
    errors.InvalidRequestError("x"): 400,
    errors.NotAllowedError("x", allowed=["team-a/**"]): 403,
    errors.NotFoundError("x"): 404,
    errors.ConflictError("x"): 409,
    errors.PreconditionFailedError("x"): 412,
    errors.TooLargeError("x"): 413,
    errors.UnsupportedMediaTypeError("x"): 415,
    errors.RuleViolationError("x"): 422,
    errors.QuotaExceededError("x", after_seconds=60): 429,
    errors.SettingsError("x"): 503,
    errors.UpstreamError("x"): 503,
    errors.ThrottledError("x"): 503,
    errors.DeadlineError("x"): 503,
    errors.AccessDeniedError("x"): 503,
}


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_an_error_has_its_status(error):
    problem = problem_of(error, instance="/repositories/team-a/web", request_id="r-1")

    assert problem["status"] == OURS[error]
    assert problem["type"].startswith("urn:ecr-steward:problem:")
    assert (problem["detail"], problem["instance"], problem["request_id"]) == ("x", "/repositories/team-a/web", "r-1")


def test_the_table_above_has_every_error_of_the_kernel():
    kernel = {kind for kind in every_error() if kind.__module__ == "steward.errors"}

    assert {type(error) for error in OURS} == kernel


@pytest.mark.parametrize(
    "error", [error for error in OURS if OURS[error] in {429, 503}], ids=lambda e: type(e).__name__
)
def test_what_may_succeed_later_says_when(error):
    assert error.after_seconds > 0


@pytest.mark.parametrize("error", [error for error in OURS if OURS[error] < 429], ids=lambda e: type(e).__name__)
def test_what_only_another_request_can_mend_says_no_time(error):
    assert error.after_seconds is None


def test_only_a_refusal_says_what_is_allowed_and_only_aws_has_a_code():
    refusal = problem_of(errors.NotAllowedError("x", allowed=["a/**"]), instance="/", request_id="r")
    conflict = problem_of(errors.ConflictError("x", code="LimitExceededException"), instance="/", request_id="r")

    assert (refusal["allowed"], "code" in refusal) == (["a/**"], False)
    assert (conflict["code"], "allowed" in conflict) == ("LimitExceededException", False)


def test_the_system_s_clock_is_aware_and_moves_when_it_pauses():
    clock = SystemClock()
    before = clock.now()
    clock.pause(0.001)

    assert before.utcoffset().total_seconds() == 0
    assert clock.now() > before
