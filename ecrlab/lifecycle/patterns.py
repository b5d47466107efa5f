"""Tag patterns: literal text with `*` for any run of characters, also none.

Matching is by literal pieces from left to right, so that its cost grows with the length of the tag only,
whatever the pattern. Source: AWS user guide, lifecycle policy parameters (tagPatternList, tagPrefixList).
"""

from dataclasses import dataclass

WILDCARD = "*"
_ANYTHING = "\0"
"""Stands for a wildcard where one pattern is held against another; no tag and no pattern has it."""


@dataclass(frozen=True, slots=True)
class TagPattern:
    """A pattern as the literal pieces between its wildcards: `prod*` has the pieces `prod` and nothing.

    >>> TagPattern.from_pattern("*prod*").matches("repo-production")
    True
    >>> TagPattern.from_prefix("v").covers(TagPattern.from_pattern("v1.*"))
    True
    """

    pieces: tuple[str, ...]

    @classmethod
    def from_pattern(cls, text: str) -> "TagPattern":
        """One entry of a tagPatternList. Without a `*` it means exactly that tag."""
        # UNSURE: letters are compared with their case, since tags have case; AWS documents neither this nor
        # that a plain word is exact.
        return cls(tuple(text.split(WILDCARD)))

    @classmethod
    def from_prefix(cls, text: str) -> "TagPattern":
        """One entry of a tagPrefixList; a `*` in it is an ordinary character."""
        return cls((text, ""))

    @property
    def is_prefix(self) -> bool:
        """Whether it asks for a beginning and nothing else."""
        return len(self.pieces) == 2 and not self.pieces[1]

    def matches(self, tag: str) -> bool:
        """Whether the whole tag fits."""
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
        """Whether every tag that fits `other` fits this one too."""
        return self.matches(_ANYTHING.join(other.pieces))

    def __str__(self) -> str:
        """The pattern as one would write it, with characters that no tag has made visible."""
        return WILDCARD.join(self.pieces).encode("unicode_escape").decode()
