"""Stand-ins for the AWS CLI: one that answers as told, and one that asks a real endpoint through boto3."""

import json
import stat
import sys
from textwrap import dedent

CANNED = """\
    #!{python}
    import json, os, subprocess, sys
    from pathlib import Path

    seen = {{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "ECR_STEWARD"))}}
    with Path({calls!r}).open("a") as calls:
        calls.write(json.dumps({{"arguments": sys.argv[1:], "environment": seen}}) + "\\n")
    if len(Path({calls!r}).read_text().splitlines()) > 20:
        sys.exit("an endless chain")
    answers = json.loads(Path({answers!r}).read_text())
    profile = sys.argv[sys.argv.index("--profile") + 1] if "--profile" in sys.argv else ""
    answer = answers.get(profile, answers[""])
    if answer["served_by"]:
        served = subprocess.run(answer["served_by"], capture_output=True)
        sys.stderr.buffer.write(served.stderr)
        if served.returncode:
            sys.exit(served.returncode)
    if sys.argv[1] == "sts":
        print(answer["account"] or "")
        sys.exit(0 if answer["account"] else 255)
    sys.stdout.buffer.write(answer["output"].encode("latin-1") + b"\\n")
    sys.stderr.buffer.write(answer["error"].encode("latin-1") + b"\\n")
    sys.exit(answer["status"])
"""

REAL = """\
    #!{python}
    import argparse, sys
    import boto3, botocore.config, botocore.exceptions

    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["secretsmanager", "sts"])
    parser.add_argument("operation", choices=["get-secret-value", "get-caller-identity"])
    parser.add_argument("--secret-id")
    parser.add_argument("--query", choices=["SecretString", "[ARN, SecretString]", "Account"])
    parser.add_argument("--output", choices=["text"])
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--cli-connect-timeout", type=int)
    parser.add_argument("--cli-read-timeout", type=int)
    options = parser.parse_args()
    session = boto3.Session(profile_name=options.profile, region_name=options.region)
    try:
        once = botocore.config.Config(retries={{"total_max_attempts": 1}})
        client = session.client(options.service, config=once)
        wanted = {{"SecretId": options.secret_id}} if options.service == "secretsmanager" else {{}}
        reply = getattr(client, options.operation.replace("-", "_"))(**wanted)
    except botocore.exceptions.ClientError as error:
        print(error, file=sys.stderr)
        sys.exit(254)
    except botocore.exceptions.BotoCoreError as error:
        print(error, file=sys.stderr)
        sys.exit(255)
    print(*(reply[part] for part in options.query.strip("[]").split(", ")), sep="\\t")
"""


class CannedCli:
    """An ``aws`` that gives set answers, and remembers how it was called."""

    def __init__(self, folder):
        self.folder = folder
        self._set = {}
        self._answers, self._calls = folder / "answers.json", folder / "calls.jsonl"
        install(folder, CANNED, answers=str(self._answers), calls=str(self._calls))

    def answers(self, output="", status=0, error="", account="", profile="", served_by=()):
        """Set the answer to every call, or to those with a profile.

        ``account`` is what STS says; it does not answer without. ``served_by`` is the profile's ``credential_process``.
        """
        self._set[profile] = {
            "output": output,
            "status": status,
            "error": error,
            "account": account,
            "served_by": [str(part) for part in served_by],
        }
        self._answers.write_text(json.dumps(self._set))

    def forget_calls(self):
        self._calls.unlink(missing_ok=True)

    @property
    def calls(self):
        return [json.loads(line) for line in self._calls.read_text().splitlines()] if self._calls.exists() else []


def install(folder, code, **values):
    """Write an executable ``aws`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / "aws"
    executable.write_text(dedent(code).format(python=sys.executable, **values))
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
