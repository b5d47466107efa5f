"""List the packages in an image and their known vulnerabilities, offline.

TARGET is an OCI image layout, an archive of `docker save`, an image in a running lab by its Docker or repository name,
or an image of the lab's gallery (public.ecr.aws/docker/library/…).

Exit status: 1 findings at or above --fail-on; 0 no such findings (or no --fail-on), and the scan is complete; 2 the
image, the advisories or the allow list are unreadable or unsupported, a part of the image was not read ("Present, not
inventoried"), or an advisory on one of its packages cannot be evaluated. ecrlab/scanning/report.py describes the JSON.

examples:
  python3 -m ecrlab scan my-app:v1.2.3
  python3 -m ecrlab scan 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3 --fail-on HIGH --ignore allowed.txt
  python3 -m ecrlab scan public.ecr.aws/docker/library/debian:bullseye-20230109-slim --inventory
  docker save -o my-app.tar my-app:v1 && python3 -m ecrlab scan my-app.tar
"""

import argparse
import io
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from ecrlab.commands import account
from ecrlab.docker import platforms, references
from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import Reference
from ecrlab.errors import EcrLabError
from ecrlab.machine import environment, running
from ecrlab.oci import manifest, strict_json
from ecrlab.oci.manifest import InvalidManifest
from ecrlab.scanning import Inventory, LayerSource, embedded, judge, layers_of, load, open_target, take_inventory
from ecrlab.scanning.errors import LayerError, TargetError, UnsupportedImageError
from ecrlab.scanning.files.targets import check_platform, platform_of
from ecrlab.scanning.plain import plain
from ecrlab.scanning.report import Report
from ecrlab.scanning.scanner import exempt
from ecrlab.scanning.vulnerabilities.allowlist import read_allow_list
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES, rank

CLEAN, FOUND, UNREADABLE = 0, 1, 2

_PRIVATE = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\..+")

