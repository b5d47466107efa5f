"""The about and usage texts of a repository: GitHub's Markdown, written by anybody, as harmless HTML.

HTML in the text is shown as text, pictures as links to them; a link leads to http, https or mailto only.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BELOW = 2
"""How far headings are moved down: the page has its own of the first two levels."""


def as_html(text: str) -> str:
    """Return a text in Markdown as HTML.

    >>> print(as_html("# Run it, <b>now</b>"), end="")
    <h3>Run it, &lt;b&gt;now&lt;/b&gt;</h3>
    """
    tokens = _reader().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + BELOW, 6)}"
    shown: str = _reader().renderer.render(tokens, _reader().options, {})
    return shown


@cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
