"""What a change of files does to IAM: the account's drift, answered before the change is deployed.

Each side of a change is read into an `policy_drift.domain.account.Account` and compared as the drift of an account is:
the same verdicts, severities, escalation paths and trust rules. Values that the files do not hold are opaque.
"""
