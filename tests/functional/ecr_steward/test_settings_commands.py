"""``steward settings``: a folder of settings, begun, shown and judged."""

import pytest

from ecr_steward.app import main


def test_a_new_folder_is_begun_and_can_be_used(tmp_path, capsys):
    folder = tmp_path / "our-steward"

    assert main(["settings", "init", str(folder)]) == 0
    assert main(["settings", "check", str(folder)]) == 0

    assert sorted(path.name for path in folder.iterdir()) == [".schemas", "house_rules.yaml"]
    assert f"{folder / 'house_rules.yaml'}: 1 rules for callers" in capsys.readouterr().out


def test_a_dry_run_of_a_beginning_writes_nothing(tmp_path, capsys):
    assert main(["settings", "init", str(tmp_path / "new"), "--dry-run"]) == 0
    assert not (tmp_path / "new").exists()
    assert "nothing was changed" in capsys.readouterr().err


def test_rules_that_are_there_are_never_replaced(tmp_path, capsys):
    (tmp_path / "house_rules.yaml").write_text("callers: []\n")

    assert main(["settings", "init", str(tmp_path)]) == 2
    assert (tmp_path / "house_rules.yaml").read_text() == "callers: []\n"
    assert "is there already. Check it: steward settings check" in capsys.readouterr().err


def test_a_mistake_is_named_with_file_and_line(tmp_path, capsys):
    (tmp_path / "rotation.yaml").write_text("times:\n  drain_days: soon\n")

    assert main(["settings", "check", str(tmp_path)]) == 1
    assert f"{tmp_path / 'rotation.yaml'}:2: " in capsys.readouterr().err


def test_values_are_shown_with_where_they_come_from(tmp_path, capsys):
    (tmp_path / "rotation.yaml").write_text("times:\n  drain_days: 10\n")

    assert main(["settings", "show", str(tmp_path)]) == 0

    (line,) = [line for line in capsys.readouterr().out.splitlines() if "drain_days" in line]
    assert line.split() == ["drain_days:", "10", "#", f"{tmp_path / 'rotation.yaml'}:2"]


@pytest.mark.parametrize("arguments", [["check"], ["show"], ["check", "/nowhere"]])
def test_an_older_python_says_which_one_it_needs(monkeypatch, arguments, capsys):
    monkeypatch.setattr("sys.version_info", (3, 11, 7))

    assert main(["settings", *arguments]) == 2
    error = capsys.readouterr().err
    assert "needs Python 3.13. Install the command" in error
    assert "RELEASE/ecr_steward-*.whl" in error  # a name alone would be looked up in a public registry
