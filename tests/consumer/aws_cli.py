"""Stand-ins for the AWS CLI: one that answers as told, and one that asks a real endpoint through boto3."""

import json
import stat
import sys
from textwrap import dedent

CANNED = """\
    #!{python}
    import json, os, sys, time
    from pathlib import Path

    told = json.loads(Path({told!r}).read_text())
    seen = {{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "ECR_STEWARD"))}}
    Path({calls!r}).open("a").write(json.dumps({{"arguments": sys.argv[1:], "environment": seen}}) + "\\n")
    print(told["output"])
    print(told["error"], file=sys.stderr)
    sys.exit(told["status"])
"""

REAL = """\
    #!{python}
    import argparse, sys
    import boto3, botocore.config, botocore.exceptions

    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["secretsmanager"])
    parser.add_argument("operation", choices=["get-secret-value"])
    parser.add_argument("--secret-id")
    parser.add_argument("--query", choices=["SecretString"])
    parser.add_argument("--output", choices=["text"])
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--cli-connect-timeout", type=int)
    parser.add_argument("--cli-read-timeout", type=int)
    options = parser.parse_args()
    session = boto3.Session(profile_name=options.profile, region_name=options.region)
    try:
        once = botocore.config.Config(retries={{"total_max_attempts": 1}})
        reply = session.client("secretsmanager", config=once).get_secret_value(SecretId=options.secret_id)
    except botocore.exceptions.ClientError as error:
        print(error, file=sys.stderr)
        sys.exit(254)
    except botocore.exceptions.BotoCoreError as error:
        print(error, file=sys.stderr)
        sys.exit(255)
    print(reply["SecretString"])
"""


class CannedCli:
    """An ``aws`` that answers as told, and remembers how it was called."""

    def __init__(self, folder):
        self.folder = folder
        self._told, self._calls = folder / "told.json", folder / "calls.jsonl"
        install(folder, CANNED, told=str(self._told), calls=str(self._calls))

    def answers(self, output="", status=0, error=""):
        self._told.write_text(json.dumps({"output": output, "status": status, "error": error}))

    @property
    def calls(self):
        return [json.loads(line) for line in self._calls.read_text().splitlines()] if self._calls.exists() else []


def install(folder, code, **values):
    """Write an executable ``aws`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / "aws"
    executable.write_text(dedent(code).format(python=sys.executable, **values))
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
