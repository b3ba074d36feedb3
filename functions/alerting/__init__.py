"""Alerting: events that the capabilities publish on the bus become notifications.

Triggered by
    every event of ``steward.*`` on the bus, through a queue (``alerts_handler``); every few minutes for what waits in a
    flood, every week for the digest (``scheduled_alerts_handler``). Replayed events reach it by no rule.
May touch
    Its own DynamoDB table, its SNS topic; Security Hub, if the stack enables it. No other capability's table.
Publishes
    Nothing on the bus.
"""
