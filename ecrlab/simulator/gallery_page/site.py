"""The gallery on the lab's port: its pages below `/gallery/`, and the logos that the API's `logoUrl` names."""

import base64
from typing import Any
from urllib.parse import quote, unquote

from ecrlab.errors import EcrLabError
from ecrlab.registry import catalog, names
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import read_signature
from ecrlab.simulator.aws.face import Answer
from ecrlab.simulator.gallery_page import listings, page
from ecrlab.simulator.gallery_page.page import Places

PREFIX = "/gallery/"
LOGOS = f"{PREFIX}logo/"

HEADERS = {
    "Content-Security-Policy": f"{page.POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

ON_PORT = Places(
    home=PREFIX,
    repository=lambda full_name: PREFIX + quote(full_name),
    logo=lambda logo_id: f"{LOGOS}{quote(logo_id)}.png",
)


def is_for_people(environ: dict[str, Any]) -> bool:
    """Tell whether a request is for these pages; a signed one is for a bucket of S3 with the name `gallery`."""
    return (
        f"{environ['PATH_INFO']}/".startswith(PREFIX)
        and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        and read_signature(environ.get("HTTP_AUTHORIZATION", "")) is None
        and "Signature=" not in environ.get("QUERY_STRING", "")
    )


def answer(world: World, path: str) -> Answer:
    """Answer a GET of a path below `/gallery/`."""
    if path.startswith(LOGOS):
        found = catalog.logo(world, path.removeprefix(LOGOS).removesuffix(".png"))
        return _answer(404, "text/plain", b"no such logo\n") if found is None else _answer(200, "image/png", found)
    full_name = unquote(f"{path}/".removeprefix(PREFIX)).rstrip("/")
    if not full_name:
        return _page(200, page.of_all(listings.of_all(world), ON_PORT))
    found_one = listings.of_one(world, full_name)
    if found_one is None:
        return _page(404, page.of_none(full_name, ON_PORT))
    return _page(200, page.of_one(found_one, ON_PORT))


class InCell:
    """A page of the gallery in a cell of a notebook, in a frame that runs no script and asks for nothing."""

    def __init__(self, world: World, full_name: str | None) -> None:
        """Read the list of all repositories, or one of them. Raises `EcrLabError` if there is none of this name."""
        places = Places(None, lambda _: None, lambda logo_id: _as_data(catalog.logo(world, logo_id)))
        if full_name is None:
            self.listings = listings.of_all(world)
            self._page = page.of_all(self.listings, places)
        else:
            found = listings.of_one(world, full_name.removeprefix(f"{names.PUBLIC_HOST}/"))
            if found is None:
                raise EcrLabError(f"the lab has no public repository {full_name!r}; lab.gallery() lists them")
            self.listings = [found]
            self._page = page.of_one(found, places)
        self._title = full_name or "Public gallery"

    def _repr_html_(self) -> str:
        return page.framed(self._page, self._title, repr(self))

    def __repr__(self) -> str:
        return "\n".join(page.in_words(listing) for listing in self.listings)


def _as_data(logo: bytes | None) -> str:
    return "data:image/png;base64," + base64.b64encode(logo or b"").decode()


def _page(status: int, text: str) -> Answer:
    return _answer(status, "text/html; charset=utf-8", text.encode())


def _answer(status: int, content_type: str, body: bytes) -> Answer:
    return Answer(status, {"Content-Type": content_type, **HEADERS}, body)
