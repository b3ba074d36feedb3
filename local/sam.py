"""SAM CLI with the parser of libyaml.

SAM reads the template seven times in a deployment. PyYAML's own parser takes half of the deployment's time for it.
"""

import yaml

yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # before SAM adds the intrinsic functions to it

from samcli.cli.main import cli  # noqa: E402 - see above

if __name__ == "__main__":
    cli(prog_name="sam")
