"""The HTML of the gallery. Every value is escaped, and a Content-Security-Policy in each page forbids scripts."""

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ecrlab.simulator.gallery_page.listings import Listing, Tag
from ecrlab.simulator.gallery_page.markdown import as_html

POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; color: #16191f; background: #fff; max-width: 60rem; margin: 0 auto;
  padding: 1rem }
a { color: #0b5394 } h1 { font-size: 1.6rem; margin: .5rem 0; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #0b5394 }
ul.repositories { list-style: none; padding: 0 }
ul.repositories > li { border: 1px solid #8d99a8; border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0 }
ul.repositories h2 { border: 0; margin: 0; overflow-wrap: anywhere }
ul.badges { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; margin: .5rem 0 }
ul.badges li { background: #e8f0f8; color: #12385c; border-radius: 1rem; padding: 0 .7rem; font-size: .875rem }
p { overflow-wrap: anywhere } .by { color: #45505e; margin: 0 }
img.logo { float: right; width: 5rem; height: 5rem; object-fit: contain; margin: 0 0 1rem 1rem }
pre, code { font-family: ui-monospace, monospace; font-size: .875rem }
pre { background: #f2f4f6; padding: .75rem 1rem; border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .875rem }
caption { text-align: left } th, td { border-bottom: 1px solid #c5ccd4; padding: .3rem 1rem .3rem 0; text-align: left }
td { white-space: nowrap } td.number { text-align: right; font-variant-numeric: tabular-nums }
"""

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
<link rel="icon" href="data:,">
<base target="_blank">
</head>
<body>
<main>
"""
_DATE = "%Y-%m-%d %H:%M"
FOOT = "</main>\n</body>\n</html>\n"

MOST_TAGS = 100
"""The most tags on a page."""


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses that a page names: of the list, of a repository by its full name, and of a logo by its id.

    Without an address a name is no link.
    """

    home: str | None
    repository: Callable[[str], str | None]
    logo: Callable[[str], str]


def of_all(listings: Sequence[Listing], places: Places) -> str:
    """Return the page that lists repositories."""
    items = "".join(_item(listing, places.repository(listing.full_name)) for listing in listings)
    said = f"{len(listings)} public repositories. Everybody may pull from them, also without a login."
    heading = "<h1>Public gallery</h1>\n"
    return _page("Public gallery", [heading, _paragraph(said), f'<ul class="repositories">\n{items}</ul>\n'])


def of_one(listing: Listing, places: Places) -> str:
    """Return the page of one repository."""
    name = _text(listing.full_name)
    parts = [_way_back(places)]
    if listing.logo_id:
        parts.append(f'<img class="logo" src="{_text(places.logo(listing.logo_id))}" alt="Logo of {name}">\n')
    parts += [f"<h1>{name}</h1>\n", _about(listing)]
    parts.append(f"<h2>Pull it</h2>\n<pre>docker pull {_text(listing.uri + _newest(listing))}</pre>\n")
    for head, text in (("About", listing.about), ("Usage", listing.usage)):
        if text:
            parts.append(f"<h2>{head}</h2>\n{as_html(text)}")
    return _page(listing.full_name, [*parts, "<h2>Image tags</h2>\n", _tags(listing)])


def of_none(full_name: str, places: Places) -> str:
    """Return the page that says that there is no such repository."""
    said = f"No public repository of this lab is called {full_name[:300]}."
    return _page("Not found", ["<h1>Not found</h1>\n", _paragraph(said), _way_back(places)])


def framed(text: str, title: str, words: str) -> str:
    """Return a page as a frame in another one, and the same in words for readers that show no frames."""
    # Links open in a tab of their own; the sandbox allows nothing else.
    allowed = "allow-popups allow-popups-to-escape-sandbox"
    style = "width: 100%; height: 30rem; border: 1px solid #8d99a8"
    frame = f'<iframe title="{_text(title)}" sandbox="{allowed}" style="{style}" srcdoc="{_text(text)}"></iframe>'
    return f"{frame}\n<details><summary>The same as text</summary><pre>{_text(words)}</pre></details>"


def in_words(listing: Listing) -> str:
    """Return a repository as lines of text.

    >>> print(in_words(Listing("l9v4i4d7/my-app", "Ann", description="Greets people")))
    public.ecr.aws/l9v4i4d7/my-app  Greets people
    """
    tags = [f"  {tag.name}  {_size(tag.size_in_bytes)}  {tag.pushed_at:{_DATE}}" for tag in listing.tags[:MOST_TAGS]]
    return "\n".join([f"{listing.uri}  {listing.description}".rstrip(), *tags])


def _item(listing: Listing, address: str | None) -> str:
    name = _text(listing.full_name)
    heading = f'<a href="{_text(address)}" target="_self">{name}</a>' if address else name
    return f"<li>\n<h2>{heading}</h2>\n{_about(listing)}</li>\n"


def _about(listing: Listing) -> str:
    description = _paragraph(listing.description) if listing.description else ""
    return f'<p class="by">by {_text(listing.publisher)}</p>\n{description}{_badges(listing)}'


def _way_back(places: Places) -> str:
    if places.home is None:
        return ""
    return f'<p><a href="{_text(places.home)}" target="_self">All public repositories</a></p>\n'


def _badges(listing: Listing) -> str:
    words = [*listing.operating_systems, *listing.architectures]
    if not words:
        return ""
    items = "".join(f"<li>{_text(word)}</li>" for word in words)
    return f'<ul class="badges" aria-label="Operating systems and architectures">{items}</ul>\n'


def _tags(listing: Listing) -> str:
    if not listing.tags:
        return _paragraph("No image has a tag.")
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Tag", "Size", "Pushed", "Digest"))
    rows = "".join(_row(tag) for tag in listing.tags[:MOST_TAGS])
    some = (
        f"The newest {MOST_TAGS} of {len(listing.tags)} tags" if len(listing.tags) > MOST_TAGS else "The newest first"
    )
    caption = f"<caption>{some}; sizes are compressed, dates are UTC.</caption>"
    table = f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>"
    return f'<div class="wide" role="region" tabindex="0" aria-label="Image tags">{table}</div>\n'


def _row(tag: Tag) -> str:
    return (
        f'<tr><th scope="row">{_text(tag.name)}</th><td class="number">{_size(tag.size_in_bytes)}</td>'
        f"<td>{tag.pushed_at:{_DATE}}</td><td><code>{_text(tag.digest)}</code></td></tr>\n"
    )


def _size(size_in_bytes: int) -> str:
    """Return a size in units of a thousand."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_in_bytes >= one:
            return f"{size_in_bytes / one:.2f} {unit}"
    return f"{size_in_bytes} B"


def _newest(listing: Listing) -> str:
    names = [tag.name for tag in listing.tags]
    return f":{'latest' if 'latest' in names else names[0]}" if names else ""


def _page(title: str, parts: Iterable[str]) -> str:
    return "".join([HEAD.format(policy=POLICY, title=_text(title), style=STYLE), *parts, FOOT])


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>\n"


def _text(value: str) -> str:
    return html.escape(value)
