"""One rule of a lifecycle policy as a form: a labelled field for each key of its JSON.

    tagStatus [tagged ▾]  [tagPatternList ▾] [v*     ]  countType [imageCountMoreThan ▾]  countNumber [10]  …

The fields are native controls, so that Tab, the arrow keys and screen readers work. The form accepts what AWS would
refuse, because an edit may pass through it. A key with only one possible value (`countUnit`, and the storage class of a
count type) is set by the form.
"""

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import ipywidgets as widgets

from ecrlab.errors import EcrLabError
from ecrlab.lifecycle.policy import (
    ANY,
    ARCHIVE,
    COUNT,
    EXPIRE,
    PULLED,
    PUSHED,
    STANDARD,
    TAGGED,
    TRANSITION,
    TRANSITIONED,
    UNTAGGED,
    Action,
    Rule,
    Selection,
)

CHOICES = {
    "tag_status": (TAGGED, UNTAGGED, ANY),
    "count_type": (COUNT, PUSHED, PULLED, TRANSITIONED),
    "storage_class": (STANDARD, ARCHIVE),
    "action": (EXPIRE, TRANSITION),
}
LISTS = {"tag_pattern_list": "tagPatternList", "tag_prefix_list": "tagPrefixList"}
NUMBERS = ("rule_priority", "count_number")
OF_SELECTION = tuple(field.name for field in fields(Selection))
CHANGEABLE = ("rule_priority", "description", *OF_SELECTION, "action")
FIRST, NEXT = Selection(UNTAGGED, PUSHED, 14), Selection(TAGGED, COUNT, 10, ("v*",))
"""What a new rule selects until it is edited: AWS accepts it, and it does the least harm."""


def edited(rule: Rule, **changes: Any) -> Rule:
    """A rule with some of its keys changed, named as in `CHANGEABLE`; `action` is "expire" or "transition".

    One list of tags takes the place of the other; a list may be given as text with spaces between. A description
    follows what the rule does: unless it is changed too, it becomes the rule in words. Raises `EcrLabError` for a key
    that no rule has and a value that no form can show.
    """
    values = {key: _value(key, value) for key, value in changes.items()}
    for one, other in (("tag_pattern_list", "tag_prefix_list"), ("tag_prefix_list", "tag_pattern_list")):
        if values.get(one):
            values.setdefault(other, ())
    if values.get("count_type", rule.selection.count_type) != rule.selection.count_type:
        # AWS accepts only one storage class for each count type.
        values.setdefault("storage_class", ARCHIVE if values["count_type"] == TRANSITIONED else STANDARD)
    of_selection = {key: value for key, value in values.items() if key in OF_SELECTION}
    of_rule = {key: value for key, value in values.items() if key not in OF_SELECTION}
    new = replace(rule, selection=replace(rule.selection, **of_selection), **of_rule)
    if (
        rule.description
        and "description" not in values
        and (new.selection, new.action) != (rule.selection, rule.action)
    ):
        # The old words are about the old rule.
        new = replace(new, description=new.in_words)
    return new


def _value(key: str, value: Any) -> Any:
    if key not in CHANGEABLE:
        raise EcrLabError(f"a rule has no {key!r}; what can be changed is {', '.join(CHANGEABLE)}")
    if key in LISTS:
        return tuple(_entries(value)) if isinstance(value, str) else tuple(map(str, value))
    if key in NUMBERS and (type(value) is not int or abs(value) >= 2**1023):
        raise EcrLabError(f"{key} is a whole number, got {value!r}")
    if key in CHOICES and value not in CHOICES[key]:
        raise EcrLabError(f"{key} is one of {', '.join(CHOICES[key])}, got {value!r}")
    if key == "action":
        return Action(value, ARCHIVE if value == TRANSITION else None)
    return value


def _entries(text: str) -> list[str]:
    """The entries of a list of tags in a field; no tag has a space or a comma."""
    return [entry for entry in re.split(r"[\s,]+", text) if entry]


class RuleForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The fields of one rule; `rule` is what they say. Calls `changed` after every change, `removed` on its button."""

    def __init__(self, rule: Rule, changed: Callable[[], None], removed: Callable[["RuleForm"], None]) -> None:
        self.rule = rule
        self._changed = changed
        self._is_showing = False
        self.caption = widgets.HTML()
        self.priority = _number("rulePriority", "10.5em")
        self.tag_status = _choice("tagStatus", CHOICES["tag_status"], "13em")
        self.list_kind = _choice("list", [(aws, ours) for ours, aws in LISTS.items()], "13em")
        self.tags = widgets.Text(
            description="tags",
            placeholder="v* prod*: a tag for each is wanted",
            layout={"width": "18em", "max_width": "100%", "flex": "1 1 12em"},
            style={"description_width": "initial"},
        )
        self.count_type = _choice("countType", CHOICES["count_type"], "20em")
        self.count_number = _number("countNumber", "15em")
        self.action = _choice("action", [(EXPIRE, EXPIRE), ("transition to archive", TRANSITION)], "16em")
        self.remove_button = widgets.Button(icon="trash", layout={"width": "auto"})
        self.remove_button.on_click(lambda _: removed(self))
        self._fields = {
            "rule_priority": self.priority,
            "tag_status": self.tag_status,
            "count_type": self.count_type,
            "count_number": self.count_number,
            "action": self.action,
        }
        in_order = (
            *(self.priority, self.tag_status, self.list_kind, self.tags),
            *(self.count_type, self.count_number, self.action),
        )
        self.show(rule)
        for field in in_order:
            field.observe(self._read, "value")
        line = widgets.Box([*in_order, self.remove_button], layout={"flex_flow": "row wrap", "align_items": "center"})
        super().__init__([self.caption, line])
        self.add_class("ecrlab-rule")

    def show(self, rule: Rule) -> None:
        """Show another rule, without calling `changed`."""
        self._is_showing = True
        self.rule = rule
        selection = rule.selection
        self.priority.value, self.tag_status.value = rule.rule_priority, selection.tag_status
        self.list_kind.value = "tag_prefix_list" if selection.tag_prefix_list else "tag_pattern_list"
        self.tags.value = " ".join(selection.tag_prefix_list or selection.tag_pattern_list)
        self.count_type.value, self.count_number.value = selection.count_type, selection.count_number
        self.action.value = rule.action.type
        self._dress()
        self._is_showing = False

    def tell(self, outcome: str = "") -> None:
        """Show above the fields the rule in words, and its effect."""
        words = html.escape(f"{self.rule.name}: {self.rule.in_words}")
        self.caption.value = f"<strong>{words}</strong>" + (f" ({html.escape(outcome)})" if outcome else "")

    def _read(self, _: object) -> None:
        if self._is_showing:
            return
        values = {key: field.value for key, field in self._fields.items()}
        selection = self.rule.selection
        before = " ".join(selection.tag_prefix_list or selection.tag_pattern_list)
        if self.tags.value != before or not getattr(selection, self.list_kind.value):
            other = next(key for key in LISTS if key != self.list_kind.value)
            # A list nobody touched stays as it was given, even with entries that a field cannot tell apart.
            kept = selection.tag_prefix_list or selection.tag_pattern_list
            entries = kept if self.tags.value == before else _entries(self.tags.value)
            values |= {self.list_kind.value: tuple(entries), other: ()}
        self.rule = edited(self.rule, **values)
        self._dress()
        self._changed()

    def _dress(self) -> None:
        """Show the list for tagged images only, and name what the fields belong to."""
        for field in (self.list_kind, self.tags):
            field.layout.display = None if self.tag_status.value == TAGGED else "none"
        self.count_number.description = "countNumber, images" if self.count_type.value == COUNT else "countNumber, days"
        self.remove_button.description = f"remove {self.rule.name}"


def _choice(name: str, options: Iterable[Any], width: str) -> Any:
    return widgets.Dropdown(
        description=name,
        options=tuple(options),
        layout={"width": width, "max_width": "100%"},
        style={"description_width": "initial"},
    )


def _number(name: str, width: str) -> Any:
    return widgets.IntText(
        description=name,
        layout={"width": width, "max_width": "100%"},
        style={"description_width": "initial"},
        continuous_update=True,
    )
