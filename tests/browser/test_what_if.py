"""The what-if panel in JupyterLab, by mouse and by keyboard alone."""

import pytest

from tests.browser.driving import (
    CONTRAST,
    SCREENSHOTS,
    asked,
    nameless,
    notebook,
    open_lesson,
    run_all,
    screenshot,
    scroll_to,
    tab_to,
    use_theme,
)

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]

LOAD = """import ecrlab, json
from ecrlab.analysis.widgets.what_if import panel
lab = ecrlab.start()
shop = lab.load("a-year-of-ci")
name = shop.repositories[-1].name

def keep(number):
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": number}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})"""
PANEL = 'shown = panel(lab.storage(name), {"keep 100": keep(100), "keep 10": keep(10)}, shop.future)\nshown'
ASK = "print(shown.first, '|', shown.second, '|', shown.start, shown.horizon)"
OWN = (
    '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",'
    ' "countNumber": %d}, "action": {"type": "expire"}}]}'
)


@pytest.fixture
def shown(page, jupyterlab, copy):
    """The panel, drawn."""
    (copy / "work" / "panel.ipynb").write_text(notebook(LOAD, PANEL, ASK))
    open_lesson(page, jupyterlab, "panel")
    run_all(page)
    panel = scroll_to(page, ".ecrlab-what-if")
    wait_for(panel, "Over 365 days: 'keep 10' instead of 'no policy' saves")
    yield panel
    assert page.locator(".jp-Cell").count() == 3, "a key meant for the panel went to the notebook"
    assert page.outside == []
    assert page.errors == []


def wait_for(panel, words):
    panel.locator(".ecrlab-status").get_by_text(words).wait_for(timeout=20_000)


def test_by_mouse_money_and_picture_follow_and_the_next_cell_knows(page, shown):
    # Every control, the picture and each head of the table have a name.
    assert nameless(page, shown) == []

    shown.screenshot(path=SCREENSHOTS / "what-if.png")
    before = shown.locator("img").get_attribute("src")
    shown.locator("select").first.select_option("keep 100")
    wait_for(shown, "Over 365 days: 'keep 10' instead of 'keep 100' saves")
    page.wait_for_function("before => document.querySelector('.ecrlab-what-if img').src !== before", arg=before)
    shown.get_by_label("policies begin after, days").fill("91")
    page.keyboard.press("Tab")
    wait_for(shown, "Over 365 days, the policies beginning after 91 days: ")
    assert shown.locator("img").evaluate("image => image.naturalWidth") > 500
    screenshot(page, "what-if-by-mouse")

    assert asked(page).strip() == "keep 100 | keep 10 | 91 365"


def test_by_keyboard_alone_two_policies_a_start_and_a_horizon_are_chosen_and_one_is_pasted(page, shown):
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Escape")
    tab_to(page, "second policy")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    wait_for(shown, "'keep 100' instead of 'no policy'")
    tab_to(page, "your own policy")
    page.keyboard.insert_text(OWN % 0)
    page.keyboard.press("Tab")
    shown.get_by_text("ECR would refuse this policy").wait_for()
    wait_for(shown, "'keep 100' instead of 'no policy'")
    screenshot(page, "what-if-refused")
    tab_to(page, "your own policy", backwards=True)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(OWN % 3)
    page.keyboard.press("Tab")
    wait_for(shown, "'your own, pasted below' instead of 'no policy' saves")
    assert shown.get_by_text("ECR would refuse this policy").count() == 0
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    wait_for(shown, "the policies beginning after 2 days: ")
    tab_to(page, "look ahead, days")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    wait_for(shown, "Over 362 days")
    tab_to(page, "What there is to doubt")
    page.keyboard.press("Enter")
    shown.get_by_text("Compare them with your own bill").wait_for()
    screenshot(page, "what-if-by-keyboard")


@pytest.mark.parametrize("theme", [pytest.param("JupyterLab Light", marks=pytest.mark.long), "JupyterLab Dark"])
def test_it_is_readable_in_a_narrow_window_whatever_the_theme(page, copy, jupyterlab, theme):
    use_theme(copy, theme)
    (copy / "work" / "panel.ipynb").write_text(notebook(LOAD, PANEL, ASK))
    page.set_viewport_size({"width": 700, "height": 1400})
    open_lesson(page, jupyterlab, "panel")
    run_all(page)
    panel = scroll_to(page, ".ecrlab-what-if")
    panel.screenshot(path=SCREENSHOTS / f"what-if-narrow-{theme.split()[1].lower()}.png")

    box = panel.bounding_box()
    for field in (
        *panel.locator("select").all(),
        *panel.locator("textarea").all(),
        *panel.locator("img, .ecrlab-wide").all(),
    ):
        there = field.bounding_box()
        assert there["width"] > 40
        assert there["x"] + there["width"] <= box["x"] + box["width"] + 1
    for words in (".ecrlab-status strong", "td", "th", "summary"):
        assert panel.locator(words).first.evaluate(CONTRAST) >= 4.5
