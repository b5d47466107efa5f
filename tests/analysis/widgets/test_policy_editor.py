"""The policy editor: rules and a day in, outcomes and reasons out; what AWS refuses leaves the last good picture."""

import html
import json
import re
import time

import boto3
import pytest
from botocore.stub import Stubber

import ecrlab
from ecrlab.analysis.widgets.policy_editor import PolicyEditor, editor
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import InvalidLifecyclePolicy, parse
from tests.analysis.plots.test_show import Pushes
from tests.lifecycle.builders import NOW, image, policy, rule, text

IMAGES = [image(f"sha256:{n:064x}", f"v{n}", days=n) for n in range(1, 6)]
KEEP_TWO = policy(rule(1, ["v*"], keep=2))


def edit(*rules, images=IMAGES):
    return PolicyEditor("my-app", list(images), policy(*rules).rules if rules else (), NOW)


def plain(markup):
    return html.unescape(re.sub("<[^>]+>", "", markup))


def test_without_a_rule_everything_stays():
    empty = edit()

    assert (empty.policy, empty.going, empty.refusal) == ("", [], "")
    assert empty.kept == ["v5", "v4", "v3", "v2", "v1"]
    assert empty.says == (
        "Today, 2026-09-01 09:00 UTC: 5 images: ● 5 stay. No rule yet: without a policy ECR keeps every image."
    )


def test_images_turn_when_a_rule_is_edited_and_each_says_why():
    shown = edit(rule(1, ["v*"], keep=2))
    assert shown.going == ["v5", "v4", "v3"]

    shown.edit(1, count_number=4)

    assert shown.going == ["v5"]
    assert shown.why("v5") == (
        "Expired by rule 1 (tagged v*: keep the newest 4): it is number 5 of 5, newest first, and only the newest 4"
        " may stay."
    )
    assert shown.why("v5") in plain(shown._rows.value)


def test_images_turn_when_the_day_moves():
    shown = edit(rule(1, status="any", pushed=7))
    assert shown.going == []

    shown.day = 3

    assert shown.going == ["v5"]
    assert shown.says == "In 3 days, 2026-09-04 09:00 UTC: 5 images: ✕ 1 expires, ● 4 stay."
    assert shown.table()["age"][5] == "8 days"


def test_fields_do_what_the_verbs_do():
    by_hand, by_verb = edit(rule(1, status="any", pushed=7)), edit(rule(1, status="any", pushed=7))

    form = by_hand._forms[0]
    form.count_number.value, by_hand.day_field.value = 5, 1
    by_verb.edit(1, count_number=5)
    by_verb.day = 1

    assert by_hand.going == by_verb.going == ["v5"]
    assert by_hand._rows.value == by_verb._rows.value


def test_what_goes_to_the_archive_is_told_apart():
    shown = edit(rule(1, unused=3))

    assert (shown.going, shown.archiving, shown.kept) == ([], ["v5", "v4"], ["v3", "v2", "v1"])


def test_the_policy_is_what_put_lifecycle_policy_takes():
    shown = edit(rule(1, ["v*"], keep=2))
    shown.edit(1, tag_prefix_list=["v"], count_type="sinceImagePushed", count_number=30, description="a month")

    assert json.loads(shown.policy) == {
        "rules": [
            {
                "rulePriority": 1,
                "description": "a month",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": ["v"],
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 30,
                },
                "action": {"type": "expire"},
            }
        ]
    }


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_policy_is_shown_in_three_forms(kind):
    shown = edit(rule(1, ["it's*"], keep=2))
    shown.text_kind.index = kind

    told = plain(shown._text.value)

    assert "imageCountMoreThan" in told
    assert told.startswith(["{\n", '{"rules"', "aws ecr put-lifecycle-policy --repository-name my-app"][kind])


def test_a_refused_policy_is_told_in_the_words_of_aws_and_the_last_good_picture_stays():
    shown = edit(rule(1, ["v*"], keep=2))

    shown.edit(1, count_number=0)

    assert shown.refusal == (
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure:"
        " numeric instance is lower than the required minimum (minimum: 1, found: 0)\n'"
    )
    assert "rules[0].selection.countNumber" in shown._refusal.value
    assert "role='alert'" in shown._refusal.value
    assert shown.going == ["v5", "v4", "v3"]
    assert '"countNumber": 0' in shown.policy
    shown.edit(1, count_number=4)
    assert shown.refusal == shown._refusal.value == ""
    assert shown.going == ["v5"]


