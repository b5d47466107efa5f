"""How fast layers go in and out, against Debian's docker-registry: `python -m tests.bench.dataplane`.

Both servers keep their data in the same kind of place, get the same bytes from the same client on raw sockets, and take
turns round by round, so that what else the machine does troubles both. What counts is the ratio of the medians; the
seconds are for orientation. Writes a table, and with `--json FILE` the figures.

With `--kms` it compares a repository with a KMS key with one without, of the same ecrlab.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.peers import MIB, Peer, Wire, docker_registry, ecrlab, encrypted

CHUNK = 32 * 1024
"""What docker and buildah put into one chunk."""

IMAGES, LAYERS, LAYER_BYTES, CONNECTIONS = 200, 5, 20_000, 4
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

ON_DISK = " on disk"
"""Where a sync costs what it costs; in memory it costs nothing."""

WANTED = {"push": 1.8, "push chunked": 1.5, "pull": 0.8, "push 200 images": 2.3, "pull 200 images": 5.0}
WANTED |= {"push 200 images" + ON_DISK: 3.5, "pull 200 images" + ON_DISK: 5.0}
WANTED |= {"skopeo push": 0.8, "skopeo pull": 0.8}

AT_MOST = {"push": 1.8, "push chunked": 1.8, "pull": 2.0}
"""How many times as long an encrypted repository may take."""


_LOCATION = re.compile(rb"(?i)\r\nlocation: [^\r]*?(/v2/[^\r]*)")


def begin(wire: Wire) -> str:
    status, head, _ = wire.ask("POST", f"/v2/{wire.repository}/blobs/uploads/")
    assert status == 202, status
    return path_of(head)


def path_of(head: bytes) -> str:
    """Where to go on; docker-registry says it with its host, and keeps state in the query."""
    found = _LOCATION.search(head)
    assert found is not None, head
    return found[1].decode()


def joined(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def push(peer: Peer, blob: Path, digest: str, headers: str) -> None:
    """POST, one PATCH, PUT, as docker does."""
    wire = Wire(peer)
    status, head, _ = wire.stream("PATCH", begin(wire), headers, blob)
    assert status == 202, status
    status, _, body = wire.ask("PUT", joined(path_of(head), digest))
    assert status == 201, body


def pull(peer: Peer, digest: str) -> None:
    assert Wire(peer).ask("GET", f"/v2/{peer.repository}/blobs/{digest}")[0] == 200


@dataclass
class SmallImage:
    """Config and layers by digest, and a manifest with its tag; ready to be sent."""

    blobs: dict[str, bytes]
    manifest: bytes
    tag: str


def small_images(salt: bytes) -> list[SmallImage]:
    """Images of five small layers each, no byte shared."""
    made = []
    for number in range(IMAGES):
        blobs = {}
        for part in range(LAYERS + 1):
            body = hashlib.sha256(salt + b" %d %d" % (number, part)).digest() * (LAYER_BYTES // 32)
            blobs["sha256:" + hashlib.sha256(body).hexdigest()] = body
        config, *layers = [{"mediaType": "application/x", "digest": name, "size": len(blobs[name])} for name in blobs]
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
        made.append(SmallImage(blobs, json.dumps(manifest).encode(), f"{salt.hex()}-{number}"))
    return made


def push_images(peer: Peer, images: list[SmallImage]) -> None:
    """Over four connections, as docker does it."""

    def some(first: int) -> None:
        wire = Wire(peer)
        for image in images[first::CONNECTIONS]:
            for digest, body in image.blobs.items():
                assert wire.ask("HEAD", f"/v2/{wire.repository}/blobs/{digest}")[0] == 404
                status, head, _ = wire.ask("PATCH", begin(wire), body)
                assert status == 202
                assert wire.ask("PUT", joined(path_of(head), digest))[0] == 201
            content_type = f"Content-Type: {OCI_MANIFEST}\r\n"
            status, _, body = wire.ask(
                "PUT", f"/v2/{wire.repository}/manifests/{image.tag}", image.manifest, content_type
            )
            assert status == 201, body

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(some, range(CONNECTIONS)))


def pull_images(peer: Peer, images: list[SmallImage]) -> None:
    """Over four connections; what comes is what was pushed."""

    def some(first: int) -> None:
        wire = Wire(peer)
        for image in images[first::CONNECTIONS]:
            accept = f"Accept: {OCI_MANIFEST}\r\n"
            assert wire.ask("GET", f"/v2/{wire.repository}/manifests/{image.tag}", headers=accept)[::2] == (
                200,
                image.manifest,
            )
            for digest, body in image.blobs.items():
                assert wire.ask("GET", f"/v2/{wire.repository}/blobs/{digest}")[::2] == (200, body)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(some, range(CONNECTIONS)))


def skopeo(peer: Peer, folder: Path, layout: Path) -> dict[str, Callable[[], None]]:
    """Push and pull of the large layer by skopeo, which hashes it itself and so sets the pace."""
    target = f"docker://127.0.0.1:{peer.port}/bench:skopeo"
    login = [f"--dest-creds=AWS:{peer.password}"] if peer.password else []
    back = folder / "skopeo-back"

    def run(*command: str) -> None:
        shutil.rmtree(back, ignore_errors=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        subprocess.run(
            ["skopeo", "--insecure-policy", "copy", *command], check=True, capture_output=True, env=environment
        )

    return {
        "skopeo push": lambda: run("--dest-tls-verify=false", *login, f"oci:{layout}:v1", target),
        "skopeo pull": lambda: run(
            "--src-tls-verify=false", *(flag.replace("dest", "src") for flag in login), target, f"dir:{back}"
        ),
    }


def write_layout(root: Path, size: int) -> Path:
    """An image of one large layer as an OCI layout."""
    blobs = root / "blobs/sha256"
    blobs.mkdir(parents=True)
    digest = incompressible(root / "blob", size)
    (root / "blob").rename(blobs / digest.partition(":")[2])

    def keep(body: bytes, media_type: str) -> dict[str, Any]:
        name = hashlib.sha256(body).hexdigest()
        (blobs / name).write_bytes(body)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(body)}

    config = keep(
        b'{"rootfs":{"type":"layers","diff_ids":["%s"]}}' % digest.encode(), "application/vnd.oci.image.config.v1+json"
    )
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    entry = keep(json.dumps(manifest).encode(), OCI_MANIFEST)
    entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return root


def incompressible(path: Path, size: int) -> str:
    """A file of random bytes, and its digest."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            piece = os.urandom(MIB)
            digest.update(piece)
            file.write(piece)
    return f"sha256:{digest.hexdigest()}"


