"""SAM CLI with the parser of libyaml.

SAM reads the template seven times in a deployment. PyYAML's own parser takes half of the deployment's time for it.
"""

import yaml

yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[misc] # before SAM adds functions to it

from samcli.cli.main import cli  # type: ignore[import-not-found] # noqa: E402

if __name__ == "__main__":
    cli(prog_name="sam")
