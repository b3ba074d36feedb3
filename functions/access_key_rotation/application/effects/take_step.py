"""Who carries out which step."""

from typing import assert_never

from access_key_rotation.application.effects.create_key import Issuance
from access_key_rotation.application.effects.maintain_secret import SecretUpkeep
from access_key_rotation.application.effects.promote_key import Promotion
from access_key_rotation.application.effects.remove_key import Revocation
from access_key_rotation.application.observe_user import Observer
from access_key_rotation.application.run import Run
from access_key_rotation.domain.rules import steps as do


class Steps:
    """Takes one step of a run, which then knows what came of it."""

    def __init__(
        self, observer: Observer, upkeep: SecretUpkeep, issuance: Issuance, promotion: Promotion, revocation: Revocation
    ) -> None:
        self._observer = observer
        self._upkeep = upkeep
        self._issuance = issuance
        self._promotion = promotion
        self._revocation = revocation

    def take(self, run: Run, step: do.Step) -> None:  # noqa: C901, PLR0912 - a table, in the form of a match
        """Carry the step out.

        Raises
        ------
        StewardError
            It failed; the run knows what is done all the same.
        """
        match step:
            case do.ReadUsage(key_id):
                self._observer.read_usage(run, key_id)
            case do.ReadStanding():
                self._observer.read_standing(run)
            case do.ReadCreator(key_id):
                self._observer.read_creator(run, key_id)
            case do.CreateSecret():
                self._upkeep.create(run)
                self._observer.look_at_secret(run)
            case do.RestrictReaders(principals):
                self._upkeep.restrict_readers(run, principals)
                if run.seen.is_locked_out:
                    self._observer.look_at_secret(run)
            case do.Replicate(regions):
                self._upkeep.replicate(run, regions)
            case do.RegisterBackstop(function, days):
                self._upkeep.register_backstop(run, function, days)
            case do.CreateKey():
                self._issuance.create_key(run)
            case do.KeepKey(key_id):
                self._issuance.keep_key(run, key_id)
            case do.DropPending():
                self._issuance.drop_pending(run)
            case do.Promote(key_id, urgent):
                self._promotion.promote(run, key_id, urgent=urgent)
            case do.RecordPromotion(key_id):
                self._promotion.record(run, key_id)
            case do.LatchAdoption(key_id):
                self._promotion.latch_adoption(run, key_id)
            case do.Suspect(key_id):
                self._revocation.suspect(run, key_id)
            case do.MarkCompromised(key_id):
                self._revocation.mark_compromised(run, key_id)
            case do.Deactivate(key_id, reason):
                self._revocation.deactivate(run, key_id, reason)
            case do.Announce(key_id):
                self._revocation.announce(run, key_id)
            case do.Accept(key_id):
                self._revocation.accept(run, key_id)
            case do.Delete(key_id, reason):
                self._revocation.delete(run, key_id, reason)
            case do.Forget(key_id):
                self._revocation.forget(run, key_id)
            case _:
                assert_never(step)
