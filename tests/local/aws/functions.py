"""Functions that the tests deploy: their code is a text, their role is their own."""

import io
import zipfile

from tests.local.aws.launched import policy

TRUST = policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})


def deploy_function(aws, name, code, *statements):
    """The ARN of a new function, whose role may do what the statements say."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("code.py", code)
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements))
    return aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="code.handler",
        Role=role["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
