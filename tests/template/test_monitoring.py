"""What people watch: alarms that mean something, a dashboard of metrics that exist, queries over logs that exist."""

import json
import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from steward.observability import MINIMAL, NAMESPACE
from tests.published_events import NAMES, golden_event
from tests.template.reading import of_type

PROJECT = Path(__file__).parents[2]
FREE_METRICS = 50
"""A dashboard with more metrics costs 3 USD a month: https://aws.amazon.com/cloudwatch/pricing/"""
WHAT_TO_DO = "[What to do when an alarm comes](https://git.example.com/docs/runbooks/README.md)"


@pytest.fixture
def alarms(resources):
    return of_type(resources, "AWS::CloudWatch::Alarm")


def metrics_of(alarm):
    """Namespace, name and dimensions of all that an alarm watches."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in stats or [alarm]:
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def dashboard_of(source, **values):
    """The dashboard as CloudWatch gets it, with names in the place of what CloudFormation knows."""
    text, links = source["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    known = {"WhatToDo": WHAT_TO_DO, "SilenceAlarms": "", **values}

    def value(match):
        return str(known.get(match[1], match[1]))

    assert links.keys() == {"WhatToDo", "SilenceAlarms"}
    return json.loads(re.sub(r"\$\{([\w.:]+)\}", value, text))


def test_every_alarm_says_when_it_begins_and_when_it_is_over(alarms):
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name


def test_no_alarm_is_raised_by_metrics_that_do_not_exist_yet(alarms):
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", name


@pytest.mark.parametrize(
    ("alarm", "watched", "hours"),
    [("RotationPlannerAlarm", "UsersDue", 3), ("DriftScanAlarm", "DriftScansCompleted", 13)],
)
def test_silence_counts_only_in_hours_in_which_the_stack_existed(alarms, alarm, watched, hours):
    own, existence = (metric for metric in metrics_of(alarms[alarm]))
    (expression,) = (query["Expression"] for query in alarms[alarm]["Metrics"] if "Expression" in query)
    names = {query["Id"] for query in alarms[alarm]["Metrics"]}

    assert (own[1], alarms[alarm]["EvaluationPeriods"]) == (watched, hours)
    assert existence[2] == {"QueueName": {"Fn::GetAtt": ["AlertQueue", "QueueName"]}}
    assert re.fullmatch(r"IF\(FILL\(exists, 0\) > 0 AND FILL\((\w+), 0\) < 1, 1, 0\)", expression)[1] in names


def test_the_queue_that_shows_that_the_stack_exists_is_polled_always(resources):
    mapping = resources["AlertQueueMapping"]

    assert mapping.get("Condition") is None
    assert mapping["Properties"].get("Enabled", True) is True


def test_every_alarm_of_ours_watches_one_stack_and_a_metric_that_our_code_emits(alarms):
    watched = [metric for alarm in alarms.values() for metric in metrics_of(alarm) if metric[0] == NAMESPACE]

    assert {name for _, name, _ in watched} == MINIMAL
    for _, _, dimensions in watched:
        assert dimensions.keys() == {"service", "stack"}
        assert dimensions["stack"] == {"Ref": "AWS::StackName"}


def test_minimal_monitoring_emits_what_alarms_watch_and_our_code_emits_all_of_it():
    code = "".join(path.read_text() for path in (PROJECT / "functions").rglob("*.py"))

    assert {name for name in MINIMAL if f'add_metric("{name}"' not in code} == set()


@pytest.fixture
def descriptions(alarms):
    """Of every alarm: the text that CloudFormation fills in, and the links."""
    forwarding = yaml_parse((PROJECT / "global-events.yaml").read_text())["Resources"]
    every = alarms | of_type(forwarding, "AWS::CloudWatch::Alarm")
    return {name: alarm["AlarmDescription"]["Fn::Sub"] for name, alarm in every.items()}


def test_the_descriptions_of_alarms_fit_and_have_their_links(descriptions):
    for name, (text, links) in descriptions.items():
        assert links.keys() <= set(re.findall(r"\$\{(\w+)\}", text)), name
        assert len(text) + 500 <= 1024, name


def test_every_alarm_has_a_command_and_the_name_of_its_runbook_where_no_documentation_can_be_linked(descriptions):
    """The command is one of that runbook's; tests/pages run it as a person on call."""
    for name, (text, links) in descriptions.items():
        command = re.search(r"^First: (?:for .+; do )?(aws \w+ [a-z-]+) ", text, re.MULTILINE)[1]
        runbook = re.search(r"^What to do: \$\{Runbook\}([a-z-]+)\$\{Page\}$", text, re.MULTILINE)[1]
        page = (PROJECT / "docs" / "runbooks" / f"{runbook}.md").read_text()

        assert command in page, name
        assert links["Runbook"]["Fn::If"] == [
            "WithDocumentation",
            {"Fn::Sub": "${DocumentationUrl}/runbooks/"},
            "runbook ",
        ]
        assert links["Page"]["Fn::If"] == ["WithDocumentation", ".md", ""]


