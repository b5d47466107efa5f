"""Outcomes told in words, rows and marks: complete, counted, escaped, and readable without colour."""

import re
from datetime import timedelta

import pytest

from ecrlab.analysis.plots import outcome_strip, outcomes
from ecrlab.lifecycle import Policy, evaluate
from tests.lifecycle.builders import NOW, image, policy, rule

IMAGES = [image(f"sha256:{n:064x}", f"v{n}", days=n) for n in range(1, 6)]
HOSTILE = [image('sha256:"><img src=x>', "<b>bold</b> '\"><script>x</script>", days=1)]


def many(number):
    return [image(f"sha256:{n:064x}", f"v{n}", days=n / 10) for n in range(number)]


def test_names_are_tags_or_for_want_of_one_the_beginning_of_the_digest():
    assert outcomes.name(image("sha256:" + "ab" * 32, "v1 latest")) == "v1 latest"
    assert outcomes.name(image("sha256:" + "ab" * 32)) == "abababababab"
    assert outcomes.name(image("d1")) == "d1"


def test_the_counts_are_of_the_evaluation():
    evaluation = evaluate(policy(rule(1, ["v*"], keep=2)), IMAGES, NOW)

    assert outcomes.in_words(evaluation) == "5 images: ✕ 3 expire, ● 2 stay"
    assert outcomes.in_words(evaluate(policy(rule(1, unused=4)), IMAGES, NOW)) == (
        "5 images: ▼ 1 goes to the archive, ● 4 stay"
    )


def test_the_table_has_every_image_newest_first_with_its_reason():
    table = outcomes.table(evaluate(policy(rule(1, ["v*"], keep=2)), IMAGES, NOW))

    assert list(table["tags"]) == ["v1", "v2", "v3", "v4", "v5"]
    assert list(table["outcome"]) == ["kept", "kept", "expires", "expires", "expires"]
    assert list(table["rule"]) == ["", "", "1", "1", "1"]
    assert list(table["age"]) == ["1 day", "2 days", "3 days", "4 days", "5 days"]
    assert table["why"][3].startswith("Expired by rule 1 (tagged v*: keep the newest 2): it is number 3 of 5")


def test_an_empty_repository_can_be_shown():
    nothing = evaluate(policy(rule(1, keep=1)), [], NOW)

    assert len(outcomes.table(nothing)) == 0
    assert "no image is here" in outcomes.as_html(nothing)
    assert outcomes.as_text(nothing) == outcome_strip.as_svg(nothing) == ""


def test_each_row_says_its_fate_by_sign_and_word():
    shown = outcomes.as_html(evaluate(policy(rule(1, ["v*"], keep=2)), IMAGES, NOW))

    assert shown.count("✕</span> expires") == 3
    assert shown.count("●</span> kept") == 2


def test_of_many_images_each_fate_has_some_rows_and_the_rest_is_counted():
    evaluation = evaluate(policy(rule(1, keep=130)), many(300), NOW)

    shown = outcomes.as_html(evaluation)

    assert shown.count("<tr>") == 1 + 2 * outcomes.MOST_OF_AN_OUTCOME + 2
    assert "… and 150 more ✕ expire" in shown
    assert "… and 110 more ● stay" in shown


def test_an_image_is_found_by_part_of_a_tag_or_digest():
    evaluation = evaluate(policy(rule(1, keep=130)), many(300), NOW)

    assert outcomes.as_html(evaluation, "v299").count("<tr>") == 2
    assert outcomes.as_html(evaluation, f"{7:064x}").count("<tr>") == 2
    assert "no image has that" in outcomes.as_html(evaluation, "nowhere")


@pytest.mark.parametrize("shown", [outcomes.as_html, outcome_strip.as_svg])
def test_what_others_wrote_is_escaped(shown):
    text = shown(evaluate(Policy(()), HOSTILE, NOW))

    assert not re.search("<script|<img|<b>", text)
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("number", [1, 2, 300, 600])
def test_every_image_has_a_mark_of_its_fate(number):
    shown = outcome_strip.as_svg(evaluate(policy(rule(1, keep=100)), many(number), NOW))

    assert shown.count("<circle") == min(number, 100)
    assert shown.count("<path") == max(number - 100, 0)


def test_of_very_many_images_a_mark_stands_for_several_and_says_so():
    shown = outcome_strip.as_svg(evaluate(policy(rule(1, keep=100)), many(3000), NOW))

    assert 600 <= shown.count("<g><title>") <= 600 + 2 * outcome_strip.BINS
    assert "a mark stands for up to 5" in shown


def test_the_picture_stays_within_its_frame_even_when_all_was_pushed_at_once():
    at_once = [image(f"sha256:{n:064x}", f"v{n}") for n in range(200)]

    shown = outcome_strip.as_svg(evaluate(Policy(()), at_once, NOW + timedelta(days=3)))

    assert all(0 <= float(y) <= outcome_strip.HIGHEST for y in re.findall(r"cy='([^']+)'", shown))


def test_a_restored_image_stands_where_it_was_pushed():
    restored = image("sha256:aa", "old", days=400, last_activated_at=NOW - timedelta(days=1))

    shown = outcome_strip.as_svg(evaluate(Policy(()), [restored, *IMAGES], NOW))

    assert shown.count("<circle") == 6
