"""What hands do in JupyterLab: open a notebook, run it, scroll; and pictures of what is to be seen.

Screenshots are kept under `screenshots/` (ignored by git), for people to look at.
"""

import time
from pathlib import Path

import ecrlab

CHECKOUT = Path(ecrlab.__file__).parents[1]
SCREENSHOTS = CHECKOUT / "screenshots"


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
