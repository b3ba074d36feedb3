"""The small stack of us-east-1: it forwards two kinds of event to one bus, and may do nothing else."""

import json
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.reading import of_type

TEMPLATE = Path(__file__).parents[2] / "global-events.yaml"
HOME = {"Fn::Sub": "arn:${AWS::Partition}:events:${HomeRegion}:${AWS::AccountId}:event-bus/${BusName}"}


@pytest.fixture(scope="module")
def template():
    return yaml_parse(TEMPLATE.read_text())


@pytest.fixture(scope="module")
def resources(template):
    return template["Resources"]


def test_every_rule_forwards_to_the_bus_of_the_home_region_and_loses_nothing(resources):
    rules = of_type(resources, "AWS::Events::Rule")

    assert rules.keys() == {"IamChanges", "ExposedKeys"}
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["Arn"] == HOME
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86400


def test_every_rule_names_a_source_that_only_aws_can_use(resources):
    for rule in of_type(resources, "AWS::Events::Rule").values():
        assert all(source.startswith("aws.") for source in rule["EventPattern"]["source"])


def test_what_is_forwarded_of_exposed_keys_is_what_the_home_region_waits_for(resources, source):
    forwarded = resources["ExposedKeys"]["Properties"]["EventPattern"]["detail"]
    awaited = source["Resources"]["ExposedKeyRule"]["Properties"]["EventPattern"]["detail"]

    assert forwarded == awaited


def test_the_name_of_a_bus_is_the_same_in_both_templates(template, source):
    here, home = template["Parameters"]["BusName"], source["Parameters"]["BusName"]

    assert (here["Default"], here["AllowedPattern"]) == (home["Default"], home["AllowedPattern"])


def test_the_role_puts_events_on_one_bus_for_rules_of_this_stack(resources):
    (role,) = of_type(resources, "AWS::IAM::Role").values()
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = role["Policies"]

    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": HOME}
    ]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"].keys() == {"StringEquals", "ArnLike"}


def test_dead_letters_raise_an_alarm_that_cloudwatch_may_deliver(resources):
    (alarm,) = of_type(resources, "AWS::CloudWatch::Alarm").values()

    assert "DeadLetters" in json.dumps(alarm["Dimensions"])
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert "KmsMasterKeyId" not in resources["AlarmTopic"].get("Properties", {})


def test_it_is_refused_where_it_is_not_needed(template):
    (assertion,) = template["Rules"]["HomeIsElsewhere"]["Assertions"]

    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "HomeRegion"}, "us-east-1"]}]}
