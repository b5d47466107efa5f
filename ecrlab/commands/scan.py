"""List what is in an image and what is known to be wrong with it, offline.

TARGET is an OCI image layout, an archive of `docker save`, an image in a running lab by the name that Docker or its
repository knows it by, or one of the lab's gallery (public.ecr.aws/docker/library/…).

Exit status: 1 findings at or above --fail-on; 0 none such (without --fail-on, whatever was found), and all was read and
judged; 2 the image, or what it is to be judged by, cannot be read or is not supported, or an advisory on one of its
packages cannot be evaluated. The JSON is described in ecrlab/scanning/report.py.

examples:
  python3 -m ecrlab scan my-app:v1.2.3
  python3 -m ecrlab scan 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3 --fail-on HIGH --ignore allowed.txt
  python3 -m ecrlab scan public.ecr.aws/docker/library/debian:bullseye-20230109-slim --inventory
  docker save -o my-app.tar my-app:v1 && python3 -m ecrlab scan my-app.tar
"""

import argparse
import io
import json
import os
import re
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from ecrlab.commands import env
from ecrlab.docker import platforms, references
from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import Reference
from ecrlab.machine import environment
from ecrlab.scanning import command
from ecrlab.scanning.errors import TargetError

if TYPE_CHECKING:
    from ecrlab.scanning import LayerSource

_PRIVATE = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\..+")

Fetch = Callable[[str], bytes]
"""Gives the manifest or index of a tag or digest."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab scan`."""
    command.configure(parser)
    parser.add_argument("--endpoint", help="the lab that has the image, when several run (default: this terminal's)")


def run(options: argparse.Namespace) -> int:
    """Scan as the options say."""
    return command.run(options, lambda name: image_layers(name, options.platform, options.endpoint))


def image_layers(name: str, platform: str, endpoint: str | None = None) -> Sequence["LayerSource"]:
    """The layers, lowest first, of an image in a running lab or in the gallery.

    Raises `EcrLabError` where there is no such image, or no lab.
    """
    try:
        reference = references.parse(name).with_tag()
    except DockerError as error:
        raise TargetError(f"{name}: there is no such file or folder, and it is no name of an image") from error
    if reference.domain == references.PUBLIC:
        return _from_gallery(reference, platform)
    return _from_lab(reference, platform, endpoint)


def _from_gallery(reference: Reference, platform: str) -> Sequence["LayerSource"]:
    from ecrlab import gallery

    def fetch(wanted: str) -> bytes:
        found = gallery.manifest(reference.path, wanted)
        if found is None:
            raise TargetError(f"there is no {reference}{references.what_the_gallery_has(reference)}")
        return found.body

    def open_blob(digest: str) -> BinaryIO:
        return io.BytesIO(gallery.blob(reference.path, digest) or b"")

    return _layers(reference, platform, fetch, open_blob)


def _from_lab(reference: Reference, platform: str, endpoint: str | None) -> Sequence["LayerSource"]:
    import boto3
    from botocore.exceptions import ClientError

    said = os.environ.get("ECRLAB_ENDPOINT")
    lab = env.chosen(endpoint or (said if said != environment.DEAD_ENDPOINT else None))
    private = _PRIVATE.fullmatch(reference.domain)
    region = private[2] if private else environment.REGION
    session = boto3.Session(environment.ACCESS_KEY_ID, environment.SECRET_ACCESS_KEY, region_name=region)
    ecr = session.client("ecr", endpoint_url=lab.endpoint)
    # `my-app:v1` is Docker's short name for an image of Docker's own library; here it is a repository of the lab.
    repository = {"repositoryName": reference.path.removeprefix("library/")}
    repository |= {"registryId": private[1]} if private else {}

    def fetch(wanted: str) -> bytes:
        image_id = {"imageDigest": wanted} if ":" in wanted else {"imageTag": wanted}
        answer = ecr.batch_get_image(**repository, imageIds=[image_id])
        if answer["failures"]:
            raise TargetError(f"{reference}: {answer['failures'][0]['failureReason']}")
        manifest: str = answer["images"][0]["imageManifest"]
        return manifest.encode()

    def open_blob(digest: str) -> BinaryIO:
        url = ecr.get_download_url_for_layer(**repository, layerDigest=digest)["downloadUrl"]
        # Never through a proxy: the lab is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        stream: BinaryIO = opener.open(url, timeout=60)
        return stream

    try:
        return _layers(reference, platform, fetch, partial(_as_files_do, open_blob, ClientError))
    except ClientError as error:
        raise TargetError(f"{reference}: {error}") from error


def _as_files_do(open_blob: Callable[[str], BinaryIO], refused: type[Exception], digest: str) -> BinaryIO:
    """Open a blob; where it is refused, fail as a file would that cannot be opened."""
    try:
        return open_blob(digest)
    except refused as error:
        raise OSError(str(error)) from error


def _layers(
    reference: Reference, platform: str, fetch: Fetch, open_blob: Callable[[str], BinaryIO]
) -> Sequence["LayerSource"]:
    from ecrlab.scanning import layers_of

    body = fetch(reference.digest or reference.tag)
    document: Any = json.loads(body)
    if "manifests" in document:
        body = fetch(platforms.choose(document, platform, str(reference)))
        document = json.loads(body)
    return layers_of(document, open_blob)
