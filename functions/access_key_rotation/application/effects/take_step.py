"""Maps each step to the effect that carries it out."""

from typing import assert_never

from access_key_rotation.application.effects.create_key import KeyCreation
from access_key_rotation.application.effects.maintain_secret import SecretMaintenance
from access_key_rotation.application.effects.promote_key import KeyPromotion
from access_key_rotation.application.effects.remove_key import KeyRemoval
from access_key_rotation.application.observe_user import UserObserver
from access_key_rotation.application.run import Run
from access_key_rotation.domain.rules import steps as do


class Steps:
    """Takes one step of a run and records its result in the run."""

    def __init__(
        self,
        observer: UserObserver,
        maintenance: SecretMaintenance,
        creation: KeyCreation,
        promotion: KeyPromotion,
        removal: KeyRemoval,
    ) -> None:
        self._observer = observer
        self._maintenance = maintenance
        self._creation = creation
        self._promotion = promotion
        self._removal = removal

    def take(self, run: Run, step: do.Step) -> None:  # noqa: C901, PLR0912, PLR0915 - a table, in the form of a match
        """Carry out one step.

        Raises
        ------
        StewardError
            The step failed; the run still records what was done.
        """
        match step:
            case do.ReadUsage(key_id):
                self._observer.read_usage(run, key_id)
            case do.ReadStanding():
                self._observer.read_standing(run)
            case do.ReadTargets():
                self._observer.read_targets(run)
            case do.ReadCreator(key_id):
                self._observer.read_creator(run, key_id)
            case do.CreateSecret():
                self._maintenance.create(run)
                self._observer.look_at_secret(run)
            case do.RestrictReaders(wanted):
                self._maintenance.restrict_readers(run, wanted)
                if run.seen.is_locked_out:
                    self._observer.look_at_secret(run)
            case do.Replicate(regions):
                self._maintenance.replicate(run, regions)
            case do.RegisterBackstop(function, days):
                self._maintenance.register_backstop(run, function, days)
            case do.CreateKey():
                self._creation.create_key(run)
            case do.KeepKey(key_id):
                self._creation.keep_key(run, key_id)
            case do.DropPending():
                self._creation.drop_pending(run)
            case do.Promote(key_id, urgent):
                self._promotion.promote(run, key_id, urgent=urgent)
            case do.Restore(key_id):
                self._promotion.restore(run, key_id)
            case do.RecordPromotion(key_id):
                self._promotion.record(run, key_id)
            case do.LatchAdoption(key_id):
                self._promotion.latch_adoption(run, key_id)
            case do.Suspect(key_id):
                self._removal.suspect(run, key_id)
            case do.MarkCompromised(key_id):
                self._removal.mark_compromised(run, key_id)
            case do.Deactivate(key_id, reason):
                self._removal.deactivate(run, key_id, reason)
            case do.Announce(key_id):
                self._removal.announce(run, key_id)
            case do.Accept(key_id):
                self._removal.accept(run, key_id)
            case do.Delete(key_id, reason):
                self._removal.delete(run, key_id, reason)
            case do.Forget(key_id):
                self._removal.forget(run, key_id)
            case _:
                assert_never(step)
