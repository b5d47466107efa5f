"""Layers and images made by hand, for the tests of this room."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from ecrlab.scanning import Advisories, LayerSource

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
PLAIN = "application/vnd.oci.image.layer.v1.tar"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"

Member = tuple[tarfile.TarInfo, bytes]

DEBIAN_12 = 'ID=debian\nVERSION_ID="12"\n'
ALPINE_318 = "ID=alpine\nVERSION_ID=3.18.4\n"


def file(name: str, data: bytes | str = b"", mode: int = 0o644) -> Member:
    data = data.encode() if isinstance(data, str) else data
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    return info, data


def folder(name: str) -> Member:
    return _special(name, tarfile.DIRTYPE)


def symlink(name: str, target: str) -> Member:
    return _special(name, tarfile.SYMTYPE, target)


def hardlink(name: str, target: str) -> Member:
    return _special(name, tarfile.LNKTYPE, target)


def _special(name: str, kind: bytes, target: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def tar(*members: Member, style: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def stored(blob: bytes, media_type: str | None) -> LayerSource:
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    return LayerSource(digest, media_type, lambda: io.BytesIO(blob))


def layer(*members: Member, style: int = tarfile.PAX_FORMAT) -> LayerSource:
    return stored(gzip.compress(tar(*members, style=style), 1, mtime=0), GZIP)


def dpkg(*packages: Sequence[str]) -> str:
    """A status file of packages: (name, version[, source])."""
    stanzas = []
    for name, version, *source in packages:
        lines = [f"Package: {name}", "Status: install ok installed", "Architecture: amd64"]
        stanzas.append("\n".join([*lines, *(f"Source: {one}" for one in source), f"Version: {version}", ""]))
    return "\n".join(stanzas)


def debian(*packages: Sequence[str], release: str = DEBIAN_12) -> list[Member]:
    return [file("etc/os-release", release), file("var/lib/dpkg/status", dpkg(*packages))]


def alpine(*packages: tuple[str, str, str], release: str = ALPINE_318) -> list[Member]:
    """An Alpine of packages: (name, version, origin)."""
    stanzas = "".join(f"P:{name}\nV:{version}\nA:x86_64\no:{origin}\n\n" for name, version, origin in packages)
    return [file("etc/os-release", release), file("lib/apk/db/installed", stanzas)]


def metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nWhat it is.\n"


def jar(**entries: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def pom(group: str, artifact: str, version: str) -> dict[str, str]:
    path = f"META-INF/maven/{group}/{artifact}/pom.properties"
    return {path: f"#made by maven\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"}


def advisory(id: str, ecosystem: str, package: str, *events: dict[str, str], **more: object) -> dict[str, object]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    return {"id": id, "affected": [{"package": {"ecosystem": ecosystem, "name": package}, "ranges": ranges}], **more}


def advisories(*records: object) -> Advisories:
    return Advisories.of(records, "a test's advisories")


def names(packages: Iterable[object]) -> list[str]:
    return [f"{package.name} {package.version}" for package in packages]  # type: ignore[attr-defined]


def oci_layout(path: Path, *images: Sequence[LayerSource], names: Sequence[str] = ()) -> Path:
    """Write an OCI image layout with an image for each list of layers."""
    listed = []
    for number, layers in enumerate(images):
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor(path, config.encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [_descriptor(path, one.open().read(), one.media_type or GZIP) for one in layers],
        }
        descriptor = _descriptor(path, json.dumps(manifest).encode(), str(manifest["mediaType"]))
        if number < len(names):
            descriptor["annotations"] = {"org.opencontainers.image.ref.name": names[number]}
        listed.append(descriptor)
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": listed}))
    return path


def _descriptor(path: Path, data: bytes, media_type: str) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    (path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (path / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
