"""Images from AWS's own answers: `aws ecr describe-images`, and `aws ecr batch-get-image` for the children of indexes.

Dates are seconds since 1970 (AWS CLI v1), ISO 8601 text (CLI v2) or datetimes (boto3). A value that breaks a rule is
rejected with its place. The reader never guesses, because a wrong guess may delete an image.
"""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecrlab.lifecycle.errors import UnreadableInput
from ecrlab.lifecycle.image import ACTIVATING, Image
from ecrlab.lifecycle.policy import ARCHIVE, STANDARD
from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson

LONGEST_TAG = 300
"""Characters of a tag (botocore model, ImageTag)."""
_STORAGE_CLASSES = {None: STANDARD, "ACTIVE": STANDARD, "ARCHIVED": ARCHIVE, "ACTIVATING": ACTIVATING}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The references of a manifest: the children of an index, and the subject of a referrer."""

    children: tuple[str, ...]
    subject: str | None


def document(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raises `UnreadableInput`."""
    try:
        return strict_json.read(text)
    except InvalidJson as error:
        raise UnreadableInput(f"not JSON: {error.why}", error.place) from error


def images(answer: Any, manifests: Mapping[str, Manifest] | None = None) -> list[Image]:
    """Return the images of a describe-images answer, with children and subjects from `manifests` (see below)."""
    with _no_collecting():
        return _images(answer, manifests or {})


def _images(answer: Any, manifests: Mapping[str, Manifest]) -> list[Image]:
    seen: dict[str, int] = {}
    found = []
    for position, detail in enumerate(_entries(answer, "imageDetails", "describe-images")):
        try:
            image = _image(detail, manifests)
        except UnreadableInput as error:
            place = f"imageDetails[{position}]"
            raise UnreadableInput(error.rule, f"{place}.{error.place}" if error.place else place) from error
        first = seen.setdefault(image.image_digest, position)
        if first != position:
            raise UnreadableInput(
                f"each digest occurs once, but {shown(image.image_digest)} is that of imageDetails[{first}] too",
                f"imageDetails[{position}].imageDigest",
            )
        found.append(image)
    return found


def manifests(answer: Any) -> dict[str, Manifest]:
    """Return the manifests of a batch-get-image answer, by digest."""
    found = {}
    for position, entry in enumerate(_entries(answer, "images", "batch-get-image")):
        place = f"images[{position}]"
        identifier = entry.get("imageId") if isinstance(entry, dict) else None
        if not isinstance(identifier, dict):
            raise UnreadableInput("an image needs an imageId", place)
        try:
            digest = _text(identifier, "imageDigest", required=True)
            found[digest] = _manifest(document(_text(entry, "imageManifest", required=True)))
        except UnreadableInput as error:
            raise UnreadableInput(error.rule, f"{place}.{error.place}" if error.place else place) from error
    return found


def instant(value: Any) -> datetime:
    """Return a date of an AWS answer as an aware datetime in UTC."""
    if type(value) is str:
        try:
            when = datetime.fromisoformat(value)
        except ValueError as error:
            raise UnreadableInput(f"a date is ISO 8601 or seconds since 1970, got {shown(value)}") from error
    elif isinstance(value, datetime):
        when = value
    elif type(value) in (int, float):
        try:
            when = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise UnreadableInput(f"seconds since 1970 lead beyond the calendar: {shown(value)}") from error
    else:
        raise UnreadableInput(f"a date is ISO 8601 or seconds since 1970, got {shown(value)}")
    if when.tzinfo is UTC:
        return when
    if when.tzinfo is None:
        raise UnreadableInput(f"a date needs a time zone such as Z or +02:00, got {shown(value)}")
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        raise UnreadableInput(f"a date beyond the calendar: {shown(value)}") from error


