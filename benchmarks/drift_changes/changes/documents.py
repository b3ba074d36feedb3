"""Policies and principals that several changes speak of."""

from benchmarks.drift_changes.calls import allow, document

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
REPORTS = "arn:aws:s3:::reports/*"
READ = document(allow("s3:GetObject", on=REPORTS))
WRITE = document(allow("s3:PutObject", on=REPORTS))
READ_AND_WRITE = document(allow("s3:GetObject", "s3:PutObject", on=REPORTS))
READ_AND_DELETE = document(allow("s3:GetObject", "s3:DeleteObject", on=REPORTS))
ALL_OF_S3 = document(allow("s3:*"))
EC2 = {"Service": "ec2.amazonaws.com"}
PARTNER = "arn:aws:iam::999999999999:root"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
