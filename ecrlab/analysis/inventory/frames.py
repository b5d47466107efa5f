"""Answers of ECR as tidy tables: one row for each thing, the columns named as AWS names them.

Any boto3 ECR client will do, the lab's or one of a real account; nothing is changed.
"""

from typing import TYPE_CHECKING, Any

from ecrlab.errors import EcrLabError

if TYPE_CHECKING:
    import pandas as pd


def images(ecr: Any, repository: str) -> "pd.DataFrame":
    """One row for each image of a repository, in the order of their pushes.

    Columns: `tags` (joined by spaces, empty for untagged), `digest` (its first 12 hexadecimal digits), `pushed` (UTC),
    `bytes` (compressed), `media type`; indexed from 1.
    """
    import pandas as pd

    details = _paged(ecr, "describe_images", "imageDetails", repositoryName=repository)
    rows = [
        {
            "tags": " ".join(detail.get("imageTags", [])),
            "digest": short(detail["imageDigest"]),
            "pushed": detail["imagePushedAt"].strftime("%Y-%m-%d %H:%M:%S"),
            "bytes": detail.get("imageSizeInBytes"),
            "media type": detail.get("imageManifestMediaType"),
        }
        for detail in sorted(details, key=lambda detail: detail["imagePushedAt"])
    ]
    return _numbered(pd.DataFrame(rows, columns=["tags", "digest", "pushed", "bytes", "media type"]))


def layers(ecr: Any, repository: str, tag: str) -> "pd.DataFrame":
    """One row for each blob of the image that a tag points at: config first, then the layers from the lowest up.

    Columns: `part`, `digest` (its first 12 hexadecimal digits), `bytes` (compressed), `media type`. Raises
    `EcrLabError` for an index, which has no layers of its own, and for a tag that is not there.
    """
    import pandas as pd

    manifest = _manifest(ecr, repository, tag)
    if "config" not in manifest:
        raise EcrLabError(f"{repository}:{tag} is an index of images for several platforms; ask for one of them")
    parts = [("config", manifest["config"])]
    parts += [(f"layer {number}", layer) for number, layer in enumerate(manifest.get("layers", []), start=1)]
    rows = [
        {"part": part, "digest": short(blob["digest"]), "bytes": blob["size"], "media type": blob["mediaType"]}
        for part, blob in parts
    ]
    return pd.DataFrame(rows).set_index("part")


def platforms(ecr: Any, repository: str, tag: str) -> "pd.DataFrame":
    """One row for each image that an index lists: `platform` (os/architecture), `digest` and what it `is`.

    An attestation says of itself that it is for `unknown/unknown`. Raises `EcrLabError` for an image that is no index,
    and for a tag that is not there.
    """
    import pandas as pd

    index = _manifest(ecr, repository, tag)
    if "manifests" not in index:
        raise EcrLabError(f"{repository}:{tag} is one image, not an index")
    rows = [
        {
            "platform": f"{child['platform']['os']}/{child['platform']['architecture']}",
            "digest": short(child["digest"]),
            "is": child.get("annotations", {}).get("vnd.docker.reference.type", "image").partition("-")[0],
        }
        for child in index["manifests"]
    ]
    return _numbered(pd.DataFrame(rows, columns=["platform", "digest", "is"]))


def short(digest: str) -> str:
    """The first 12 hexadecimal digits of a digest, as Docker shows it.

    >>> short("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    'e3b0c44298fc'
    """
    return digest.partition(":")[2][:12]


def _manifest(ecr: Any, repository: str, tag: str) -> dict[str, Any]:
    import json

    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    if not answer["images"]:
        raise EcrLabError(f"{repository} has no image tagged {tag}")
    manifest: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"])
    return manifest


def _paged(ecr: Any, operation: str, member: str, **request: Any) -> list[dict[str, Any]]:
    pages = ecr.get_paginator(operation).paginate(**request)
    return [one for page in pages for one in page[member]]


def _numbered(table: "pd.DataFrame") -> "pd.DataFrame":
    table.index = range(1, len(table) + 1)
    return table
