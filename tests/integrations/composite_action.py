"""Runs composite actions of GitHub as a runner does: inputs, conditions, outputs, summary, and the real scripts."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_WORD = re.compile(r"'[^']*'|&&|\|\||==|!=|!|[A-Za-z_][\w.-]*")


@dataclass
class Run:
    """What a run of an action left."""

    code: int
    outputs: dict[str, str]
    printed: str
    summary: str
    uploads: list[dict[str, str]] = field(default_factory=list)


class CompositeAction:
    """One ``action.yml`` of ``integrations/github``."""

    def __init__(self, name):
        self.folder = PROJECT / "integrations" / "github" / name
        self.document = yaml.safe_load((self.folder / "action.yml").read_text(encoding="utf-8"))

    @property
    def steps(self):
        return self.document["runs"]["steps"]

    def run(self, workspace, temp, inputs, environment, event=None):
        """Run all steps in a folder, as a job would with this event; the environment is the runner's."""
        given = {name: str(one.get("default", "")) for name, one in self.document["inputs"].items()} | inputs
        facts = {"github": {"event": event or {}, "token": "job-token"}, "runner": {"temp": str(temp)}, "steps": {}}
        facts["inputs"] = {name: _filled(value, facts) for name, value in given.items()}
        summary, uploads, printed, code = temp / "summary.md", [], "", 0
        for step in self.steps:
            if code or ("if" in step and not _value(step["if"], facts)):
                continue
            if "uses" in step:
                uploads.append({name: _filled(value, facts) for name, value in step["with"].items()})
                continue
            output = temp / "output"
            output.write_text("")
            own = {name: _filled(value, facts) for name, value in step.get("env", {}).items()}
            runner = {"GITHUB_ACTION_PATH": self.folder, "GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # noqa: S607
                cwd=workspace,
                env={**environment, **own, **{name: str(value) for name, value in runner.items()}},
                capture_output=True,
                text=True,
                check=False,
            )
            printed += done.stdout + done.stderr
            code = done.returncode
            if "id" in step:
                facts["steps"][step["id"]] = {"outputs": _outputs(output.read_text())}
        outputs = {name: _filled(one["value"], facts) for name, one in self.document["outputs"].items()}
        return Run(code, outputs, printed, summary.read_text() if summary.exists() else "", uploads)


def runner_environment(python, **more):
    """What a runner has: a path, a home, and here an interpreter that has the dependencies already."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "STEWARD_PYTHON": python, **more}


def _filled(text, facts):
    return _EXPRESSION.sub(lambda found: str(_value(found[1], facts) or ""), str(text))


def _value(expression, facts):
    """An expression of names, texts, comparisons and connectives; a name that is not there is empty."""
    names = {"&&": " and ", "||": " or ", "!": " not "}
    words = [
        word if word[0] in "'=" or word == "!=" else names.get(word) or repr(_looked_up(word, facts))
        for word in _WORD.findall(expression)
    ]
    assert "".join(_WORD.findall(expression)) == re.sub(r"\s", "", expression), f"not understood: {expression}"
    return eval(" ".join(words), {"__builtins__": {}})  # noqa: S307 - the project's own file, word by word


def _looked_up(name, facts):
    for part in name.split("."):
        facts = facts.get(part, "") if isinstance(facts, dict) else ""
    return facts


def _outputs(text):
    found = dict(re.findall(r"^([\w-]+)=(.*)$", text, re.MULTILINE))
    several_lines = re.compile(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", re.MULTILINE | re.DOTALL)
    return found | {name: body for name, _, body in several_lines.findall(text)}
