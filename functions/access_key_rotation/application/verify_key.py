"""Verifies a key: successes in a row, over time, in every region, as the expected user."""

from datetime import timedelta

from access_key_rotation.application.ports import Authenticator, NotAuthenticatedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.settings import Verification
from access_key_rotation.domain.state import User
from steward.clock import Clock
from steward.errors import ConflictError

LEAK_PATIENCE = 30
"""Seconds in which the successor of a leaked key must begin to authenticate."""


class AnotherUserError(ConflictError):
    """The credential authenticates as another user."""


class KeyVerifier:
    """Authenticates with a key until it counts as verified. One success proves nothing while IAM propagates it."""

    def __init__(self, authenticator: Authenticator, clock: Clock, *, home_region: str) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._home = home_region

    def verify(self, credential: Credential, user: User, wanted: Verification, *, urgent: bool = False) -> None:
        """Return when the credential has authenticated in every region.

        If ``urgent``, its identity in one region is enough, and half a minute: AWS denies ECR's login to the user of an
        exposed key, and the leaked key works meanwhile.
        Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html

        Raises
        ------
        NotAuthenticatedError
            It did not within ``wanted.give_up_after_seconds``, or ``LEAK_PATIENCE``.
        AnotherUserError
            It authenticates as another user.
        UpstreamError
            AWS failed for another reason.
        """
        regions = (wanted.regions or (self._home,))[: 1 if urgent else None]
        patience = min(wanted.give_up_after_seconds, LEAK_PATIENCE) if urgent else wanted.give_up_after_seconds
        give_up = self._clock.now() + timedelta(seconds=patience)
        pause = wanted.over_seconds / (wanted.successes - 1)
        first, successes = self._clock.now(), 0
        while True:
            try:
                for region in regions:
                    self._authenticate(credential, user, region, ecr=wanted.ecr and not urgent)
            except NotAuthenticatedError:
                if self._clock.now() >= give_up:
                    raise
                successes = 0
            else:
                first = self._clock.now() if successes == 0 else first
                successes += 1
                if successes >= wanted.successes and self._clock.now() - first >= timedelta(
                    seconds=wanted.over_seconds
                ):
                    return
            self._clock.pause(pause)

    def _authenticate(self, credential: Credential, user: User, region: str, *, ecr: bool) -> None:
        identity = self._authenticator.identify(credential, region)
        if (identity.user_id, identity.arn) != (user.user_id, user.arn):
            raise AnotherUserError(f"the key {credential.access_key_id} belongs to {identity.arn}, not to {user.arn}")
        if ecr:
            self._authenticator.log_in_to_ecr(credential, region)
