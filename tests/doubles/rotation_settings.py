"""The shipped rotation settings as the tests know them, and what a test changes of them."""

from dataclasses import replace

from access_key_rotation.domain.settings import RotationSettings
from steward import settings

SHIPPED = settings.load(settings.shipped("rotation.yaml"), RotationSettings)


def rotation_settings(**changed):
    return replace(SHIPPED, **changed)


def times(**changed):
    return replace(SHIPPED.times, **changed)
