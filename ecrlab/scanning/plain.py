"""Text from an image, made safe for a terminal."""


def plain(text: object) -> str:
    r"""Spell a text with its control characters escaped: an image must not command the terminal.

    >>> print(plain("evil" + chr(27) + "[2J"))
    evil\x1b[2J
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
