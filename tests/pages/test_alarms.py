"""The first command of every alarm's description works for a person on call, with no other help than the alarm."""

import re

from tests.local.aws.launched import REGION
from tests.pages.shell import Shell, needs_aws_cli


def first_commands(aws):
    """The name of each alarm, and the command that its description has."""
    alarms = [
        alarm
        for region in (REGION, "us-east-1")
        for alarm in aws.client("cloudwatch", region=region).describe_alarms()["MetricAlarms"]
    ]
    return {
        each["AlarmName"]: re.search(r"^First: (.+)$", each["AlarmDescription"], re.MULTILINE)[1] for each in alarms
    }


@needs_aws_cli
def test_the_first_command_of_every_alarm_works_as_it_stands_there(world, stack, cli_folder, tmp_path):
    shell = Shell(
        tmp_path,
        {
            "PATH": f"{stack.folder / '.local' / 'bin'}:{cli_folder}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": stack.variables["AWS_ENDPOINT_URL"],
        },
    )
    commands = first_commands(stack.aws)

    assert len(commands) > 8
    for alarm, command in commands.items():
        done = shell.run(command, world.people["on call, repair"])
        assert done.status == 0, f"{alarm}\n{command}\n{done.shown[-1000:]}"
