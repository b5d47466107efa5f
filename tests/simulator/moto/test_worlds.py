"""moto's services, of which a process has one set, belong to the world that asked last, and begin anew for it."""

import contextlib
import http.client
import json
from pathlib import Path
from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import client_of


def life(directory: Path) -> tuple[list[str], list[str], str, str]:
    """One lab: the users and aliases found at first, the key made for ECR, and the first id that KMS gives out."""
    world = World(directory, seed="same", durable=False)
    server = Server(world)
    try:
        ecr, kms, iam = (client_of(server.endpoint, service) for service in ("ecr", "kms", "iam"))
        made: Any = ecr.create_repository(repositoryName="app", encryptionConfiguration={"encryptionType": "KMS"})
        users = [user["UserName"] for user in iam.list_users()["Users"]]
        aliases = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias]
        key_id: str = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/mine", TargetKeyId=key_id)
        iam.create_user(UserName="ana")
        return users, aliases, made["repository"]["encryptionConfiguration"]["kmsKey"], key_id
    finally:
        server.stop()
        world.close()


def test_a_new_lab_finds_nothing_of_the_one_before_and_repeats_it(tmp_path: Path) -> None:
    first, second = life(tmp_path / "one"), life(tmp_path / "two")
    assert first == second
    users, aliases, ecr_key, _ = first
    assert users == ["learner"]
    assert "alias/aws/ecr" in aliases
    assert "alias/mine" not in aliases
    assert ecr_key.startswith("arn:aws:kms:us-east-1:123456789012:key/")


def test_two_labs_in_turns_never_see_each_others_services(tmp_path: Path, server: Server) -> None:
    ours = client_of(server.endpoint, "kms")
    key_id = ours.create_key()["KeyMetadata"]["KeyId"]
    keys = sorted(key["KeyId"] for key in ours.list_keys()["Keys"])
    world = World(tmp_path, seed="other", durable=False)
    other = Server(world)
    assert client_of(other.endpoint, "kms").list_keys()["Keys"] == []
    # KMS's keys are in a world's database; they come back, unlike what other services hold.
    assert sorted(key["KeyId"] for key in ours.list_keys()["Keys"]) == keys
    assert key_id in keys
    other.stop()
    world.close()


def test_nobody_empties_motos_services_over_http(server: Server) -> None:
    iam = client_of(server.endpoint, "iam")
    iam.create_user(UserName="kept")
    for path in ("/moto-api/reset", "/moto-api/"):
        connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=20)
        with contextlib.closing(connection):
            connection.request("POST", path)
            answer = connection.getresponse()
            assert answer.status == 400
            assert json.loads(answer.read())["__type"] == "UnsupportedOperation"
    assert iam.get_user(UserName="kept")["User"]["UserName"] == "kept"
