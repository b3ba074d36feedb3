"""Alerting: events that the capabilities publish on the bus become notifications.

Triggered by
    every event of ``steward.*`` on the bus, through a queue (``alerts_handler``); every few minutes for alerts that
    wait in a flood, every week for the digest (``scheduled_alerts_handler``). No rule sends it replayed events.
May touch
    Its own DynamoDB table, its SNS topic; Security Hub, if the stack enables it. No other capability's table.
Publishes
    Nothing on the bus.
"""
