"""``steward alerts``: whether alerts reach people."""

from typing import Annotated, Any

import typer

from ecr_steward.commands.context import DryRun, note, options_of, show, would
from ecr_steward.errors import CommandError

app = typer.Typer(help="Alerts, by mail, chat and webhook.", no_args_is_help=True)


@app.callback()
def alerts() -> None:
    """Alerts, by mail, chat and webhook."""


@app.command("test", epilog="Example: steward alerts test --dry-run")
def send_test(
    context: typer.Context,
    bus: Annotated[str, typer.Option(help="The event bus: the stack's output BusName.")] = "steward",
    dry_run: DryRun = False,
) -> None:
    """Send a test alert the way of a real one, through bus, routes and topic; it says that it is a test."""
    from ecr_steward.api import calling_aws, session_of

    event = {"EventBusName": bus, "Source": "steward-test", "DetailType": "TestAlertRequested", "Detail": "{}"}
    if dry_run:
        would(context, f"put this event on the bus {bus}", event)
        return
    client: Any
    options = options_of(context)
    remedy = "Attach the stack's OperatorPolicyArn to your identity, and give its output BusName as --bus"
    with calling_aws(f"the bus {bus} takes no test alert", remedy):
        client = session_of(options).create_client("events", region_name=options.region or None)
        (put,) = client.put_events(Entries=[event])["Entries"]
    if put.get("ErrorCode"):
        raise CommandError(f"the bus {bus} takes no test alert: {put['ErrorCode']}: {put.get('ErrorMessage')}", remedy)
    show(context, {"event_id": put["EventId"], "bus": bus})
    note("sent: within a minute, mail and chat have an alert that ends with this id. If not, see: steward doctor")
