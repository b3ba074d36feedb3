"""What ``openapi.json`` says of the operators' API is what the template routes."""

import json
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[3]
CONTRACT = json.loads((PROJECT / "functions" / "policy_drift" / "openapi.json").read_text())


def test_every_route_of_the_template_is_in_the_contract_and_no_other():
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    events = template["Resources"]["DriftApi"]["Properties"]["Events"].values()

    routed = {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events}
    told = {(method, path) for path, item in CONTRACT["paths"].items() for method in item}
    assert routed == told
