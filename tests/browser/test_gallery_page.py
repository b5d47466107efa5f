"""The gallery of public repositories in a real browser: strangers' texts are shown, and run nothing."""

import pytest

from ecrlab.registry.names import default_alias
from ecrlab.registry.world import World
from ecrlab.simulator.gallery_page.site import InCell
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of
from tests.simulator.logos import png

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]

NAME = f"{default_alias('123456789012')}/greeter"
SCRIPT = "<script>document.title = 'run'</script>"
HOSTILE = (
    f"{SCRIPT}<img src=x onerror=\"document.title = 'run'\"><svg onload=\"document.title = 'run'\"></main></body>"
    "<style>* { display: none }</style><meta http-equiv=refresh content='0; url=https://example.com/'>"
)
USAGE = (
    f"# Usage\n\n{HOSTILE}\n\n[click](javascript:document.title='run') ![spy](https://example.com/spy.png)\n\n"
    "```sh\ndocker run greeter\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)


@pytest.fixture
def server(tmp_path):
    world = World(tmp_path / "state", seed="test", durable=False)
    server = Server(world)
    api = client_of(server.endpoint, "ecr-public")
    catalog = {
        "description": f"Greets everybody. {HOSTILE}",
        "aboutText": f"**Greeter** says hello.\n\n{HOSTILE}",
        "usageText": USAGE,
        "architectures": ["x86-64", "ARM 64", SCRIPT],
        "operatingSystems": ["Linux"],
        "logoImageBlob": png(200, 200),
    }
    api.create_repository(repositoryName="greeter", catalogData=catalog)
    Repository(api, "greeter").push(b"layer", tag="v1")
    yield server
    server.stop()
    world.close()


def assert_shown(page, frame):
    """The texts are there to be read, the logo is loaded, and nothing ran or left the machine."""
    assert frame.get_by_role("heading", level=1).inner_text() == NAME
    for text in (SCRIPT, "Greets everybody.", "docker run greeter", f"docker pull public.ecr.aws/{NAME}:v1"):
        assert frame.get_by_text(text).first.is_visible()
    assert frame.get_by_role("img", name=f"Logo of {NAME}").evaluate("image => image.naturalWidth") == 200
    assert frame.get_by_role("rowheader", name="v1").is_visible()
    assert frame.locator("script, svg, iframe, main img:not(.logo)").count() == 0
    page.wait_for_timeout(300)
    assert page.title() != "run"
    assert page.outside == []
    assert page.errors == []


def test_a_hostile_repository_on_its_page_and_in_a_cell(server, page, tmp_path):
    page.goto(f"{server.endpoint}/gallery/")
    page.get_by_role("link", name=NAME).click()
    assert_shown(page, page)
    page.get_by_role("link", name="All public repositories").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Public gallery"

    shown = InCell(server.aws.world, NAME)._repr_html_()
    (tmp_path / "cell.html").write_text(f"<!doctype html><title>cell</title>{shown}", encoding="utf-8")
    page.goto((tmp_path / "cell.html").as_uri())
    assert_shown(page, page.frame_locator("iframe"))
