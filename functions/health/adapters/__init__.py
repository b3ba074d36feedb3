"""The ports on boto3."""
