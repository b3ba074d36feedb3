"""``python -m iam_policy``: what it prints and how it exits."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from iam_policy.__main__ import main

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
FUNCTIONS = Path(__file__).parents[3] / "layers"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "baseline.json", tmp_path / "live.json"


def write(path: Path, *statements: dict[str, object]) -> None:
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}), encoding="utf-8")


def run(files: tuple[Path, Path], *options: str) -> int:
    return main([*map(str, files), *options])


def test_the_same_access_exits_with_0(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW | {"Sid": "Renamed", "Action": ["s3:getobject"]})

    assert run(files) == 0
    assert capsys.readouterr().out == "EQUIVALENT: Both allow exactly the same requests.\n"


def test_changed_access_exits_with_1_and_prints_the_requests_in_words(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write(files[0], ALLOW)
    live = {"Action": "s3:PutObject", "Principal": {"Service": "ec2.amazonaws.com"}}
    write(files[1], ALLOW | live | {"Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["t"]}}})

    assert run(files) == 1
    assert capsys.readouterr().out.splitlines() == [
        "INCOMPARABLE: Live allows requests that baseline does not, and the other way round.",
        "Added: s3:PutObject (write) on arn:aws:s3:::bucket/* by ec2.amazonaws.com, if one value of aws:tagkeys is t.",
        "Removed: s3:GetObject (read) on arn:aws:s3:::bucket/*.",
        "Newly allowed: ec2.amazonaws.com calls s3:PutObject on arn:aws:s3:::bucket/example, with aws:tagkeys = 't'.",
        "No longer allowed: s3:GetObject on arn:aws:s3:::bucket/example.",
    ]


def test_a_difference_in_actions_to_come_says_so(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW, ALLOW | {"Action": "example:DoThis"})

    assert run(files) == 1
    assert (
        "example:dothis on arn:aws:s3:::bucket/example (an action that is not known today)." in capsys.readouterr().out
    )


def test_json_has_the_same_for_machines(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW, ALLOW | {"Action": "s3:PutObject", "Condition": {"Bool": {"aws:SecureTransport": "true"}}})

    assert run(files, "--format", "json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "verdict": "BROADENED",
        "added": ["s3:PutObject (write) on arn:aws:s3:::bucket/*, if aws:securetransport is true"],
        "removed": [],
        "newly_allowed": [
            {
                "principal": None,
                "action": "s3:PutObject",
                "resource": "arn:aws:s3:::bucket/example",
                "context": {"aws:securetransport": "true"},
                "future_only": False,
            }
        ],
        "newly_denied": [],
        "reason": "",
    }


def test_an_array_of_documents_is_read_together(files: tuple[Path, Path]) -> None:
    files[0].write_text(
        "\ufeff" + json.dumps([{"Statement": ALLOW}, {"Statement": ALLOW | {"Action": "iam:*"}}]), "utf-8"
    )
    write(files[1], ALLOW, ALLOW | {"Action": "iam:*"})

    assert run(files) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Statement": []}', "/Statement: an empty list; allowed: one statement or more"),
        ('[{"Statement": [], "Statement": []}]', "/0/Statement: key 'Statement' occurs twice"),
        ("nothing", "document: not JSON"),
        ("7", "document: JSON number"),
        ("[7]", "document: int is no policy document"),
    ],
)
def test_a_malformed_file_exits_with_2_and_names_the_place(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    files[0].write_text(text, encoding="utf-8")
    write(files[1], ALLOW)

    assert run(files) == 2
    assert capsys.readouterr().err.startswith(f"{files[0]}: {message}")


def test_a_document_with_an_action_that_matches_nothing_exits_with_2_and_says_so(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW | {"Action": "s3:Get* "})

    assert run(files) == 2
    expected = f"{files[1]}: /Statement/0/Action: action 's3:Get* ' is malformed; it matches no action\n"
    assert capsys.readouterr() == ("", expected)


def test_what_a_document_says_does_not_steer_the_terminal(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = "\x1b[2J\n\u202e"
    statement = {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"arn:aws:s3:::{hidden}*"}
    documents = ([], [{"Statement": statement}]), ([], [{"Statement": statement | {hidden: 1}}])

    for before, now in documents:
        files[0].write_text(json.dumps(before))
        files[1].write_text(json.dumps(now))
        main([*map(str, files)])

        said = capsys.readouterr()
        assert all(line.isprintable() for line in (said.out + said.err).splitlines())
        assert "2J" in said.out + said.err


def test_a_file_that_is_not_there_exits_with_2(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    write(files[0], ALLOW)

    assert run(files) == 2
    assert "live.json" in capsys.readouterr().err


def test_a_file_that_is_no_text_exits_with_2(files: tuple[Path, Path]) -> None:
    write(files[0], ALLOW)
    files[1].write_bytes(b"\xff\xfe\xff")

    assert run(files) == 2


def test_what_cannot_be_decided_exits_with_1_and_the_reason(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    home = ALLOW | {"Resource": "arn:aws:s3:::bucket/${aws:username}--"}
    write(files[0], home)
    write(files[1], home, {**ALLOW, "Effect": "Deny", "Resource": "arn:aws:s3:::bucket/-${aws:username}"})

    assert run(files) == 1
    expected = "Reason: not decided for every value of ${aws:username}, at action s3:getobject."
    assert expected in capsys.readouterr().out


def test_it_runs_as_a_module(files: tuple[Path, Path]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW)
    command = [sys.executable, "-m", "iam_policy", *map(str, files)]

    assert subprocess.run(command, cwd=FUNCTIONS, check=False, capture_output=True).returncode == 0


def written(files: tuple[Path, Path], redirected: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command run by a shell, with its output redirected."""
    command = [sys.executable, "-m", "iam_policy", *map(str, files)]
    return subprocess.run(  # noqa: S602 - what is run is written here
        f"{shlex.join(command)} {redirected}",
        shell=True,
        executable="/bin/bash",
        cwd=FUNCTIONS,
        env=os.environ | environment,
        check=False,
        capture_output=True,
    )


@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-", "> /dev/full 2>&1", ">&- 2>&-"])
def test_an_answer_that_could_not_be_written_exits_with_2(files: tuple[Path, Path], redirected: str) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW | {"Action": "s3:*"})

    assert written(files, redirected).returncode == 2


def test_a_reader_that_has_left_is_an_error(files: tuple[Path, Path]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW | {"Action": "s3:*"})
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "iam_policy", *map(str, files)]

    result = subprocess.run(command, cwd=FUNCTIONS, check=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)

    assert result.returncode == 2
    assert b"could not be written" in result.stderr


def test_letters_that_the_terminal_does_not_take_are_escaped(files: tuple[Path, Path]) -> None:
    write(files[0], ALLOW)
    write(files[1], ALLOW, ALLOW | {"Resource": "arn:aws:s3:::é"})

    result = written(files, "", PYTHONIOENCODING="ascii")

    assert result.returncode == 1
    assert b"arn:aws:s3:::\\xe9" in result.stdout


def test_a_path_that_is_none_exits_with_2(files: tuple[Path, Path]) -> None:
    assert main(["\0", str(files[1])]) == 2