def in_chunks(blob: Path, path: Path) -> Path:
    """The same bytes as a chunked body, ready to be sent."""
    with blob.open("rb") as source, path.open("wb") as file:
        while piece := source.read(CHUNK):
            file.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        file.write(b"0\r\n\r\n")
    return path


Tasks = dict[str, Callable[[Peer], None]]


def large_layer(folder: Path, size: int, *, with_skopeo: bool) -> Callable[[int], Tasks]:
    """What is done in a round with one large layer."""
    blob = folder / "blob"
    digest = incompressible(blob, size)
    chunked = in_chunks(blob, folder / "chunked")

    def tasks(number: int) -> Tasks:
        return {
            "push": lambda peer: push(peer, blob, digest, f"Content-Length: {size}\r\n"),
            "push chunked": lambda peer: push(peer, chunked, digest, "Transfer-Encoding: chunked\r\n"),
            "pull": lambda peer: pull(peer, digest),
        } | (by_skopeo(number) if with_skopeo else {})

    def by_skopeo(number: int) -> Tasks:
        # New bytes for each round: skopeo leaves out what it knows to be there.
        shutil.rmtree(folder / f"layout-{number - 1}", ignore_errors=True)
        layout = write_layout(folder / f"layout-{number}", size)
        return {
            "skopeo push": lambda peer: skopeo(peer, folder, layout)["skopeo push"](),
            "skopeo pull": lambda peer: skopeo(peer, folder, layout)["skopeo pull"](),
        }

    return tasks


def many_images(where: str) -> Callable[[int], Tasks]:
    """What is done in a round with many small images; `where` is a part of the tasks' names."""

    def tasks(number: int) -> Tasks:
        images = small_images(b"%d" % number)
        return {
            f"push 200 images{where}": lambda peer: push_images(peer, images),
            f"pull 200 images{where}": lambda peer: pull_images(peer, images),
        }

    return tasks


@contextmanager
def with_docker_registry(folder: Path) -> Iterator[list[Peer]]:
    with ecrlab(folder) as ours, docker_registry(folder) as theirs:
        yield [ours, theirs]


