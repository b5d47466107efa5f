"""Real Docker clients against a real server, with nothing of the user's: credentials and images live in a
temporary home.
"""

import base64
import gzip
import hashlib
import io
import itertools
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ecrlab.clock import WallClock
from ecrlab.registry import settings
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server

AUTHENTIC = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
_names = itertools.count(1)

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Shell:
    """Runs clients in a home of their own, against one name of the registry."""

    def __init__(self, home: Path, endpoint: str, *, by_proxy: bool) -> None:
        self.home = home
        self.endpoint = endpoint
        self.host = AUTHENTIC if by_proxy else endpoint.removeprefix("http://")
        proxies = {"http_proxy": endpoint, "https_proxy": endpoint} if by_proxy else {}
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "REGISTRY_AUTH_FILE": str(home / "auth.json"),
            **proxies,
        }
        (home / "run").mkdir(mode=0o700)
        policy = home / ".config/containers/policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.aws = boto3.client("ecr", endpoint_url=endpoint, region_name="us-east-1")

    def password(self) -> str:
        token = self.aws.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().partition(":")[2]

    def run(self, *command: str, stdin: str = "") -> str:
        """Run a program; give what it prints."""
        return self.attempt(*command, stdin=stdin, must=True).stdout

    def attempt(self, *command: str, stdin: str = "", must: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self._environment, cwd=self.home, input=stdin, text=True, capture_output=True, timeout=120
        )
        assert done.returncode == 0 or not must, done.stderr
        return done

    def skopeo(self, *arguments: str) -> str:
        return self.run("skopeo", *arguments)

    def login(self, program: str) -> str:
        return self.run(
            program,
            "login",
            "--tls-verify=false",
            "--username=AWS",
            "--password-stdin",
            self.host,
            stdin=self.password(),
        )

    def storage(self, program: str) -> list[str]:
        """podman or buildah with its images in the temporary home, and no engine."""
        where = [f"--root={self.home / 'images'}", f"--runroot={self.home / 'run'}", "--storage-driver=vfs"]
        return [program, *where, *(["--events-backend=none"] if program == "podman" else [])]

    def digests(self, repository: str) -> dict[str, str]:
        """Tag -> digest, as ECR's API tells it."""
        images = self.aws.describe_images(repositoryName=repository)["imageDetails"]
        return {tag: image["imageDigest"] for image in images for tag in image.get("imageTags", [])}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    world = World(tmp_path_factory.mktemp("clients") / "registry", WallClock(), durable=False)
    settings.put_account_setting(world.registry("123456789012", "us-east-1"), "BLOB_MOUNTING", "ENABLED")
    server = Server(world)
    yield server
    server.stop()
    world.close()


@pytest.fixture
def endpoint(server: Server) -> str:
    return server.endpoint


@pytest.fixture(params=["address", "proxy"])
def shell(request: pytest.FixtureRequest, endpoint: str) -> Iterator[Shell]:
    """By 127.0.0.1:PORT, and by ECR's own name through the lab as a proxy."""
    # podman takes no long paths.
    with tempfile.TemporaryDirectory(prefix="ecrlab-", ignore_cleanup_errors=True) as home:
        yield Shell(Path(home), endpoint, by_proxy=request.param == "proxy")


@pytest.fixture
def repository(shell: Shell) -> str:
    name = f"clients/repo-{next(_names)}"
    shell.aws.create_repository(repositoryName=name)
    return name


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image as an OCI layout, tagged v1."""
    return write_layout(tmp_path / "layout", os.urandom(700_000))


def write_layout(root: Path, content: bytes) -> Path:
    blobs = root / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def keep(media_type: str, body: bytes) -> dict[str, object]:
        digest = hashlib.sha256(body).hexdigest()
        (blobs / digest).write_bytes(body)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(body)}

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("etc/content")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    diff_id = "sha256:" + hashlib.sha256(archive.getvalue()).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    layer = gzip.compress(archive.getvalue(), 1, mtime=0)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": keep("application/vnd.oci.image.config.v1+json", json.dumps(config).encode()),
        "layers": [keep("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
    }
    entry = keep(OCI_MANIFEST, json.dumps(manifest, indent=2).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return root
