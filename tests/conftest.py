"""What holds for all suites."""

from hypothesis import HealthCheck, settings

# A busy machine is no failure of the code.
settings.register_profile("steward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steward")