Fetch = Callable[[str], bytes]
"""Returns the manifest or index of a tag or digest."""
OpenBlob = Callable[[str], BinaryIO]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab scan`."""
    add = parser.add_argument
    add(
        "target",
        metavar="TARGET",
        help="an image: an OCI layout (folder or tar), a `docker save` tar, or one in a running lab by its name",
    )
    add(
        "--advisories",
        type=Path,
        metavar="PATH",
        help="OSV advisories: a JSON file, a folder, or a zip (default: the kit's own)",
    )
    add("--inventory", action="store_true", help="also print every package (the JSON always has them)")
    add("--fail-on", type=str.upper, choices=SEVERITIES[::-1], metavar="SEVERITY",
        help="exit 1 on a finding of this severity or worse: " + ", ".join(SEVERITIES[::-1]))  # fmt: skip
    add(
        "--ignore",
        type=Path,
        metavar="FILE",
        help="accepted findings, one on each line: ID [PACKAGE] [until YYYY-MM-DD] [# why]",
    )
    add("--output", choices=("table", "json"), default="table", help="output format (default: table)")
    add(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="scan as on this day: its advisories, its exceptions",
    )
    add("--reference", metavar="NAME", help="the image to scan, if the target holds several")
    add(
        "--platform",
        metavar="OS/ARCH",
        help="the platform of the image (default: linux/amd64 if the target holds several)",
    )
    add("--endpoint", help="the lab that holds the image, if several run")


def run(options: argparse.Namespace) -> int:
    """Scan as the options say, print the report, and return the exit status."""
    try:
        advisories = load(options.advisories) if options.advisories else embedded()
        exemptions = read_allow_list(options.ignore) if options.ignore else ()
        now = datetime.combine(options.as_of, time.max, UTC) if options.as_of else None
        report = judge(_inventory(options), advisories=advisories, now=now)
        report = exempt(report, exemptions, options.as_of or datetime.now(UTC).date())
    except EcrLabError as problem:
        _complain(problem)
        return UNREADABLE
    _print(report, options)
    # Findings come first: further reading cannot remove them.
    if options.fail_on and any(rank(finding.severity) >= rank(options.fail_on) for finding in report.findings):
        return FOUND
    return CLEAN if report.is_whole else UNREADABLE


def _inventory(options: argparse.Namespace) -> Inventory:
    try:
        platform = platforms.normalized(options.platform) if options.platform else None
        path = Path(options.target)
        if _is_there(path):
            layers: Sequence[LayerSource] = open_target(path, reference=options.reference, platform=platform)
        else:
            layers = image_layers(options.target, platform, options.endpoint)
    except UnsupportedImageError as problem:
        return Inventory("UNSUPPORTED_IMAGE", str(problem))
    except LayerError as problem:
        return Inventory("FAILED", str(problem))
    return take_inventory(layers)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no file can have this name, but an image can
        return False


def _print(report: Report, options: argparse.Namespace) -> None:
    if options.output == "json":
        print(json.dumps(report.to_json(), indent=2))
    else:
        from rich.console import Console  # here, because a scan with JSON output should not import rich

        from ecrlab.scanning.table import print_report

        terminal = sys.stdout.isatty()
        # Notebooks and CI set FORCE_COLOR; a file or a pipe is plain even so, with a line for each row.
        shape: dict[str, Any] = {} if terminal else {"force_terminal": False, "color_system": None, "width": 500}
        print_report(report, Console(highlight=False, **shape), inventory=options.inventory)
    if report.status != "COMPLETE":
        _complain(f"{report.status}: {report.reason}")
    elif not report.is_whole:
        unread = dict.fromkeys(item.kind for item in report.not_inventoried)
        open_questions = dict.fromkeys(item.id for item in report.unresolved)
        _complain(f"the scan is incomplete: {', '.join([*unread, *open_questions])}")


def _complain(problem: object) -> None:
    print(f"ecrlab scan: {plain(problem)}", file=sys.stderr)


def image_layers(name: str, platform: str | None = None, endpoint: str | None = None) -> Sequence[LayerSource]:
    """Return the layers, lowest first, of an image in a running lab or in the gallery.

    Raises `EcrLabError` if there is no such image, no lab, or only images for other platforms.
    """
    try:
        reference = references.parse(name).with_tag()
    except DockerError as error:
        raise TargetError(f"{name}: there is no such file or folder, and it is no name of an image") from error
    if reference.domain == references.PUBLIC:
        return _from_gallery(reference, platform)
    return _from_lab(reference, platform, endpoint)


def _from_gallery(reference: Reference, platform: str | None) -> Sequence[LayerSource]:
    from ecrlab import gallery

    def fetch(wanted: str) -> bytes:
        found = gallery.manifest(reference.path, wanted)
        if found is None:
            hint = references.what_the_gallery_has(reference)
            raise TargetError(f"the kit has no {reference}, and scan reads no other images of {gallery.HOST}{hint}")
        return found.body

    def open_blob(digest: str) -> BinaryIO:
        return io.BytesIO(gallery.blob(reference.path, digest) or b"")

    return _layers(reference, platform, fetch, open_blob)


def _from_lab(reference: Reference, platform: str | None, endpoint: str | None) -> Sequence[LayerSource]:
    from botocore.exceptions import BotoCoreError, ClientError

    lab = running.choose(endpoint)
    private = _PRIVATE.fullmatch(reference.domain)
    region = private[2] if private else environment.REGION
    ecr = account.lab_client(lab, region)
    # On Docker Hub `my-app:v1` names an image of the official library; here it is a repository of the lab.
    repository = {"repositoryName": reference.path.removeprefix("library/")}
    repository |= {"registryId": private[1]} if private else {}

    def fetch(wanted: str) -> bytes:
        image_id = {"imageDigest": wanted} if ":" in wanted else {"imageTag": wanted}
        answer = ecr.batch_get_image(**repository, imageIds=[image_id])
        if answer["failures"]:
            raise TargetError(f"{reference}: {answer['failures'][0]['failureReason']}")
        body: str = answer["images"][0]["imageManifest"]
        return body.encode()

    def open_blob(digest: str) -> BinaryIO:
        try:
            url = ecr.get_download_url_for_layer(**repository, layerDigest=digest)["downloadUrl"]
        except (BotoCoreError, ClientError) as error:
            raise OSError(str(error)) from error
        # Never through a proxy: the lab is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        stream: BinaryIO = opener.open(url, timeout=60)
        return stream

    try:
        return _layers(reference, platform, fetch, open_blob)
    except (BotoCoreError, ClientError) as error:
        raise TargetError(f"{reference}: {error}") from error


def _layers(reference: Reference, platform: str | None, fetch: Fetch, open_blob: OpenBlob) -> Sequence[LayerSource]:
    try:
        image = manifest.read(fetch(reference.digest or reference.tag), by_members=True)
        if image.is_index:
            digest = platforms.choose(image, platform or platforms.default_platform(), str(reference))
            return layers_of(manifest.read(fetch(digest), by_members=True), open_blob)
    except InvalidManifest as error:
        raise TargetError(f"{reference}: {error}") from error
    layers = layers_of(image, open_blob)
    if platform is not None and image.config:
        try:
            with open_blob(image.config.digest) as stream:
                config = strict_json.read_object(stream.read(), largest=manifest.LARGEST)
        except (OSError, ValueError) as error:
            raise TargetError(f"{reference}: its configuration cannot be read: {error}") from error
        check_platform(platform_of(config), platform)
    return layers