@contextmanager
def with_kms(folder: Path) -> Iterator[list[Peer]]:
    with ecrlab(folder) as ours:
        yield [ours, encrypted(ours)]


def measure(
    folder: Path,
    tasks: Sequence[Callable[[int], Tasks]],
    rounds: int,
    compared: Callable[[Path], AbstractContextManager[list[Peer]]] = with_docker_registry,
) -> dict[str, Any]:
    """Seconds for each task and peer, round by round, and the servers' memory."""
    seconds: dict[str, dict[str, list[float]]] = {}
    with compared(folder) as peers:
        idle = {peer.name: peer.memory_in_mib("VmRSS") for peer in peers}
        for number in range(rounds):
            for name, task in [one for some in tasks for one in some(number).items()]:
                # Who goes first takes turns as well.
                for peer in peers if number % 2 else reversed(peers):
                    start = time.perf_counter()
                    task(peer)
                    spent = time.perf_counter() - start
                    seconds.setdefault(name, {}).setdefault(peer.name, []).append(spent)
        highest = {peer.name: peer.memory_in_mib("VmHWM") for peer in peers}
    return {"seconds": seconds, "idle MiB": idle, "highest MiB": highest}


def ratio(times: dict[str, list[float]]) -> float:
    """How many times as fast as docker-registry, by the medians."""
    return statistics.median(times["docker-registry"]) / statistics.median(times["ecrlab"])


def measure_encryption(folder: Path, mib: int, rounds: int) -> None:
    """Print how many times as long an encrypted repository takes."""
    found = measure(folder, [large_layer(folder, mib * MIB, with_skopeo=False)], rounds, with_kms)
    print(f"{mib} MiB, {rounds} rounds, in {folder.parent}, Python {platform.python_version()}\n")
    print(f"{'':24}{'AES256 s':>10}{'KMS s':>12}{'ratio':>8}{'at most':>8}")
    for name, times in found["seconds"].items():
        plain, secret = (statistics.median(times[peer]) for peer in ("ecrlab", "ecrlab, KMS"))
        print(f"{name:24}{plain:10.2f}{secret:12.2f}{secret / plain:8.2f}{AT_MOST[name]:8.2f}")
    print(f"{found['idle MiB']['ecrlab']:.0f} MiB idle, {found['highest MiB']['ecrlab']:.0f} MiB at its highest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the large layer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in", dest="where", type=Path, default=Path("/dev/shm"), help="where both keep their data")
    parser.add_argument(
        "--disk", type=Path, help="where they keep it when syncs shall count (default: TMPDIR, or /tmp)"
    )
    parser.add_argument("--skopeo", action="store_true", help="push and pull by skopeo as well")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--kms", action="store_true", help="compare a repository with a KMS key with one without")
    options = parser.parse_args()
    if options.kms:
        with tempfile.TemporaryDirectory(prefix="ecrlab-bench-", dir=options.where) as folder:
            measure_encryption(Path(folder), options.mib, options.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="ecrlab-bench-", dir=options.where) as folder:
        large = large_layer(Path(folder), options.mib * MIB, with_skopeo=options.skopeo)
        found = measure(Path(folder), [large, many_images("")], options.rounds)
    with tempfile.TemporaryDirectory(prefix="ecrlab-bench-", dir=options.disk) as folder:
        found["seconds"] |= measure(Path(folder), [many_images(ON_DISK)], options.rounds)["seconds"]
    ratios = {name: ratio(times) for name, times in found["seconds"].items()}
    places = f"in {options.where}, on disk in {options.disk or tempfile.gettempdir()}"
    print(f"{options.mib} MiB, {options.rounds} rounds, {places}, Python {platform.python_version()}\n")
    print(f"{'':24}{'ecrlab s':>10}{'registry s':>12}{'ratio':>8}{'wanted':>8}")
    for name, times in found["seconds"].items():
        ours, theirs = (statistics.median(times[peer]) for peer in ("ecrlab", "docker-registry"))
        print(f"{name:24}{ours:10.2f}{theirs:12.2f}{ratios[name]:8.2f}{WANTED[name]:8.2f}")
    for peer, idle in found["idle MiB"].items():
        print(f"{peer}: {idle:.0f} MiB idle, {found['highest MiB'][peer]:.0f} MiB at its highest")
    if options.json:
        options.json.write_text(json.dumps({**found, "ratios": ratios}, indent=2))


if __name__ == "__main__":
    main()
