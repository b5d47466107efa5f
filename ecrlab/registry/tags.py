"""Which tags may move.

A repository's setting is one of four (botocore model, ImageTagMutability): all tags may move, none may, or one of these
with exclusions - wildcard filters that name the tags for which the opposite holds (AWS user guide, image tag
mutability).
"""

import functools
import re

from ecrlab.registry.repositories import Settings


def is_immutable(settings: Settings, tag: str) -> bool:
    """Return whether a repository with these settings rejects moving the tag.

    >>> release = Settings(image_tag_mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest", "dev-*"))
    >>> [is_immutable(release, tag) for tag in ("v1.2.3", "latest", "dev-7", "latest-7")]
    [True, False, False, True]
    """
    immutable = settings.image_tag_mutability.startswith("IMMUTABLE")
    if not settings.image_tag_mutability.endswith("_WITH_EXCLUSION"):
        return immutable
    excluded = any(_pattern(wildcard).fullmatch(tag) for wildcard in settings.exclusion_filters)
    return immutable != excluded


@functools.lru_cache(maxsize=1024)
def _pattern(wildcard: str) -> re.Pattern[str]:
    """Compile a filter. It matches a whole tag; `*` matches any characters, or none."""
    return re.compile(".*".join(re.escape(part) for part in wildcard.split("*")))
