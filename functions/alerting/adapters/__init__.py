"""The domain's ports, on boto3: one module per service, each taking its client and translating its errors."""