def test_the_day_moves_even_while_the_policy_is_refused():
    shown = edit(rule(1, status="any", pushed=7))
    shown.edit(1, tag_status="tagged")

    shown.day = 3

    assert "Must specify tagPrefixList or tagPatternList" in shown.refusal
    assert shown.going == ["v5"]


def test_rules_are_added_and_removed():
    shown = edit()

    shown.add()
    shown.add()
    shown.add(tag_status="any", count_type="sinceImagePushed", count_number=4)

    assert shown.refusal == ""
    assert [r.in_words for r in parse(shown.policy)] == [
        "untagged: pushed more than 14 days ago",
        "tagged v*: keep the newest 10",
        "any image: pushed more than 4 days ago",
    ]
    assert shown.going == []
    shown.remove(2)
    assert shown.going == ["v5"]
    assert [r.rule_priority for r in parse(shown.policy)] == [1, 3]
    assert len(shown._rules.children) == 2


def test_a_new_rule_stands_before_the_last_one_for_any_image():
    shown = edit(rule(5, status="any", keep=1))

    shown.add_button.click()

    assert shown.refusal == ""
    assert [(r.rule_priority, r.selection.tag_status) for r in parse(shown.policy)] == [(5, "untagged"), (6, "any")]
    assert [form.priority.value for form in shown._rules.children] == [5, 6]


def test_a_rule_can_be_added_first_to_an_empty_policy_for_any_image():
    shown = edit()

    shown.add(tag_status="any", count_type="imageCountMoreThan", count_number=1)

    assert shown.kept == ["v1"]


def test_each_rule_says_how_many_images_it_selects_and_takes():
    shown = edit(rule(1, ["v*"], keep=2), rule(2, status="any", keep=1))

    assert [plain(form.caption.value) for form in shown._forms] == [
        "rule 1: tagged v*: keep the newest 2 (selects 5, takes 3)",
        "rule 2: any image: keep the newest 1 (selects 5, takes 0)",
    ]
    shown.edit(2, rule_priority=1)
    assert "Duplicate priority" in shown.refusal
    assert not any("selects" in form.caption.value for form in shown._forms)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda shown: shown.edit(9, count_number=1), "no rule of priority 9; there are: 1"),
        (lambda shown: shown.remove(9), "no rule of priority 9"),
        (lambda shown: shown.edit(1, number=1), "a rule has no 'number'"),
        (lambda shown: shown.why("v99"), "my-app has no image 'v99'"),
        (lambda shown: shown.why(""), "my-app has no image ''"),
        (lambda shown: setattr(shown, "day", -1), "0 or more, got -1"),
        (lambda shown: setattr(shown, "day", 1.5), "whole days"),
        (lambda shown: setattr(shown, "day", 10**9), "beyond the calendar"),
    ],
)
def test_a_slip_is_refused_by_name_and_changes_nothing(act, told):
    shown = edit(rule(1, ["v*"], keep=2))
    before = (shown.policy, shown.says, shown._rows.value)

    with pytest.raises(EcrLabError, match=told):
        act(shown)

    assert (shown.policy, shown.says, shown._rows.value) == before


def test_the_day_may_be_any_that_the_calendar_has():
    shown = edit(rule(1, status="any", pushed=7))

    shown.day = 500
    assert shown.day == 500

    shown.day_field.value = 10**9
    assert shown.says.startswith(f"In {shown.day} days, 9999-12-31 ")


def test_an_image_is_asked_for_by_tag_or_digest():
    shown = edit(rule(1, ["v*"], keep=2))
    digest = IMAGES[0].image_digest

    assert shown.why("v1") == shown.why(digest) == shown.why(digest[7:]) != shown.why("v5")


def test_rows_can_be_searched():
    shown = edit(rule(1, ["v*"], keep=2))

    shown.find_box.value = "v3"

    assert shown._rows.value.count("<tr>") == 2


