"""Alerting: events that the capabilities publish on the bus become alerts that people and programs read.

Triggered by
    every event of ``steward.*`` on the bus, through a queue (``send_alert_handler``); every few minutes for the summary
    of a flood, every week for the digest (``send_scheduled_alerts_handler``). No rule sends it replayed events.
May touch
    Its own DynamoDB table, its SNS topic; Security Hub and a webhook, if the stack has them. No other capability's
    table.
Publishes
    Nothing on the bus.
"""
