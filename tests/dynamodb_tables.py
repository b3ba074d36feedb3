"""Tables as ``template.yaml`` makes them, on moto's DynamoDB."""


def create_table(dynamodb, name, *, sort_key=None):
    """A table whose key is ``id``, alone or with a sort key; both are texts. Returns its name."""
    kinds = {"id": "HASH"} | ({sort_key: "RANGE"} if sort_key else {})
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in kinds],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds.items()],
    )
    return name
