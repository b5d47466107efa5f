"""The policy editor in JupyterLab, by mouse and by keyboard alone."""

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

PUSHES = """import hashlib, json, boto3, ecrlab
lab = ecrlab.start()
ecr = boto3.client("ecr")
ecr.create_repository(repositoryName="my-app")

def push(body, tag):
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    where = {"repositoryName": "my-app", "uploadId": ecr.initiate_layer_upload(repositoryName="my-app")["uploadId"]}
    ecr.upload_layer_part(partFirstByte=0, partLastByte=len(body) - 1, layerPartBlob=body, **where)
    ecr.complete_layer_upload(layerDigests=[digest], **where)
    kind = "application/vnd.oci.image.%s"
    part = {"digest": digest, "size": len(body)}
    manifest = {"schemaVersion": 2, "mediaType": kind % "manifest.v1+json",
                "config": part | {"mediaType": kind % "config.v1+json"}, "layers": []}
    ecr.put_image(repositoryName="my-app", imageManifest=json.dumps(manifest), imageTag=tag)

for day in range(12):
    push(b"{%d}" % day, f"v{day}")
    push(b"<%d>" % day, "latest")
    lab.clock.advance(days=1)

policy = {"rules": [
    {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"],
     "countType": "imageCountMoreThan", "countNumber": 10}, "action": {"type": "expire"}},
    {"rulePriority": 2, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed",
     "countUnit": "days", "countNumber": 20}, "action": {"type": "expire"}}]}"""
EDITOR = 'editor = lab.edit_policy("my-app", json.dumps(policy))\neditor'
ASK = "print(len(editor.going), editor.day, editor.refusal)"


NUMBERS, LISTS = "input[type=number]", "select"


@pytest.fixture
def shown(page, jupyterlab, copy):
    """The editor, drawn."""
    (copy / "work" / "editor.ipynb").write_text(notebook(PUSHES, EDITOR, ASK))
    open_lesson(page, jupyterlab, "editor")
    run_all(page)
    editor = scroll_to(page, ".ecrlab-editor")
    assert "24 images: ✕ 2 expire" in status(editor)
    yield editor
    assert page.locator(".jp-Cell").count() == 3, "a key meant for the editor went to the notebook"
    assert page.outside == []
    assert page.errors == []


def status(editor):
    return editor.locator(".ecrlab-status").inner_text()


def wait_for(page, editor, words):
    editor.locator(".ecrlab-status").get_by_text(words).wait_for(timeout=10_000)


def test_by_mouse_images_turn_and_the_next_cell_knows(page, shown):
    # Every control has a name, and two editors make no landmarks of one name.
    assert nameless(page, shown) == []
    assert shown.get_by_role("region").count() == 0
    assert shown.get_by_role("group", name="images and their outcomes").count() == 1

    shown.screenshot(path=SCREENSHOTS / "editor.png")
    shown.locator(NUMBERS).nth(1).fill("4")
    wait_for(page, shown, "✕ 8 expire")
    shown.locator(LISTS).nth(2).select_option("sinceImagePushed")
    shown.get_by_text("rule 1: tagged v*: pushed more than 4 days ago (selects 12, takes 9)").wait_for()
    shown.get_by_label("days from now").fill("12")
    wait_for(page, shown, "In 12 days")
    shown.get_by_role("button", name="remove rule 2").click()
    wait_for(page, shown, "✕ 12 expire")
    screenshot(page, "editor-by-mouse")

    assert shown.get_by_text("Expired by rule 1 (tagged v*: pushed more than 4 days ago)").count() == 12
    assert shown.locator("circle").count() == shown.locator("svg path").count() == 12
    assert asked(page).strip() == "12 12"


def test_by_keyboard_alone_a_rule_is_edited_added_removed_and_the_day_moved(page, shown):
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Escape")
    tab_to(page, "rulePriority")
    tab_to(page, "countNumber")
    page.keyboard.press("ArrowDown")
    wait_for(page, shown, "✕ 3 expire")
    page.keyboard.press("Control+A")
    page.keyboard.type("0")
    shown.get_by_text("ECR would refuse this policy").wait_for()
    screenshot(page, "editor-refused")
    assert "✕ 3 expire" in status(shown)
    page.keyboard.press("Control+A")
    page.keyboard.type("4")
    wait_for(page, shown, "✕ 8 expire")
    tab_to(page, "tagStatus", backwards=True)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    shown.get_by_text("Rule for tagStatus=ANY must have the lowest priority per storage class").wait_for()
    tab_to(page, "remove rule 2")
    page.keyboard.press("Space")
    wait_for(page, shown, "✕ 20 expire")
    page.wait_for_function("document.activeElement.innerText.includes('add a rule')", timeout=10_000)
    page.keyboard.press("Space")
    shown.get_by_text("rule 1: untagged: pushed more than 14 days ago").wait_for()
    tab_to(page, "days from now")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    wait_for(page, shown, "In 5 days")
    tab_to(page, "find images")
    page.keyboard.type("v11")
    shown.locator("tbody tr").nth(1).wait_for(state="detached")
    tab_to(page, "why")
    tab_to(page, "the policy as")
    screenshot(page, "editor-by-keyboard")


@pytest.mark.parametrize("theme", [pytest.param("JupyterLab Light", marks=pytest.mark.long), "JupyterLab Dark"])
def test_it_is_readable_in_a_narrow_window_whatever_the_theme(page, copy, jupyterlab, theme):
    use_theme(copy, theme)
    (copy / "work" / "editor.ipynb").write_text(notebook(PUSHES, EDITOR, ASK))
    page.set_viewport_size({"width": 620, "height": 900})
    open_lesson(page, jupyterlab, "editor")
    run_all(page)
    editor = scroll_to(page, ".ecrlab-editor")
    editor.screenshot(path=SCREENSHOTS / f"editor-narrow-{theme.split()[1].lower()}.png")

    box = editor.bounding_box()
    for field in (*editor.locator("select").all(), *editor.locator("input").all(), *editor.locator("button").all()):
        if field.is_visible():
            there = field.bounding_box()
            assert there["width"] > 40
            assert there["x"] + there["width"] <= box["x"] + box["width"] + 1
    for words in (".ecrlab-rows td:last-child", ".ecrlab-rows td:first-child", ".ecrlab-status strong", "pre"):
        assert editor.locator(words).first.evaluate(CONTRAST) >= 4.5
