"""The command ``aws`` for the local AWS: the installed one, with its endpoint.

Versions before 2.13 and 1.29 do not read ``AWS_ENDPOINT_URL``, and would call AWS.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.workspace import Workspace

_SCRIPT = """#!/bin/sh
# Runs the installed AWS CLI against AWS_ENDPOINT_URL, which versions before 2.13 and 1.29 ignore: they would call AWS.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
others=
IFS=:
for folder in $PATH; do
  [ "$folder" = "$here" ] || others="$others${others:+:}$folder"
done
unset IFS
PATH=$others # without this folder: a shim, such as pyenv's, looks for the command itself and would come back here
command -v aws >/dev/null && case " $* " in
  *" --endpoint-url "* | *" --endpoint-url="*) exec aws "$@" ;;
  *) exec aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@" ;;
esac
echo "The AWS CLI is not installed: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html" >&2
exit 127
"""


def write_aws_wrapper(workspace: "Workspace") -> None:
    """Write the wrapper into the folder that the environment file puts on PATH."""
    path = workspace.commands / "aws"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_SCRIPT)
    path.chmod(0o755)
