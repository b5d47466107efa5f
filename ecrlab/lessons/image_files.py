"""A file inside an image, read as a client reads it: manifest, then layers from the top down."""

import json
import tarfile
import urllib.request
import zlib
from pathlib import PurePosixPath
from typing import Any


def read(ecr: Any, repository: str, digest: str, name: str) -> bytes | None:
    """Return the content of the file `name`, in whatever folder, of an image; None if no layer has it.

    The topmost layer that has it counts. Of an index, the first image counts. A layer that is no tar, or that cannot
    be downloaded, has no files.
    """
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    manifest = json.loads(answer["images"][0]["imageManifest"])
    if manifest.get("manifests"):
        return read(ecr, repository, manifest["manifests"][0]["digest"], name)
    for layer in reversed(manifest.get("layers", [])):
        place = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer["digest"])
        if (found := _in_layer(place["downloadUrl"], name)) is not None:
            return found
    return None


def _in_layer(url: str, name: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url) as stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
            for member in tar:
                if member.isfile() and PurePosixPath(member.name).name == name:
                    content = tar.extractfile(member)
                    return content.read() if content else None
    except (OSError, tarfile.TarError, EOFError, ValueError, zlib.error):
        pass
    return None
