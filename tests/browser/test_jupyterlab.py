"""The lessons as a learner sees them: JupyterLab in a real browser, all cells run, cards clicked.

Screenshots are kept under `screenshots/` (ignored by git), for people to look at.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import ecrlab

CHECKOUT = Path(ecrlab.__file__).parents[1]
SCREENSHOTS = CHECKOUT / "screenshots"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LESSONS = sorted(path.stem for path in (CHECKOUT / "notebooks").glob("*.ipynb"))

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """A JupyterLab of this checkout's notebooks, and its address; it works on a copy."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("notebooks", "ecrlab", "pyproject.toml", "requirements.lock"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    log = (copy / "log").open("w+")
    server = subprocess.Popen(
        [sys.executable, "-m", "ecrlab", "lab", "--no-browser"],
        cwd=copy,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "HOME": str(copy), "ECRLAB_PROGRESS": str(copy / "progress.json")},
    )
    try:
        yield _address(copy / "log", server)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address(log, server):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S*token=\w+", log.read_text()):
            return found[0]
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not say where it listens:\n{log.read_text()}")


@pytest.fixture
def page(tmp_path):
    """A browser page that notes requests to other hosts, and errors on its console."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=shutil.which("chromium"),
            headless=True,
            args=CHROMIUM,
            viewport={"width": 1280, "height": 1000},
        )
        page = browser.new_page()
        page.outside, page.errors = [], []
        page.on("request", lambda request: _note_outside(page, request.url))
        page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
        yield page
        browser.close()


def _note_outside(page, url):
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        page.outside.append(url)


def open_lesson(page, address, lesson):
    base, _, token = address.partition("?")
    page.goto(f"{base.split('/lab')[0]}/lab/tree/notebooks/{lesson}.ipynb?reset&{token}")
    wait_until_idle(page)


def wait_until_idle(page, quiet_seconds=2, most_seconds=180):
    """Wait until the kernel has had nothing to do for a while: between two cells it is idle for a moment, too."""
    deadline = time.monotonic() + most_seconds
    quiet_since = None
    while time.monotonic() < deadline:
        idle = page.locator(".jp-StatusBar-TextItem:has-text('| Idle')").count() > 0
        quiet_since = (quiet_since or time.monotonic()) if idle else None
        if quiet_since and time.monotonic() - quiet_since > quiet_seconds:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the kernel was not idle within {most_seconds} s")


def menu(page, name, item):
    page.click(f".lm-MenuBar-itemLabel:text-is('{name}')")
    page.click(f".lm-Menu-item:visible:has-text('{item}')")


def run_all(page):
    """Run every cell, and wait until the last one has run."""
    menu(page, "Run", "Run All Cells")
    wait_until_idle(page)


def scroll_to(page, selector):
    """The first element of that kind, from the top of the notebook: JupyterLab draws cells when they come into view."""
    panel = page.locator(".jp-WindowedPanel-outer").first
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    for _ in range(80):
        if page.locator(selector).count():
            break
        panel.evaluate("panel => panel.scrollBy(0, 600)")
        page.wait_for_timeout(100)
    return page.locator(selector).first


def screenshot(page, name):
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_and_its_cards_answer_to_mouse_and_keyboard(page, jupyterlab, lesson):
    open_lesson(page, jupyterlab, lesson)
    screenshot(page, f"{lesson}-opened")
    run_all(page)
    screenshot(page, f"{lesson}-run")
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0

    if lesson.startswith("03"):
        # lab.show() is a picture and a table in one output.
        shown = scroll_to(page, ".jp-Cell:has(.jp-InputArea:has-text('lab.show')) .jp-OutputArea img")
        shown.wait_for()
        assert shown.evaluate("image => image.naturalWidth") > 500
        screenshot(page, f"{lesson}-show")

    card = scroll_to(page, ".ecrlab-card")
    card.locator("button").first.click()
    card.locator(".ecrlab-verdict").get_by_text(re.compile("Right|Not quite")).wait_for()
    clicked = card.locator(".ecrlab-verdict").inner_text()
    card.locator("button").nth(1).focus()
    page.keyboard.press("Space")
    page.wait_for_function(
        "before => document.querySelector('.ecrlab-verdict').innerText !== before", arg=clicked, timeout=10_000
    )
    screenshot(page, f"{lesson}-card")

    assert page.outside == []
    assert page.errors == []


def test_a_terminal_reaches_no_aws_until_it_attaches_to_the_lab(page, jupyterlab):
    open_lesson(page, jupyterlab, LESSONS[0])
    page.locator(".jp-CodeCell .cm-content:visible").first.click()
    page.keyboard.press("Shift+Enter")
    wait_until_idle(page)
    menu(page, "File", "New")
    page.click(".lm-Menu-item:visible:has-text('Terminal')")
    page.wait_for_selector(".jp-Terminal .xterm-screen", timeout=30_000)
    page.wait_for_timeout(2000)
    found = Path(CHECKOUT / "screenshots")
    found.mkdir(exist_ok=True)
    answers = found / "terminal.txt"
    answers.unlink(missing_ok=True)
    page.click(".jp-Terminal .xterm-screen")
    page.keyboard.type(
        f'(aws sts get-caller-identity; eval "$({sys.executable} -m ecrlab env)"; '
        f"aws sts get-caller-identity --query Arn --output text; echo all-done) > {answers} 2>&1\n"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "all-done" not in (answers.read_text() if answers.exists() else ""):
        page.wait_for_timeout(300)
    screenshot(page, "terminal")
    said = answers.read_text()

    assert "Could not connect to the endpoint URL" in said
    assert "arn:aws:iam::123456789012:user/learner" in said