def shown(value: Any, most: int = 80) -> str:
    """Return a value as JSON for a message: in ASCII, on one line, and shortened."""
    text = value[: most + 1] if isinstance(value, str) else value
    try:
        text = json.dumps(text, default=str)
    except (RecursionError, ValueError):
        text = type(value).__name__
    return text if len(text) <= most else text[: most - 3] + "..."


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Pause Python's cycle collector, which would visit millions of new objects again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _entries(answer: Any, key: str, command: str) -> Iterable[Any]:
    if not isinstance(answer, dict):
        raise UnreadableInput(f"the answer of `aws ecr {command}` is a JSON object, got {shown(answer)}")
    entries = answer.get(key)
    if not isinstance(entries, list):
        raise UnreadableInput(f"the answer of `aws ecr {command}` has a list {key}")
    return entries


def _image(detail: Any, known: Mapping[str, Manifest]) -> Image:
    if not isinstance(detail, dict):
        raise UnreadableInput(f"an image is a JSON object, got {shown(detail)}")
    digest = _text(detail, "imageDigest", required=True)
    pushed_at = _date(detail, "imagePushedAt")
    if pushed_at is None:
        raise UnreadableInput("an image needs the time of its push", "imagePushedAt")
    status = detail.get("imageStatus")
    if not isinstance(status, str | None) or status not in _STORAGE_CLASSES:
        raise UnreadableInput(f"an image is ACTIVE, ARCHIVED or ACTIVATING, got {shown(status)}", "imageStatus")
    manifest = known.get(digest)
    return Image(
        digest,
        _tags(detail.get("imageTags")),
        pushed_at,
        _date(detail, "lastRecordedPullTime"),
        _STORAGE_CLASSES[status],
        _date(detail, "lastArchivedAt"),
        _date(detail, "lastActivatedAt"),
        _text(detail, "subjectManifestDigest") or (manifest.subject if manifest else None),
        manifest.children if manifest else (),
        _text(detail, "imageManifestMediaType"),
        _size(detail.get("imageSizeInBytes", 0)),
    )


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise UnreadableInput(f"tags are a list, got {shown(value)}", "imageTags")
    for position, tag in enumerate(value):
        if type(tag) is not str or not 0 < len(tag) <= LONGEST_TAG or not _is_plain(tag):
            raise UnreadableInput(
                f"a tag is plain text of 1 to {LONGEST_TAG} characters, got {shown(tag)}"
                + (f" of {len(tag)} characters" if isinstance(tag, str) else ""),
                f"imageTags[{position}]",
            )
    return tuple(value)


def _is_plain(text: str) -> bool:
    """Whether a text is safe to print on any terminal."""
    return text.isascii() and text.isprintable()


def _date(detail: dict[str, Any], key: str) -> datetime | None:
    value = detail.get(key)
    if value is None:
        return None
    try:
        return instant(value)
    except UnreadableInput as error:
        raise UnreadableInput(error.rule, key) from error


def _text(table: dict[str, Any], key: str, required: bool = False) -> str:
    value = table.get(key)
    if value is None and not required:
        return ""
    if type(value) is not str or (not _is_plain(value) and key != "imageManifest") or (required and not value):
        raise UnreadableInput(f"{key} is text, got {shown(value)}", key)
    return value


def _size(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise UnreadableInput(f"a size is a number of bytes, got {shown(value)}", "imageSizeInBytes")
    return value


def _manifest(value: Any) -> Manifest:
    if not isinstance(value, dict):
        raise UnreadableInput(f"a manifest is a JSON object, got {shown(value)}", "imageManifest")
    children = value.get("manifests", [])
    if not isinstance(children, list):
        raise UnreadableInput("manifests are a list", "imageManifest")
    subject = value.get("subject")
    return Manifest(tuple(map(_descriptor, children)), None if subject is None else _descriptor(subject))


def _descriptor(value: Any) -> str:
    digest = value.get("digest") if isinstance(value, dict) else None
    if not isinstance(digest, str):
        raise UnreadableInput(f"a descriptor has a digest, got {shown(value)}", "imageManifest")
    return digest
