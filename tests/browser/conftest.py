"""JupyterLab of a copy of this checkout, and a browser page in front of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from tests.browser.driving import CHECKOUT

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what JupyterLab needs of this checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("notebooks", "ecrlab", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    return copy


@pytest.fixture(scope="module")
def jupyterlab(copy):
    """The address of a JupyterLab of the copy's notebooks."""
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
