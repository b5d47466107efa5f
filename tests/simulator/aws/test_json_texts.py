"""JSON within a request: what is not strict JSON is refused by every operation that stores or reads such a text."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.client import Repository, manifest

SOUND: dict[str, str] = {
    "set_repository_policy": json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:Get*", "Sid": "?"}}
    ),
    "put_registry_policy": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*", "Sid": "?"},
        }
    ),
    "put_lifecycle_policy": json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "description": "?",
                    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
                    "action": {"type": "expire"},
                }
            ]
        }
    ),
    "put_image": manifest(annotations={"a": "?"}),
}
SOUND["start_lifecycle_policy_preview"] = SOUND["put_lifecycle_policy"]
MEMBERS = {
    "set_repository_policy": "policyText",
    "put_registry_policy": "policyText",
    "put_lifecycle_policy": "lifecyclePolicyText",
    "start_lifecycle_policy_preview": "lifecyclePolicyText",
    "put_image": "imageManifest",
}
BREAKS: dict[str, Callable[[str], str]] = {
    "half a surrogate pair": lambda text: text.replace("?", "\\ud800"),
    "the other half, as a key": lambda text: text.replace('"?"', '"?", "\\udfff": "?"'),
    "an integer of 4,000 digits": lambda text: text.replace('"?"', "9" * 4_000),
    "an integer of 65 bits": lambda text: text.replace('"?"', str(2**64)),
    "a number beyond all bounds": lambda text: text.replace('"?"', "1e999"),
    "NaN": lambda text: text.replace('"?"', "NaN"),
    "one key twice": lambda text: text.replace("{", '{"x": 1, "x": 2, ', 1),
    "nested deeply": lambda text: text.replace('"?"', "[" * 3_000 + "]" * 3_000),
    "a byte order mark": lambda text: "\ufeff" + text,
    "another type": lambda text: text.replace('"?"', '{"a": [true]}'),
}


def call(app: Repository, operation: str, text: str) -> None:
    target: Any = app.ecr if operation == "put_registry_policy" else app
    getattr(target, operation)(**{MEMBERS[operation]: text})


@pytest.mark.parametrize("operation", MEMBERS)
def test_the_text_is_accepted_as_long_as_it_is_sound(app: Repository, operation: str) -> None:
    app.layer(b"{}")
    call(app, operation, SOUND[operation])


@pytest.mark.parametrize("why", BREAKS)
@pytest.mark.parametrize("operation", MEMBERS)
def test_what_is_not_strict_json_is_refused(app: Repository, operation: str, why: str) -> None:
    app.layer(b"{}")
    with pytest.raises(ClientError) as caught:
        call(app, operation, BREAKS[why](SOUND[operation]))

    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Error"]["Code"] == "InvalidParameterException"
    assert app.images() == {}


def test_foreign_layers_of_more_bytes_than_anybody_can_count_are_refused(app: Repository) -> None:
    app.layer(b"{}")
    foreign = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "size": 2**62}
    layers = [foreign | {"digest": f"sha256:{number:064}"} for number in (1, 2)]
    with pytest.raises(ClientError) as caught:
        app.put_image(imageManifest=manifest(layers=layers))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    app.put_image(imageManifest=manifest(layers=layers[:1]))
    assert app.describe_images()["imageDetails"][0]["imageSizeInBytes"] > 2**62