def test_a_hostile_tag_is_text_everywhere():
    shown = edit(rule(1, ["<img*"], keep=2), images=[image("sha256:ab", "<img/src=x>", days=1)])
    shown.edit(1, description="</pre><script>alert(1)</script>", tag_pattern_list=["<img*"])
    shown.edit(1, count_number=0)

    for widget in (shown._status, shown._refusal, shown._strip, shown._rows, shown._text, shown._forms[0].caption):
        assert not re.search("<img|<script|</pre><", widget.value)


def test_where_widgets_cannot_be_shown_the_words_are():
    shown = edit(rule(1, ["v*"], keep=2))

    bundle = shown._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].splitlines()[:4] == [
        "Lifecycle policy of my-app",
        "rule 1: tagged v*: keep the newest 2",
        "Today, 2026-09-01 09:00 UTC: 5 images: ✕ 3 expire, ● 2 stay.",
        "● v1  kept",
    ]


def test_a_few_hundred_images_answer_while_a_hand_moves():
    shown = edit(rule(1, ["v*"], keep=2), images=[image(f"sha256:{n:064x}", f"v{n}", n / 9) for n in range(500)])

    begun = time.perf_counter()
    for day in range(1, 11):
        shown.day = day

    assert (time.perf_counter() - begun) / 10 < 0.25


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


def test_in_a_lab_the_clock_is_the_labs_and_looking_is_no_pull(lab):
    pushes = Pushes(boto3.client("ecr"))
    pushes.image(b"old", tag="v1")
    lab.clock.advance(days=3)
    child = pushes.image(b"amd64")
    pushes.index(child, pushes.image(b"arm64"), tag="v2")

    shown = lab.edit_policy("my-app", text(rule(1, status="untagged", pushed=1), rule(2, ["v*"], keep=1)))
    shown.day = 9

    assert shown.going == ["v1"]
    assert shown.says.startswith("In 9 days, 2026-10-13 09:")
    assert "the index sha256:" in shown.why(child["digest"][7:19])
    details = pushes.ecr.describe_images(repositoryName="my-app")["imageDetails"]
    assert not any("lastRecordedPullTime" in detail for detail in details)


def test_a_text_that_aws_would_refuse_is_refused_at_the_door(lab):
    Pushes(boto3.client("ecr"))

    with pytest.raises(InvalidLifecyclePolicy, match="minimum: 1, found: 0"):
        lab.edit_policy("my-app", text(rule(1, status="any", keep=0)))


def test_it_begins_with_the_policy_of_the_repository_and_what_it_says_can_be_put(lab):
    ecr = Pushes(boto3.client("ecr")).ecr
    assert lab.edit_policy("my-app").policy == ""
    ecr.put_lifecycle_policy(repositoryName="my-app", lifecyclePolicyText=KEEP_TWO.text)

    shown = lab.edit_policy("my-app")
    assert parse(shown.policy).rules == KEEP_TWO.rules
    shown.edit(1, count_number=7)
    ecr.put_lifecycle_policy(repositoryName="my-app", lifecyclePolicyText=shown.policy)

    assert parse(lab.edit_policy("my-app").policy).rules[0].selection.count_number == 7


def test_what_it_shows_is_what_the_preview_answers(lab):
    pushes = Pushes(boto3.client("ecr"))
    for number in range(4):
        pushes.image(b"%d" % number, tag=f"v{number}")
    shown = lab.edit_policy("my-app", KEEP_TWO.text)

    pushes.ecr.start_lifecycle_policy_preview(repositoryName="my-app", lifecyclePolicyText=shown.policy)
    answer = pushes.ecr.get_lifecycle_policy_preview(repositoryName="my-app")

    assert [" ".join(result["imageTags"]) for result in answer["previewResults"]] == shown.going == ["v0", "v1"]


def test_any_client_will_do():
    ecr = boto3.client("ecr", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(ecr) as service:
        service.add_client_error("get_lifecycle_policy", "LifecyclePolicyNotFoundException")
        service.add_response("describe_images", {"imageDetails": []})

        assert editor(ecr, "my-app", now=NOW).policy == ""
