"""Write ``integrations/terraform/variables.tf``: a variable for each parameter of the template, with its constraints.

python scripts/terraform_variables.py
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[1]
TARGET = PROJECT / "integrations" / "terraform" / "variables.tf"
NOT_OFFERED = {"Platform", "Architecture"}
"""One is for the laptop, the other is what the package was made for."""
_TYPES = {"Number": "number", "CommaDelimitedList": "list(string)"}

OWN = """\
variable "package" {
  description = "The folder that `steward package` wrote: a release for one architecture, completed with your settings."
  type        = string
}

variable "bucket" {
  description = "Your bucket, in the region of the stack, for what is deployed."
  type        = string
}

variable "stack_name" {
  description = "The name of the stack."
  type        = string
  default     = "ecr-steward"
}

variable "prefix" {
  description = "The beginning of the keys in the bucket."
  type        = string
  default     = "ecr-steward"
}
"""


def snake(name: str) -> str:
    """The name of the variable of a parameter."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def parameters() -> dict[str, dict[str, Any]]:
    """The parameters of the template that the module offers."""
    body = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
    return {name: one for name, one in body["Parameters"].items() if name not in NOT_OFFERED}


def written() -> str:
    """The text of the file."""
    blocks = [OWN.rstrip("\n"), *("\n".join(_variable(name, one)) for name, one in sorted(parameters().items()))]
    head = "# Made by scripts/terraform_variables.py of the template's parameters. null is the template's default.\n\n"
    return head + "\n\n".join(blocks) + "\n"


def _variable(name: str, parameter: dict[str, Any]) -> Iterator[str]:
    description = " ".join(str(parameter.get("Description", name)).split())
    yield f'variable "{snake(name)}" {{'
    yield f"  description = {json.dumps(description)}"
    yield f"  type        = {_TYPES.get(parameter['Type'], 'string')}"
    yield "  default     = null"
    if allowed := parameter.get("AllowedValues"):
        values = [str(one).lower() if isinstance(one, bool) else str(one) for one in allowed]
        yield ""
        yield "  validation {"
        is_allowed = f"contains({json.dumps(values)}, var.{snake(name)})"
        yield f"    condition     = var.{snake(name)} == null ? true : {is_allowed}"
        yield f'    error_message = "{snake(name)} is one of {", ".join(values)}."'
        yield "  }"
    yield "}"


def main() -> int:
    """Write the file."""
    TARGET.write_text(written(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
