"""Lambda in people's own unit tests: as with moto, a setting decides whether images count."""

from typing import Any

import boto3
import pytest

import ecrlab
from tests.simulator.client import digest_of
from tests.simulator.consumers.functions import refused


@pytest.mark.parametrize("stub", ["TRUE", "FALSE"])
def test_under_the_mock_images_count_where_moto_is_told_so(stub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_LAMBDA_STUB_ECR", stub)
    with ecrlab.mock_aws() as mock:
        iam, functions = boto3.client("iam"), boto3.client("lambda")
        role = iam.create_role(RoleName="runs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        digest = mock.push("web:v1")

        def create(name: str, tag: str) -> Any:
            uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/web:{tag}"
            return functions.create_function(FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": uri})

        create("web", "v1")
        found = functions.get_function(FunctionName="web")["Code"]["ResolvedImageUri"].partition("@")[2]
        if stub == "FALSE":
            assert found == digest
            assert refused(create, "nope", "v2")[1] == "InvalidParameterValueException"
        else:
            assert found == digest_of(b"123456789012.dkr.ecr.us-east-1.amazonaws.com/web:v1")
            assert create("any", "v2")["State"] == "Active"
