"""The command that checks a settings file: what it prints, and where, and how it ends."""

from dataclasses import dataclass

import pytest

from access_key_rotation import check_settings as rotation
from alerting import check_settings as alerting
from policy_drift import check_settings as drift
from repository_provisioning import check_settings as provisioning
from steward.check_settings import check


@dataclass(frozen=True)
class Settings:
    entries: tuple[int, ...] = ()

    def warnings(self):
        yield from ((("entries", index), "is nothing") for index, entry in enumerate(self.entries) if entry == 0)
        if not self.entries:
            yield (), "says nothing"


@pytest.fixture
def checked(tmp_path, capsys):
    """Writes a file and checks it: the exit code, what went to standard output, and what to standard error."""

    def check_text(text):
        path = tmp_path / "some.yaml"
        path.write_text(text)
        code = check(
            [str(path)],
            what="some settings",
            file="rotation.yaml",
            into=Settings,
            summary=lambda wanted: f"{len(wanted.entries)} entries",
            warnings=Settings.warnings,
        )
        return code, *capsys.readouterr()

    return check_text


def test_a_sound_file_is_summed_up(checked):
    assert checked("entries:\n  - 1\n  - 2\n") == (0, "some.yaml: 2 entries\n", "")


def test_a_file_that_cannot_be_used_fails_with_the_line(checked):
    code, said, refused = checked("entries:\n  - 1\n  - x\n")

    assert (code, said) == (1, "")
    assert refused.startswith("some.yaml:3: entries[1]: ")


def test_a_warning_names_its_line_and_fails_nothing(checked):
    assert checked("entries:\n  - 1\n  - 0\n") == (
        0,
        "some.yaml: 2 entries\n",
        "some.yaml:3: warning: is nothing\n",
    )


def test_a_warning_of_the_whole_file_names_no_line(checked):
    assert checked("entries: []\n") == (0, "some.yaml: 0 entries\n", "some.yaml: warning: says nothing\n")


@pytest.mark.parametrize("capability", [rotation, alerting, drift, provisioning], ids=lambda module: module.__name__)
def test_the_settings_that_are_shipped_are_sound(capability):
    assert capability.main([]) == 0


def test_keys_that_anybody_may_read_are_worth_a_warning(tmp_path, capsys):
    path = tmp_path / "rotation.yaml"
    path.write_text("secret_readers: []\n")

    assert rotation.main([str(path)]) == 0
    assert "rotation.yaml: warning: secret_readers is empty" in capsys.readouterr().err
