"""The gallery's pages: what they show, and that strangers' texts stay text."""

import http.client
import itertools
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from ecrlab.registry import names
from ecrlab.simulator.gallery_page import listings, page
from ecrlab.simulator.gallery_page.listings import Listing, Tag
from ecrlab.simulator.gallery_page.markdown import as_html
from ecrlab.simulator.gallery_page.site import ON_PORT, InCell
from tests.simulator.client import Repository, client_of
from tests.simulator.logos import png

ALIAS = names.default_alias("123456789012")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&</main>"


class Elements(HTMLParser):
    """The elements of a page and their attributes, in order, and its text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def api(server):
    return client_of(server.endpoint, "ecr-public")


@pytest.fixture(scope="module")
def published(api):
    """A repository with all that it can say about itself, and two tags."""
    catalog = {
        "description": "Greets <everybody>",
        "aboutText": "# Why\n\nBecause *so*.",
        "usageText": "```\ndocker run it\n```",
        "architectures": ["x86-64", "ARM 64"],
        "operatingSystems": ["Linux"],
        "logoImageBlob": png(64, 64),
    }
    api.create_repository(repositoryName="page/greeter", catalogData=catalog)
    repository = Repository(api, "page/greeter")
    repository.push(b"one", tag="v1")
    repository.push(b"two", tag="v2")
    return f"{ALIAS}/page/greeter"


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test_the_list_leads_to_each_repository(server, published):
    status, _, body = ask(server, "/gallery/")
    assert ask(server, "/gallery")[2] == body
    assert status == 200
    links = [one["href"] for one in Elements(body.decode()).all("a")]
    assert f"/gallery/{published}" in links
    assert "/gallery/docker/library/debian" in links
    for link in links:
        assert ask(server, link)[0] == 200


def test_the_page_of_a_repository_shows_what_it_says_about_itself(server, published):
    text = ask(server, f"/gallery/{published}")[2].decode()
    shown = Elements(text)
    assert shown.all("html") == [{"lang": "en"}]
    assert "Greets <everybody>" in shown.text
    assert f"docker pull public.ecr.aws/{published}:v2" in shown.text
    assert "<h3>Why</h3>\n<p>Because <em>so</em>.</p>" in text
    for word in ("x86-64", "ARM 64", "Linux", "docker run it"):
        assert word in shown.text
    assert shown.text.index("v2") < shown.text.index("v1")
    levels = [int(tag[1]) for tag, _ in shown.found if tag in ("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    [image] = shown.all("img")
    assert image["alt"] == f"Logo of {published}"
    status, headers, body = ask(server, image["src"])
    assert (status, headers["Content-Type"], body) == (200, "image/png", png(64, 64))


def test_the_logo_is_where_the_api_says(server, api, published):
    data = api.get_repository_catalog_data(repositoryName="page/greeter")["catalogData"]
    assert ask(server, urlsplit(data["logoUrl"]).path)[2] == png(64, 64)


@pytest.mark.parametrize("path", [f"{ALIAS}/nope", "nope", "a/b/c", "%3Cscript%3E/x", "logo/x.png", "123456789012/x"])
def test_what_is_not_there(server, published, path):
    status, _, body = ask(server, f"/gallery/{path}")
    assert status == 404
    assert b"<script" not in body


@pytest.mark.parametrize("path", ["", f"{ALIAS}/nope"])
def test_no_page_may_run_a_script(server, path):
    headers = ask(server, f"/gallery/{path}")[1]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_people_may_follow_a_link_to_it_and_no_page_may_read_it(server):
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    for path in ("/gallery/", "/gallery/docker/library/debian"):
        assert ask(server, path, **followed)[0] == 200
    assert ask(server, "/gallery/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(server, "/gallery/", Origin="https://example.com")[0] == 403


def test_a_bucket_may_be_called_gallery(server):
    s3 = client_of(server.endpoint, "s3")
    s3.create_bucket(Bucket="gallery")
    s3.put_object(Bucket="gallery", Key="x", Body=b"mine")
    assert s3.get_object(Bucket="gallery", Key="x")["Body"].read() == b"mine"
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "gallery", "Key": "x"}))
    assert ask(server, f"{url.path}?{url.query}")[2] == b"mine"


def hostile():
    now = listings.gallery.created("docker/library/debian", "bookworm-20260824-slim")
    words = dict.fromkeys(("full_name", "publisher", "description", "about", "usage", "logo_id"), HOSTILE)
    tags = (Tag(HOSTILE, HOSTILE, 1, now),)
    return Listing(**words, architectures=(HOSTILE,), operating_systems=(HOSTILE,), tags=tags)


@pytest.mark.parametrize("make", [page.of_one, lambda one, places: page.of_all([one], places)])
def test_hostile_texts_stay_text(make):
    shown = Elements(make(hostile(), ON_PORT))
    harmless = {tag for tag, _ in Elements(make(Listing("a/b", "c"), ON_PORT)).found}
    assert {tag for tag, _ in shown.found} - harmless <= {"img", "ul", "li", "table", "caption", "thead", "tbody"} | {
        *("tr", "th", "td", "code", "div", "p", "span")
    }
    assert not [name for _, attributes in shown.found for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in shown.text


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html,x)",
        "![x](http://127.0.0.1:1/spy.png)",
        "<javascript:alert(1)>",
        '[x](http://a "onclick=alert(1)")',
        "<iframe src=x>",
        "[" * 25_600,
        "*a" * 12_800,
        "> " * 12_800,
        "|a" * 12_800,
    ],
)
def test_hostile_markdown(text):
    shown = Elements(as_html(text))
    assert {tag for tag, _ in shown.found} <= {"p", "a", "em", "blockquote"}
    for attributes in shown.all("a"):
        assert attributes["href"].startswith(("http://a", "http://127.0.0.1:1/spy.png"))
        assert set(attributes) <= {"href", "title"}


def test_a_page_in_a_cell_needs_no_server(world, published):
    shown = InCell(world, published)
    outside = Elements(shown._repr_html_())
    [frame] = outside.all("iframe")
    assert repr(shown) in outside.text  # for readers that show no frames, such as GitHub's
    assert "allow-scripts" not in frame["sandbox"]
    inside = Elements(frame["srcdoc"])
    assert inside.all("img")[0]["src"].startswith("data:image/png;base64,")
    assert inside.all("a") == []
    assert f"public.ecr.aws/{published}  Greets <everybody>\n  v2  " in repr(shown)
    assert f"public.ecr.aws/{published}  Greets" in repr(InCell(world, None))


def test_the_page_shows_the_newest_tags_of_many():
    now = listings.gallery.created("docker/library/debian", "bookworm-20260824-slim")
    tags = tuple(Tag(f"v{number}", "sha256:0", 10**number, now) for number in range(page.MOST_TAGS + 1))
    text = page.of_one(Listing("a/b", "c", tags=tags), ON_PORT)
    assert f"The newest {page.MOST_TAGS} of {page.MOST_TAGS + 1} tags" in text
    assert ">v100<" not in text
