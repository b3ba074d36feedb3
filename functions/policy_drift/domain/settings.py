"""The settings of drift: which entities are compared, and which actors are expected."""

from dataclasses import dataclass, field

from policy_drift.domain.scope import Scope
from steward.principals import PrincipalPattern

SETTINGS_FILE = "drift.yaml"
"""The shipped file, and that of an operator that is merged over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSettings:
    """The file ``drift.yaml``.

    Attributes
    ----------
    scope : Scope
        Which entities are compared.
    expected_actors : tuple of PrincipalPattern
        Whose changes are expected, such as the roles that deploy. Their findings say so; nothing is adopted by that.
    four_eyes : bool
        Whether adoptions and acknowledgements of those who made the change are refused.
    """

    scope: Scope = field(default_factory=Scope)
    expected_actors: tuple[PrincipalPattern, ...] = ()
    four_eyes: bool = False