def test_the_dashboard_shows_metrics_that_exist(source):
    rows = [
        row
        for widget in dashboard_of(source)["widgets"]
        for row in widget["properties"].get("metrics", [])
        if isinstance(row[0], str)
    ]
    code = "".join(path.read_text() for part in ("functions", "layers") for path in (PROJECT / part).rglob("*.py"))
    ours = [row for row in rows if row[0] == NAMESPACE]

    assert len(ours) > 20
    for row in ours:
        assert f'"{row[1]}"' in code, row
        assert (row[2], row[4:6]) == ("service", ["stack", "AWS::StackName"]), row
    assert len(rows) < FREE_METRICS


def test_the_dashboard_shows_every_alarm(source, alarms):
    text, links = source["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    assert set(re.findall(r"\$\{(\w+)\.Arn\}", text + json.dumps(links))) == alarms.keys()


def test_no_two_widgets_of_the_dashboard_overlap(source):
    cells = [
        (x, y)
        for widget in dashboard_of(source)["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_saved_queries_read_log_groups_of_the_stack_and_members_that_events_have(resources):
    members = {f"detail.data.{name}" for event in map(golden_event, NAMES) for name in event["detail"]["data"]}
    queries = of_type(resources, "AWS::Logs::QueryDefinition")

    assert len(queries) > 5
    for name, query in queries.items():
        for group in query["LogGroupNames"]:
            assert resources[group["Ref"]]["Type"] == "AWS::Logs::LogGroup", name
        assert set(re.findall(r"detail\.data\.\w+", query["QueryString"])) <= members, name


def test_the_queries_of_requests_read_the_log_of_every_function_that_answers_requests(resources):
    answering = {
        function["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        if "rest_api(" in (PROJECT / "functions" / handler_file(function["Handler"])).read_text()
    }
    queries = of_type(resources, "AWS::Logs::QueryDefinition")

    for name in ("FailedRequestsQuery", "CallersQuery"):
        assert {group["Ref"] for group in queries[name]["LogGroupNames"]} == answering, name


def handler_file(handler):
    """The file of a handler: `a.b.handle` is in `a/b.py`."""
    return handler.rpartition(".")[0].replace(".", "/") + ".py"


def test_every_saved_query_stands_in_a_runbook_and_every_one_there_exists(source):
    saved = {
        query["Properties"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}/")
        for query in source["Resources"].values()
        if query["Type"] == "AWS::Logs::QueryDefinition"
    }
    pages = "".join(page.read_text() for page in (PROJECT / "docs" / "runbooks").glob("*.md"))

    assert set(re.findall(r"saved query \*([^*]+)\*", pages)) == saved


def test_minimal_monitoring_leaves_the_dashboard_and_the_queries_out(source):
    kinds = {"AWS::CloudWatch::Dashboard": "WithDashboard", "AWS::Logs::QueryDefinition": "WithSavedQueries"}

    for name, resource in source["Resources"].items():
        assert resource.get("Condition") == kinds.get(resource["Type"], resource.get("Condition")), name
