"""A rule as a form: what the fields say is the rule, and what nobody touched stays as it was."""

import pytest

from ecrlab.analysis.widgets.rule_form import CHANGEABLE, RuleForm, edited
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle.policy import Action, Rule, Selection
from tests.lifecycle.builders import policy, rule

[TAGGED] = policy(rule(1, ["v*"], keep=10))


class Seen:
    """Counts what a form tells."""

    def __init__(self, rule):
        self.changes, self.removed = 0, []
        self.form = RuleForm(rule, self._changed, self.removed.append)

    def _changed(self):
        self.changes += 1


def test_the_fields_show_the_rule():
    form = Seen(TAGGED).form

    assert (form.priority.value, form.tag_status.value, form.tags.value) == (1, "tagged", "v*")
    assert (form.count_type.value, form.count_number.value) == ("imageCountMoreThan", 10)
    assert (form.list_kind.value, form.action.value) == ("tag_pattern_list", "expire")


def test_every_field_has_a_label_and_the_button_says_what_it_removes():
    form = Seen(TAGGED).form
    fields = [field for field in form.children[1].children if field is not form.remove_button]

    assert all(field.description for field in fields)
    assert form.remove_button.description == "remove rule 1"


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("priority", 7, "rule_priority"),
        ("tag_status", "any", "tag_status"),
        ("count_type", "sinceImagePushed", "count_type"),
        ("count_number", 0, "count_number"),
        ("action", "transition", "action"),
    ],
)
def test_a_field_that_is_set_changes_that_key_of_the_rule_once(field, value, key):
    seen = Seen(TAGGED)

    getattr(seen.form, field).value = value

    assert seen.form.rule == edited(TAGGED, **{key: value})
    assert seen.changes == 1


def test_a_list_is_typed_with_spaces_or_commas_and_its_kind_can_change():
    form = Seen(TAGGED).form

    form.tags.value = " prod*,  v1.* "
    assert form.rule.selection.tag_pattern_list == ("prod*", "v1.*")
    form.list_kind.value = "tag_prefix_list"
    assert form.rule.selection.tag_pattern_list == ()
    assert form.rule.selection.tag_prefix_list == ("prod*", "v1.*")


def test_an_entry_with_a_space_survives_the_change_of_another_field():
    [odd] = policy(rule(1, ["v 1*"], keep=10))
    form = Seen(odd).form

    form.count_number.value = 3

    assert form.rule.selection.tag_pattern_list == ("v 1*",)


def test_the_list_is_out_of_the_way_unless_images_are_tagged():
    form = Seen(TAGGED).form

    form.tag_status.value = "untagged"
    assert {field.layout.display for field in (form.list_kind, form.tags)} == {"none"}
    form.tag_status.value = "tagged"
    assert form.tags.layout.display is None
    assert form.rule == TAGGED


def test_the_number_says_what_it_counts():
    form = Seen(TAGGED).form

    assert form.count_number.description == "countNumber, images"
    form.count_type.value = "sinceImagePushed"
    assert form.count_number.description == "countNumber, days"


def test_the_storage_class_follows_the_count_type():
    archived = edited(TAGGED, count_type="sinceImageTransitioned")

    assert archived.selection.storage_class == "archive"
    assert edited(archived, count_type="sinceImagePushed").selection.storage_class == "standard"
    assert edited(archived, count_number=100).selection.storage_class == "archive"


def test_one_list_takes_the_place_of_the_other_and_text_is_a_list():
    both = edited(TAGGED, tag_prefix_list="v release-")

    assert both.selection == Selection("tagged", "imageCountMoreThan", 10, (), ("v", "release-"))


def test_an_action_is_one_word():
    assert edited(TAGGED, action="transition").action == Action("transition", "archive")
    assert edited(TAGGED, action="transition") == Rule(1, TAGGED.selection, Action("transition", "archive"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"count": 3}, "a rule has no 'count'.*count_number"),
        ({"tag_status": "TAGGED"}, "tag_status is one of tagged, untagged, any, got 'TAGGED'"),
        ({"action": "delete"}, "action is one of expire, transition"),
        ({"count_number": "3"}, "count_number is a whole number, got '3'"),
        ({"count_number": True}, "count_number is a whole number, got True"),
        ({"count_number": 2**2000}, "count_number is a whole number"),
    ],
)
def test_a_change_that_no_form_can_show_is_refused_at_the_door(changes, told):
    with pytest.raises(EcrLabError, match=told):
        edited(TAGGED, **changes)


def test_every_key_that_can_be_changed_is_one_of_a_rule():
    assert set(CHANGEABLE) == {*Selection.__dataclass_fields__, *Rule.__dataclass_fields__} - {"selection"}


def test_the_caption_says_the_rule_in_words_and_escapes_it():
    [hostile] = policy(rule(1, ["<script>alert(1)</script>"], keep=10))
    form = Seen(hostile).form

    form.tell("selects 3, takes 2")

    assert "<script>" not in form.caption.value
    assert "&lt;script&gt;" in form.caption.value
    assert "(selects 3, takes 2)" in form.caption.value


def test_the_button_removes():
    seen = Seen(TAGGED)

    seen.form.remove_button.click()

    assert seen.removed == [seen.form]


def test_a_description_follows_what_the_rule_does_and_stays_when_that_stays():
    described = edited(TAGGED, description="Keep last 10 releases")

    assert edited(described, count_number=5).description == "tagged v*: keep the newest 5"
    assert edited(described, rule_priority=5).description == "Keep last 10 releases"
    assert edited(described, count_number=5, description="Keep five").description == "Keep five"
    assert edited(TAGGED, count_number=5).description == ""
