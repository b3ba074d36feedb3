"""The command that checks a settings file: what it prints, and where, and how it ends."""

import sys
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import yaml

from access_key_rotation import check_settings as rotation
from alerting import check_settings as alerting
from policy_drift import check_settings as drift
from repository_provisioning import check_settings as provisioning
from steward.check_settings import SettingsFile, check


@dataclass(frozen=True)
class Times:
    RENAMED: ClassVar = {"finish": "end"}

    start: int = 1
    end: int = 9


@dataclass(frozen=True)
class Settings:
    times: Times = field(default_factory=Times)
    entries: tuple[int, ...] = ()

    def warnings(self):
        yield from ((("entries", index), "is nothing") for index, entry in enumerate(self.entries) if entry == 0)
        if not self.entries:
            yield (), "says nothing"


SOME = SettingsFile(
    name="some.yaml",
    what="some settings",
    into=Settings,
    summary=lambda wanted: f"{len(wanted.entries)} entries",
    warnings=Settings.warnings,
)


@pytest.fixture
def checked(tmp_path, capsys, monkeypatch):
    """Writes a file into an operator's folder and checks it: the exit code, standard output, and standard error."""
    package = tmp_path / "layer" / "settings"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "some.yaml").write_text("times: {start: 5}\nentries: [7]\n")
    monkeypatch.syspath_prepend(package.parent)
    sys.modules.pop("settings", None)
    monkeypatch.chdir(tmp_path)

    def check_text(text, name="some.yaml", *options):
        (tmp_path / name).write_text(text)
        code = check([".", *options], SOME)
        return code, *capsys.readouterr()

    yield check_text
    del sys.modules["settings"]


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


def test_an_old_name_of_a_key_is_a_warning_with_its_line(checked):
    assert checked("entries: []\ntimes:\n  finish: 3\n")[2].splitlines()[0] == (
        "some.yaml:3: warning: finish is now called end; the old name still works"
    )


def test_a_file_that_nothing_reads_is_refused(checked):
    code, _, refused = checked("entries: []\n", "sone.yaml")

    assert (code, refused) == (1, "sone.yaml: is no settings file; they are some.yaml\n")


def test_a_folder_that_is_not_there_is_refused(capsys):
    assert check(["nowhere"], SOME) == 1
    assert capsys.readouterr().err == "nowhere: is no folder; SETTINGS is the folder of your own settings files\n"


def test_each_value_is_shown_with_the_place_that_it_comes_from(checked):
    _, shown, _ = checked("# ours\ntimes:\n  end: 3\n", "some.yaml", "--show")

    assert [line.split(maxsplit=1)[0] + " " + line.split("# ")[1] for line in shown.splitlines() if "# " in line] == [
        "# some.yaml",
        "start: some.yaml:1",
        "end: some.yaml:3",
        "entries: some.yaml:2",
    ]
    assert yaml.safe_load(shown) == {"times": {"start": 5, "end": 3}, "entries": [7]}


@pytest.mark.parametrize("capability", [rotation, alerting, drift, provisioning], ids=lambda module: module.__name__)
def test_the_settings_that_are_shipped_are_sound(capability):
    assert capability.main([]) == 0


def test_keys_that_anybody_may_read_are_worth_a_warning(tmp_path, capsys):
    (tmp_path / "rotation.yaml").write_text("secret_readers: []\n")

    assert rotation.main([str(tmp_path)]) == 0
    assert "rotation.yaml: warning: secret_readers is empty" in capsys.readouterr().err
