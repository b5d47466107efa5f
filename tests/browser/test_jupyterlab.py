"""The lessons as a learner sees them: JupyterLab in a real browser, all cells run, cards clicked."""

import re
import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.browser.driving import (
    CHECKOUT,
    menu,
    notebook,
    open_lesson,
    run_all,
    screenshot,
    scroll_to,
    wait_until_idle,
)

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LESSONS = sorted(path.stem for path in (CHECKOUT / "notebooks").glob("*.ipynb"))

AT_ONCE = {"03-tag-immutability", "05-lifecycle-policies"}
"""The lessons with a picture of their own kind and with an editor; the others take minutes together."""

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]


def test_a_terminal_reaches_no_aws_until_it_attaches_to_the_lab(page, jupyterlab):
    """The first of these tests: while no other notebook has a lab, no terminal has to ask which one is meant."""
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
        f'(aws sts get-caller-identity; eval "$({shlex.quote(sys.executable)} -m ecrlab env)"; '
        f"aws sts get-caller-identity --query Arn --output text; echo all-done) > {shlex.quote(str(answers))} 2>&1\n"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "all-done" not in (answers.read_text() if answers.exists() else ""):
        page.wait_for_timeout(300)
    screenshot(page, "terminal")
    said = answers.read_text()

    assert "Could not connect to the endpoint URL" in said
    assert "arn:aws:iam::123456789012:user/learner" in said


@pytest.mark.parametrize(
    "lesson", [pytest.param(name, marks=[] if name in AT_ONCE else pytest.mark.long) for name in LESSONS]
)
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
        shown.scroll_into_view_if_needed()
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


def test_names_of_lessons_are_shown_whole_and_cards_say_what_a_restart_of_the_kernel_means(page, jupyterlab, copy):
    (copy / "work" / "cards.ipynb").write_text(notebook("import ecrlab\necrlab.quiz('start-here')"))
    open_lesson(page, jupyterlab, "cards")
    names = page.locator(".jp-DirListing-itemText")
    names.get_by_text(LESSONS[-1]).wait_for()
    assert names.evaluate_all("names => names.filter(name => name.scrollWidth > name.clientWidth).length") == 0
    run_all(page)
    assert not page.locator(".ecrlab-restarted").is_visible()

    menu(page, "Kernel", "Restart Kernel…")
    page.click(".jp-Dialog .jp-mod-accept")

    page.get_by_text("Run the first cell of the notebook, and then this one again.").wait_for()
    screenshot(page, "cards-after-a-restart")
    wait_until_idle(page)  # a JupyterLab that is stopped in the middle of a restart does not end


def test_a_learner_fills_in_an_exercise_of_a_copy_and_sees_that_it_is_right(page, jupyterlab, copy):
    original = (copy / "notebooks" / "00-start-here.ipynb").read_bytes()
    open_lesson(page, jupyterlab, "00-start-here")
    assert page.locator(".jp-OutputArea-output").count() == 0
    exercise = scroll_to(page, ".jp-CodeCell .cm-content:has-text('docker tag ...')")
    exercise.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(
        f"%%bash\ndocker tag {HOST}/hello:v1 {HOST}/hello:stable\ndocker push {HOST}/hello:stable"
    )

    run_all(page)
    menu(page, "File", "Save Notebook")

    checked = scroll_to(page, ".jp-Cell:has(.jp-InputArea:has-text('push-a-second-tag')) .jp-OutputArea-output")
    checked.scroll_into_view_if_needed()
    checked.get_by_text("✓").wait_for()
    screenshot(page, "exercise-solved")
    page.wait_for_function("() => document.querySelectorAll('.jp-mod-dirty').length === 0", timeout=10_000)
    mine = (copy / "work" / "00-start-here.ipynb").read_text()
    assert f"docker push {HOST}/hello:stable" in mine
    assert "✓" in mine
    assert (copy / "notebooks" / "00-start-here.ipynb").read_bytes() == original
