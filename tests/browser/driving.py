"""What hands do in JupyterLab: open a notebook, run it, scroll; and pictures of what is to be seen.

Screenshots are kept under `screenshots/` (ignored by git), for people to look at.
"""

import json
import time
from pathlib import Path

import ecrlab

CHECKOUT = Path(ecrlab.__file__).parents[1]
SCREENSHOTS = CHECKOUT / "screenshots"
CONTRAST = """element => {
    const light = colour => {
        const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map(part);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = element;
    while (/rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const two = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(light).sort();
    return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
}"""
"""How far the colour of an element's text stands out from what is behind it, as WCAG counts it."""

NAMED = [
    *("button", "combobox", "textbox", "searchbox", "checkbox", "radio", "slider", "spinbutton"),
    *("image", "columnheader", "rowheader", "region"),
]
"""Roles that need an accessible name."""


def open_lesson(page, address, lesson):
    base, _, token = address.partition("?")
    page.goto(f"{base.split('/lab')[0]}/lab/tree/{lesson}.ipynb?reset&{token}")
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


def use_theme(copy, theme):
    """Let JupyterLab have a theme, such as `JupyterLab Dark`, from the next page on."""
    settings = copy / ".jupyter" / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"theme": theme}))


def tab_to(page, name, backwards=False):
    """Press Tab until the control of that name has the focus."""
    for _ in range(40):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focused = page.evaluate(
            "() => {const e = document.activeElement; return (e.labels?.[0] ?? e).innerText || e.className}"
        )
        if name in focused:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def nameless(page, shown):
    """The controls, pictures and heads of tables for which Chromium computes no accessible name, within an element."""
    shown.evaluate("element => window.shown = element")
    devtools = page.context.new_cdp_session(page)
    element = devtools.send("Runtime.evaluate", {"expression": "window.shown"})["result"]
    nodes = devtools.send("Accessibility.queryAXTree", {"objectId": element["objectId"]})["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    assert {"combobox", "columnheader", "image"} <= set(roles), roles
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in NAMED and not node["name"]["value"].strip()
    ]


def asked(page):
    """What the last cell answers when it is run again."""
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(300)
    wait_until_idle(page, quiet_seconds=1)
    return page.locator(".jp-OutputArea-output pre").last.inner_text()


def notebook(*cells):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for n, cell in enumerate(cells)
    ]
    return json.dumps({"cells": code, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
