"""A lesson as slides: the instructor's command makes one file that loads nothing; guesses come before answers."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.browser.driving import CHECKOUT

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]

PAGE = (CHECKOUT / "docs/instructor.md").read_text(encoding="utf-8")
[COMMAND] = re.findall(r"^jupyter (nbconvert --to slides .+)$", PAGE, re.MULTILINE)


def test_a_lesson_is_shown_as_slides_without_a_network(page, tmp_path):
    arguments = [str(tmp_path) if part == "slides" and before == "--output-dir" else part for before, part in pairs()]
    subprocess.run([sys.executable, "-m", *arguments], cwd=CHECKOUT, check=True, capture_output=True)
    [slides] = tmp_path.glob("*.html")

    page.goto(slides.as_uri())
    assert page.locator("section.present h1").is_visible()
    while not page.locator("section.present section.present :text('How many layers will be pushed?')").is_visible():
        page.keyboard.press("Space")
    answer = page.locator("section.present section.present .jp-OutputArea-output").first
    assert answer.evaluate("cell => getComputedStyle(cell.closest('.fragment')).visibility") == "hidden"
    page.keyboard.press("Space")
    answer.wait_for(state="visible")
    assert "docker push" in page.locator("section.present section.present .jp-CodeCell").inner_text()

    assert page.outside == []
    assert page.errors == []


def pairs():
    """Each word of the command with the one before it."""
    words = shlex.split(COMMAND)
    return list(zip(["", *words], words, strict=False))
