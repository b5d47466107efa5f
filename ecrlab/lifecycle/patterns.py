"""Tag patterns: literal text, where `*` matches any run of characters, also an empty one.

A match compares the literal pieces from left to right, so its cost grows only with the length of the tag.
Source: AWS user guide, lifecycle policy parameters (tagPatternList, tagPrefixList).
"""

from dataclasses import dataclass

WILDCARD = "*"
_ANYTHING = "\0"
"""Stands for a wildcard where one pattern is matched against another; no tag and no pattern contains it."""


@dataclass(frozen=True, slots=True)
class TagPattern:
    """A pattern as the literal pieces between its wildcards: `prod*` has the pieces `prod` and an empty one.

    >>> TagPattern.from_pattern("*prod*").matches("repo-production")
    True
    >>> TagPattern.from_prefix("v").covers(TagPattern.from_pattern("v1.*"))
    True
    """

    pieces: tuple[str, ...]

    @classmethod
    def from_pattern(cls, text: str) -> "TagPattern":
        """Return the pattern of an entry of a tagPatternList. Without a `*` it matches exactly that tag."""
        # UNSURE: the match is case-sensitive, because tags are; AWS documents neither this nor that a plain word is
        # exact.
        return cls(tuple(text.split(WILDCARD)))

    @classmethod
    def from_prefix(cls, text: str) -> "TagPattern":
        """Return the pattern of an entry of a tagPrefixList, where a `*` is an ordinary character."""
        return cls((text, ""))

    @property
    def is_prefix(self) -> bool:
        """Whether the pattern is a prefix and nothing else."""
        return len(self.pieces) == 2 and not self.pieces[1]

    def matches(self, tag: str) -> bool:
        """Whether the pattern matches the whole tag."""
        head, *middle = self.pieces
        if not middle:
            return tag == head
        tail = middle.pop()
        here, end = len(head), len(tag) - len(tail)
        if end < here or not tag.startswith(head) or not tag.endswith(tail):
            return False
        for piece in middle:
            found = tag.find(piece, here, end)
            if found < 0:
                return False
            here = found + len(piece)
        return True

    def covers(self, other: "TagPattern") -> bool:
        """Whether this pattern matches every tag that `other` matches."""
        return self.matches(_ANYTHING.join(other.pieces))

    def __str__(self) -> str:
        """Return the pattern as written, with unprintable characters escaped."""
        return WILDCARD.join(self.pieces).encode("unicode_escape").decode()
