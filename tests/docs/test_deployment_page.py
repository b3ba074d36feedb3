"""The page of the deployment has every parameter, output, alarm, metric and service; the README counts the alarms."""

import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from steward.observability import MINIMAL

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "deployment.md").read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    return parsed


def table(heading):
    """The cells of the rows of the table whose first column is called so, without their code marks."""
    (rows,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def logical_ids(template, kind):
    return {name for name, resource in template["Resources"].items() if resource["Type"] == kind}


def test_every_parameter_is_there_with_its_default(template):
    shown = {name.strip("`"): default.strip("`") for name, default, _ in table("parameter")}

    assert shown == {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}


def test_every_output_is_there(template):
    assert {name.strip("`") for name, _ in table("output")} == template["Outputs"].keys()


def test_every_alarm_is_there_and_names_its_runbook(template):
    alarms = logical_ids(template, "AWS::CloudWatch::Alarm")

    assert {name.strip("`") for name, _ in table("alarm")} == alarms
    for name in alarms:
        text, _ = template["Resources"][name]["Properties"]["AlarmDescription"]["Fn::Sub"]
        assert "${Runbook}" in text, name


def test_every_metric_is_there():
    sources = [path.read_text() for folder in ("functions", "layers/steward") for path in _modules(folder)]
    counted = {name for text in sources for name in re.findall(r'add_metric\("(\w+)"', text)}
    by_kind = {"SettingsUnusable", "UpstreamFailures"}

    assert {name for cells in table("metric") for name in re.findall(r"`(\w+)`", cells[0])} == counted | by_kind


def test_every_service_that_the_stack_touches_is_there(template):
    touched = {resource["Type"].split("::")[1] for resource in template["Resources"].values()} - {"Serverless"}

    assert touched <= {name for service, _ in table("service") for name in service.split(", ")}


def test_the_costs_count_the_alarms_that_there_are(template):
    there = len(logical_ids(template, "AWS::CloudWatch::Alarm"))
    everywhere = yaml_parse((PROJECT / "global-events.yaml").read_text())

    (counted,) = re.findall(r"CloudWatch alarms \| (\d+) ", README)

    assert int(counted) == there + len(logical_ids(everywhere, "AWS::CloudWatch::Alarm"))


def test_the_costs_count_the_metrics_that_there_are(template):
    counted = {}
    for capability in sorted(path.name for path in (PROJECT / "functions").iterdir() if path.is_dir()):
        text = "".join(path.read_text() for path in _modules(f"functions/{capability}"))
        own = set(re.findall(r'add_metric\("(\w+)"', text))
        counted[capability] = len(own) + (3 if "rest_api(" in text else 0)  # failures are counted for each API
    expressions = [
        resource["Properties"]["Metrics"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]

    assert re.findall(r"at most (\d+) of ours . 0.30", README) == [str(sum(counted.values()))]
    assert re.findall(r"the metrics are (\d+) . 0.30", README) == [str(len(MINIMAL))]
    assert [len(queries) for queries in expressions] == [3, 3]  # an expression is free, its two metrics are not
    assert "two watch a second metric" in README


def _modules(folder):
    return sorted((PROJECT / folder).rglob("*.py"))
