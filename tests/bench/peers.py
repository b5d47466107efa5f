"""The two servers that `dataplane` compares, and a client that takes little time of its own."""

import base64
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3

MIB = 1024 * 1024

_CREDENTIALS = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)")


@dataclass
class Peer:
    """A running registry: where, how to speak to it, and its process."""

    name: str
    port: int
    authorization: str
    process: subprocess.Popen[str]
    password: str = ""
    repository: str = "bench"

    def memory_in_mib(self, field: str) -> float:
        """`VmRSS` now, or `VmHWM` at its highest."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition(f"{field}:")[2].split()[0]) / 1024


class Wire:
    """One connection: requests out, answers in, nothing else, because what the client takes is in both figures."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.repository = peer.repository
        self._socket = socket.create_connection(("127.0.0.1", peer.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(MIB)

    def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> tuple[int, bytes, bytes]:
        if method in ("POST", "PUT", "PATCH"):
            headers += f"Content-Length: {len(body)}\r\n"
        self._socket.sendall(self.head(method, path, headers) + body)
        return self.answer(bodiless=method == "HEAD")

    def head(self, method: str, path: str, headers: str) -> bytes:
        lines = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._peer.port}\r\n{self._peer.authorization}{headers}\r\n"
        )
        return lines.encode()

    def stream(self, method: str, path: str, headers: str, file: Path) -> tuple[int, bytes, bytes]:
        """Send a file as a body."""
        self._socket.sendall(self.head(method, path, headers))
        with file.open("rb") as source:
            self._socket.sendfile(source)
        return self.answer()

    def answer(self, *, bodiless: bool = False) -> tuple[int, bytes, bytes]:
        """Status, head, and body unless it is large."""
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self._socket.recv(65_536)
            if not piece:
                raise ConnectionError("the server hung up")
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        left = 0 if bodiless or length is None else int(length[1]) - len(body)
        small = left <= MIB
        while left > 0:
            count = self._socket.recv_into(self._buffer, min(left, MIB))
            left -= count
            if small:
                body += self._buffer[:count]
        # Large bodies are only received: nobody looks at them.
        return int(head[9:12]), head, body


@contextmanager
def ecrlab(folder: Path) -> Iterator[Peer]:
    command = [sys.executable, "-m", "ecrlab", "serve", "--state", str(folder / "ecrlab")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            endpoint = process.stdout.readline().strip()
            ecr = boto3.client("ecr", endpoint_url=endpoint, **_CREDENTIALS)
            ecr.create_repository(repositoryName="bench")
            token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
            password = base64.b64decode(token).decode().partition(":")[2]
            port = int(endpoint.rpartition(":")[2])
            yield Peer("ecrlab", port, f"Authorization: Basic {token}\r\n", process, password)
        finally:
            process.terminate()


def encrypted(peer: Peer) -> Peer:
    """A repository with a KMS key in the same ecrlab."""
    ecr = boto3.client("ecr", endpoint_url=f"http://127.0.0.1:{peer.port}", **_CREDENTIALS)
    ecr.create_repository(repositoryName="encrypted", encryptionConfiguration={"encryptionType": "KMS"})
    return replace(peer, name=f"{peer.name}, KMS", repository="encrypted")


@contextmanager
def docker_registry(folder: Path) -> Iterator[Peer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'docker-registry'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}', secret: bench}}\n"
    )
    command = ["docker-registry", "serve", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            peer = Peer("docker-registry", port, "", process)
            for _ in range(200):
                try:
                    Wire(peer).ask("GET", "/v2/")
                    break
                except OSError:
                    time.sleep(0.02)
            yield peer
        finally:
            process.terminate()
