"""Users, roles and sessions made with IAM and STS, judged by the Docker face of a real server."""

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.simulator.accounts import HOME, NO_IDENTITY, NO_RESOURCE, Account, arn_of, denial, document
from tests.simulator.client import CONFIG, LAYER, OCI_MANIFEST, client_of, digest_of, manifest


def password(ecr) -> str:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


def docker(home: Account, ecr_password: str, method: str, path: str) -> tuple[int, dict]:
    """Status and body of a request of a Docker client."""
    credentials = base64.b64encode(f"AWS:{ecr_password}".encode()).decode()
    request = urllib.request.Request(home.endpoint + path, method=method)
    request.add_header("Authorization", f"Basic {credentials}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def test_docker_clients_are_told_the_same(home):
    name, _, ecr = home.user(document("ecr:GetAuthorizationToken", "ecr:ListImages", Resource="*"))
    token = password(ecr)
    who = f"arn:aws:iam::{HOME}:user/{name}"

    assert docker(home, token, "GET", "/v2/app/tags/list") == (200, {"name": "app", "tags": []})
    status, body = docker(home, token, "POST", "/v2/app/blobs/uploads/")
    _, text = denial(who, "ecr:InitiateLayerUpload", arn_of(home.region), NO_IDENTITY)
    assert (status, body) == (403, {"errors": [{"code": "DENIED", "message": text}]})
    status, body = docker(home, token, "GET", "/v2/_catalog")
    _, text = denial(who, "ecr:DescribeRepositories", arn_of(home.region, "*"), NO_IDENTITY)
    assert (status, body["errors"][0]["message"]) == (403, text)


def test_a_token_outlives_its_key_but_not_its_bearers_policies(home):
    name, key, ecr = home.user(document("ecr:*", Resource="*"))
    token = password(ecr)
    home.iam.delete_access_key(UserName=name, AccessKeyId=key)

    assert docker(home, token, "GET", "/v2/app/tags/list")[0] == 200
    home.iam.delete_user_policy(UserName=name, PolicyName="p0")
    assert docker(home, token, "GET", "/v2/app/tags/list")[0] == 403


def in_public(account: Account, key: str) -> tuple[object, dict[str, str]]:
    """A client of ECR Public's API, and the headers of a Docker client that has logged in at public.ecr.aws."""
    api = client_of(account.endpoint, "ecr-public", key=key)
    token = api.get_authorization_token()["authorizationData"]["authorizationToken"]
    return api, {"Host": "public.ecr.aws", "Authorization": f"Bearer {token}"}


def test_another_account_pushes_to_a_public_repository_only_if_its_policy_names_it(home, abroad):
    api = client_of(home.endpoint, "ecr-public")
    name = f"team/{home.region}"
    uri = api.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    path = f"/v2/{uri.partition('/')[2]}/blobs/uploads/"
    key, _ = home.assume("arn:aws:iam::333333333333:role/OrganizationAccountAccessRole")
    _, headers = in_public(abroad, key)

    def push():
        request = urllib.request.Request(home.endpoint + path, method="POST", headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, b""
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    who = "arn:aws:sts::333333333333:assumed-role/OrganizationAccountAccessRole/build-7"
    action, resource = "ecr-public:InitiateLayerUpload", f"arn:aws:ecr-public::{HOME}:repository/{name}"
    _, text = denial(who, action, resource, NO_RESOURCE)
    status, body = push()
    assert (status, json.loads(body)["errors"]) == (403, [{"code": "DENIED", "message": text}])
    allow = document(action, Principal={"AWS": "arn:aws:iam::333333333333:root"})
    api.set_repository_policy(repositoryName=name, policyText=allow)
    assert push()[0] == 202


def write_layout(folder: Path) -> None:
    """An image of one small layer as an OCI layout, tagged v1."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    body = manifest(b"layer", config=b"{}")
    for blob in (b"layer", b"{}", body.encode()):
        (blobs / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(body.encode()),
        "size": len(body),
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    assert CONFIG in body and LAYER in body


@pytest.mark.client("skopeo")
def test_a_push_of_a_role_that_may_only_read_fails_in_the_words_of_ecr(home, tmp_path):
    role = home.role()
    name = role.rpartition("/")[2]
    managed = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry{}"
    home.iam.attach_role_policy(RoleName=name, PolicyArn=managed.format("ReadOnly"))
    _, ecr = home.assume(role)
    write_layout(tmp_path / "layout")

    def push() -> subprocess.CompletedProcess[str]:
        there = home.endpoint.removeprefix("http://") + "/app:v1"
        command = [
            "skopeo",
            "copy",
            "--insecure-policy",
            "--dest-tls-verify=false",
            f"--dest-creds=AWS:{password(ecr)}",
        ]
        return subprocess.run(
            [*command, f"oci:{tmp_path / 'layout'}:v1", f"docker://{there}"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = push()
    home.iam.attach_role_policy(RoleName=name, PolicyArn=managed.format("PowerUser"))
    pushed = push()

    who = f"arn:aws:sts::{HOME}:assumed-role/{name}/build-7"
    _, text = denial(who, "ecr:InitiateLayerUpload", arn_of(home.region), NO_IDENTITY)
    assert refused.returncode != 0
    assert f"denied: {text}" in refused.stderr
    assert pushed.returncode == 0, pushed.stderr
    assert home.ecr.list_images(repositoryName="app")["imageIds"][0]["imageTag"] == "v1"
