"""Which of two versions is the older one: every ecosystem has its own order.

`1.10` is newer than `1.9` everywhere, but `1.0~rc1` is older than `1.0` only in Debian, `1.2_p1` newer than
`1.2` only in Alpine, and `5.3.0.RELEASE` equal to `5.3.0` only in Maven. The orders are `univers`'s, except
where it departs from the tools that define them:

* Alpine: `univers` has Gentoo's order, which refuses suffixes apk knows (`musl 1.2.4_git20230717-r5`);
  here it is apk's own (apk-tools, `version.c`).
* Maven: `univers` holds `1-release` and `1-0.alpha` to be other than Maven does (`ComparableVersion`, MNG-6964
  and MNG-7644), so both are rewritten before it sees them.
* npm and Go: Semantic Versioning ignores build metadata (`+…`, rule 10); `univers` would compare it.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from univers import debian, gem, maven

LONGEST_VERSION = 256
"""Characters; no ecosystem has longer ones, and the comparators are not made for hostile lengths."""


LANGUAGES = ("PyPI", "npm", "Maven", "Go", "RubyGems")
"""The ecosystems, as OSV spells them, that are no distribution."""


class VersionError(ValueError):
    """A version does not follow its ecosystem's grammar, or the ecosystem has no order known here."""


def compare(ecosystem: str, left: str, right: str) -> int:
    """Compare two versions of one ecosystem: negative when `left` is older, 0 when equal, positive when
    newer.

    `ecosystem` is spelled as OSV does; a release after a colon (`Debian:12`) does not matter here.
    Raises VersionError, naming the version, when either cannot be understood.

    >>> compare("Debian:12", "3.0.11-1~deb12u2", "3.0.13-1~deb12u1") < 0
    True
    >>> compare("Alpine:v3.18", "1.2.4_git20230717-r5", "1.2.4-r9") > 0
    True
    """
    family = ecosystem.partition(":")[0]
    if family not in _ORDERS:
        raise VersionError(f"no version order is known for ecosystem {ecosystem!r}")
    parse, order = _ORDERS[family]
    return order(_parsed(parse, family, left), _parsed(parse, family, right))


def has_order(ecosystem: str) -> bool:
    """Tell whether versions of this ecosystem can be compared here."""
    return ecosystem.partition(":")[0] in _ORDERS


@lru_cache(maxsize=8192)
def _parsed(parse: Callable[[str], Any], family: str, version: str) -> Any:
    if len(version) > LONGEST_VERSION:
        raise VersionError(f"a {family} version is {len(version)} characters long, at most {LONGEST_VERSION} are read")
    try:
        return parse(version)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as cause:
        # The comparators' parsers raise whatever falls out of their regular expressions on odd input.
        raise VersionError(f"{version!r} is not a {family} version") from cause


def _natural(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _debian(version: str) -> Any:
    return debian.Version.from_string(version)  # type: ignore[no-untyped-call]


def _debian_order(left: Any, right: Any) -> int:
    order: int = debian.compare_versions(left, right)  # type: ignore[no-untyped-call]
    return order


# Alpine: one token list per version. When two versions part at tokens of different kinds, the one whose kind
# comes earlier in this ranking is newer ("1.2.1" over "1.2a" over "1.2_p1" over "1.2~ab" over "1.2-r1" over "1.2"),
# except that a pre-release suffix makes a version older.
_FIRST, _NUMBER, _LETTER, _SUFFIX, _SUFFIX_NUMBER, _COMMIT, _REVISION, _END = range(8)
_PRE_RELEASES = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1}
_SUFFIXES = _PRE_RELEASES | {"cvs": 1, "svn": 2, "git": 3, "hg": 4, "p": 5}
_ALPINE = re.compile(
    r"(?P<numbers>\d+(?:\.\d+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:_[a-z]+\d*)*)(?:~(?P<commit>[0-9a-f]+))?(?:-r(?P<revision>\d+))?"
)


def _alpine(version: str) -> list[tuple[int, Any]]:
    match = _ALPINE.fullmatch(version)
    if match is None:
        raise ValueError(version)
    first, *numbers = match["numbers"].split(".")
    tokens: list[tuple[int, Any]] = [(_FIRST, int(first))]
    tokens += [(_NUMBER, number) for number in numbers]
    if match["letter"]:
        tokens.append((_LETTER, match["letter"]))
    for name, number in re.findall(r"_([a-z]+)(\d*)", match["suffixes"]):
        tokens.append((_SUFFIX, _SUFFIXES[name]))
        if number:
            tokens.append((_SUFFIX_NUMBER, int(number)))
    if match["commit"]:
        tokens.append((_COMMIT, match["commit"]))
    if match["revision"] is not None:
        tokens.append((_REVISION, int(match["revision"])))
    return [*tokens, (_END, 0)]


def _alpine_order(left: list[tuple[int, Any]], right: list[tuple[int, Any]]) -> int:
    for (left_kind, left_value), (right_kind, right_value) in zip(left, right, strict=False):
        if left_kind != right_kind:
            if left_kind == _SUFFIX and left_value < 0:
                return -1
            if right_kind == _SUFFIX and right_value < 0:
                return 1
            return right_kind - left_kind
        if left_kind == _NUMBER and "0" not in (left_value[0], right_value[0]):
            left_value, right_value = int(left_value), int(right_value)
        # A component with a leading zero is compared as text, as a fraction would be: 1.05 is older than 1.1.
        if left_value != right_value:
            return _natural(left_value, right_value)
    return 0


def _maven(version: str) -> Any:
    version = re.sub(r"(?<![a-z])release(?![a-z])", "ga", version.strip().lower())
    return maven.Version(re.sub(r"(?:[-.]0+)+[-.](?=[a-z])", "-", version))  # type: ignore[no-untyped-call]


def _semver(version: str) -> Any:
    from univers.versions import SemverVersion

    return SemverVersion(version.partition("+")[0])


def _pypi(version: str) -> Any:
    from univers.versions import PypiVersion  # here, for it takes as long to import as all of this room

    return PypiVersion(version)


_Order = tuple[Callable[[str], Any], Callable[[Any, Any], int]]
_ORDERS: dict[str, _Order] = {
    "Debian": (_debian, _debian_order),
    "Ubuntu": (_debian, _debian_order),
    "Alpine": (_alpine, _alpine_order),
    "Wolfi": (_alpine, _alpine_order),
    "Chainguard": (_alpine, _alpine_order),
    "PyPI": (_pypi, _natural),
    "npm": (_semver, _natural),
    "Go": (_semver, _natural),
    "Maven": (_maven, _natural),
    "RubyGems": (gem.GemVersion, _natural),
}
