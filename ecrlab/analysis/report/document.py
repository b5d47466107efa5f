"""A page of HTML in one file, of a report or of a class: nothing in it loads anything.

A Content-Security-Policy in the page forbids all requests but for the pictures that it carries.
"""

import html
from collections.abc import Iterable

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
"""


def document(title: str, style: str, parts: Iterable[str]) -> str:
    """Return a whole page of some parts, which are HTML, under a title, which is text."""
    return "".join([HEAD.format(title=html.escape(title), style=style), *parts, "</body>\n</html>\n"])
