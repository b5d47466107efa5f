"""A small editor of lifecycle policies: change a rule, move the day, and see which images go, and why.

    rules ──> the policy's JSON ──> what a preview would answer ──> a line, a picture and a row for each image
              └ refused: AWS's own words, and the last good picture stays

For a later day the editor shows what AWS's preview would be if nothing is pushed, pulled or deleted until then. It
changes nothing; put the JSON with PutLifecyclePolicy. Any boto3 ECR client will do.
"""

import html
import json
import shlex
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ecrlab.analysis.plots import outcome_strip, outcomes
from ecrlab.analysis.widgets.rule_form import FIRST, NEXT, RuleForm, edited
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import Evaluation, Image, InvalidLifecyclePolicy, Policy, Rule, evaluate, parse
from ecrlab.lifecycle.aws import Manifests, Repository
from ecrlab.lifecycle.explanation import explain
from ecrlab.lifecycle.export import policy_text
from ecrlab.lifecycle.policy import ANY, STANDARD, UNTAGGED

if TYPE_CHECKING:
    import pandas as pd

NO_POLICY = Policy(())
WIDE: dict[str, Any] = {"layout": {"width": "24em", "max_width": "100%"}, "style": {"description_width": "initial"}}
AS_JSON, AS_ONE_LINE, AS_COMMAND = TEXT_KINDS = ("JSON", "JSON in one line", "a command of the AWS CLI")
BY_KEY = "<p>By keyboard: Tab goes on; Space opens a list, arrows and Enter choose; ↑ and ↓ change a number.</p>"
STYLE = """<style>
.ecrlab-editor {border: 1px solid var(--jp-border-color1, #8c8c8c); padding: 0.5em 1em; margin: 0.5em 0}
.ecrlab-rule {border-left: 3px solid var(--jp-border-color1, #8c8c8c); padding-left: 0.6em; margin: 0.3em 0}
.ecrlab-rows {max-height: 24em; overflow: auto}
.ecrlab-editor .ecrlab-rows table {border-collapse: collapse; font-size: 0.95em}
.ecrlab-editor .ecrlab-rows :is(th, td) {text-align: left; vertical-align: top; line-height: 1.35}
.ecrlab-editor .ecrlab-rows :is(th, td) {padding: 0.15em 0.6em}
.ecrlab-editor .ecrlab-rows td:first-child {white-space: nowrap; font-weight: bold}
.ecrlab-editor .ecrlab-rows td:nth-child(4) {white-space: nowrap}
.ecrlab-editor .ecrlab-rows td:last-child {white-space: normal; min-width: 16em}
.ecrlab-editor pre {white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.3; margin: 0.3em 0}
.ecrlab-editor p {line-height: 1.4; margin: 0.4em 0}
</style>"""


def editor(
    ecr: Any, repository: str, policy: str | None = None, *, now: datetime, manifests: Manifests | None = None
) -> "PolicyEditor":
    """Edit a policy for a repository, through a boto3 ECR client, as of `now`.

    It begins with the text `policy`, or with the repository's own one, or without a rule. Raises
    `InvalidLifecyclePolicy` for a text that AWS would refuse. Without `manifests` those of indexes are read with
    BatchGetImage, which AWS counts as a pull.
    """
    begun = _policy_of(ecr, repository) if policy is None else policy
    rules = parse(begun).rules if begun.strip() else ()
    return PolicyEditor(repository, Repository(ecr, repository, manifests).images(), rules, now)


def _policy_of(ecr: Any, repository: str) -> str:
    """The text of a repository's policy, empty if it has none."""
    try:
        return str(ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"])
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        return ""


class PolicyEditor(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Rules, a day, and what becomes of the images; made by `editor`.

    Its methods do what the controls do: `edit(1, count_number=3)`, `add(...)`, `remove(1)`, `day = 5`. Properties
    return what is shown: `policy`, `refusal`, `going`, `archiving`, `kept`, `says`, `why("v1")`, `table()`.
    """

    def __init__(self, repository: str, images: list[Image], rules: tuple[Rule, ...], now: datetime) -> None:
        self.repository = repository
        self.images = tuple(images)
        self.now = now
        self._refused: InvalidLifecyclePolicy | None = None
        self._good = NO_POLICY
        self._forms = [self._form(rule) for rule in rules]
        self._rules = widgets.VBox(self._forms)
        self.add_button = widgets.Button(
            description="add a rule", icon="plus", layout={"width": "auto", "align_self": "flex-start"}
        )
        self.add_button.on_click(lambda _: self.add())
        # A number, not a slider: ipywidgets gives the handle of a slider no accessible name.
        self.day_field = widgets.BoundedIntText(
            description="days from now",
            max=(datetime.max.replace(tzinfo=now.tzinfo) - now).days,
            continuous_update=True,
            layout={"width": "15em", "max_width": "100%"},
            style={"description_width": "initial"},
        )
        self.find_box = widgets.Text(description="find images", placeholder="part of a tag or digest", **WIDE)
        self.text_kind = widgets.Dropdown(description="the policy as", options=TEXT_KINDS, **WIDE)
        self._status, self._refusal, self._strip, self._rows, self._text = (widgets.HTML() for _ in range(5))
        self._status.add_class("ecrlab-status")
        self._rows.add_class("ecrlab-rows")
        self._judge()
        self.day_field.observe(lambda _: self._judge(), "value")
        self.find_box.observe(lambda _: self._show_rows(), "value")
        self.text_kind.observe(lambda _: self._show_text(), "value")
        super().__init__(
            [
                widgets.HTML(f"{STYLE}<p><strong>Lifecycle policy of {html.escape(repository)}</strong></p>{BY_KEY}"),
                *(self._rules, self.add_button, self._refusal, self.day_field),
                *(self._status, self._strip, self.find_box, self._rows, self.text_kind, self._text),
            ]
        )
        self.add_class("ecrlab-editor")

    # What is shown, as plain values

    @property
    def policy(self) -> str:
        """The JSON to put with PutLifecyclePolicy; empty without a rule."""
        return policy_text(form.rule for form in self._forms) if self._forms else ""

    @property
    def refusal(self) -> str:
        """The text with which AWS would refuse this policy; empty if it would accept it."""
        return self._refused.message if self._refused else ""

    @property
    def going(self) -> list[str]:
        """The images that expire, oldest first: their tags, or the beginning of their digest."""
        return outcomes.names(verdict.image for verdict in self.evaluation.expiring)

    @property
    def archiving(self) -> list[str]:
        """The images that go to the archive, oldest first."""
        return outcomes.names(verdict.image for verdict in self.evaluation.transitioning)

    @property
    def kept(self) -> list[str]:
        """The images that stay as they are, oldest first."""
        return outcomes.names(verdict.image for verdict in self.evaluation.kept)

    @property
    def says(self) -> str:
        """The line that counts the outcomes."""
        at = f"{self.evaluation.now:%Y-%m-%d %H:%M} UTC"
        when = f"Today, {at}" if not self.day else f"In {self.day} {'day' if self.day == 1 else 'days'}, {at}"
        without = "" if self._good.rules else " No rule yet: without a policy ECR keeps every image."
        return f"{when}: {outcomes.in_words(self.evaluation)}.{without}"

    def why(self, image: str) -> str:
        """One sentence about the image with this tag, digest, or beginning of a digest (with `sha256:` or without)."""
        for one in self.images:
            if image and (image in one.image_tags or one.image_digest.partition(":")[2].startswith(image)):
                return explain(self.evaluation, one.image_digest)
            if image == one.image_digest:
                return explain(self.evaluation, one.image_digest)
        raise EcrLabError(f"{self.repository} has no image {image!r}")

    def table(self) -> "pd.DataFrame":
        """One row for each image; see `ecrlab.analysis.plots.outcomes.table`."""
        return outcomes.table(self.evaluation)

    # What a hand does

    @property
    def day(self) -> int:
        """How many days from now the images are looked at."""
        return int(self.day_field.value)

    @day.setter
    def day(self, day: int) -> None:
        if type(day) is not int or day < 0:
            raise EcrLabError(f"day is a number of whole days from now, 0 or more, got {day!r}")
        self._moment(day)
        self.day_field.value = day

    def edit(self, rule_priority: int, /, **changes: Any) -> None:
        """Change keys of the rule of this priority: `edit(1, count_number=3, tag_pattern_list=["v*"])`.

        Keys: rule_priority, description, tag_status, count_type, count_number, tag_pattern_list, tag_prefix_list,
        storage_class, action ("expire" or "transition"). Values are those of the policy's JSON.
        """
        form = self._form_of(rule_priority)
        form.show(edited(form.rule, **changes))
        self._judge()

    def add(self, **keys: Any) -> None:
        """Add a rule after the others; a last rule for any image stays the last.

        Keys: rule_priority, description, tag_status, count_type, count_number, tag_pattern_list, tag_prefix_list,
        storage_class, action ("expire" or "transition"). Values are those of the policy's JSON.
        """
        last = max(self._forms, key=lambda form: form.rule.rule_priority, default=None)
        has_untagged = any(form.rule.selection.tag_status == UNTAGGED for form in self._forms)
        rule = edited(Rule(last.rule.rule_priority + 1 if last else 1, NEXT if has_untagged else FIRST), **keys)
        place = len(self._forms)
        if last and "rule_priority" not in keys and _is_for_all(last.rule) and not _is_for_all(rule):
            rule = edited(rule, rule_priority=last.rule.rule_priority)
            last.show(edited(last.rule, rule_priority=last.rule.rule_priority + 1))
            place = self._forms.index(last)
        self._set_forms([*self._forms[:place], self._form(rule), *self._forms[place:]])

    def remove(self, rule_priority: int) -> None:
        """Take the rule of this priority out."""
        self._drop(self._form_of(rule_priority))

    # How it comes about

    def _form(self, rule: Rule) -> RuleForm:
        return RuleForm(rule, changed=self._judge, removed=self._click_away)

    def _form_of(self, rule_priority: int) -> RuleForm:
        for form in self._forms:
            if form.rule.rule_priority == rule_priority:
                return form
        there = ", ".join(str(form.rule.rule_priority) for form in self._forms) or "none"
        raise EcrLabError(f"there is no rule of priority {rule_priority!r}; there are: {there}")

    def _click_away(self, form: RuleForm) -> None:
        self._drop(form)
        # The button that had the focus is gone; from nowhere, Tab would start at the top of the page.
        self.add_button.focus()

    def _drop(self, form: RuleForm) -> None:
        self._set_forms([other for other in self._forms if other is not form])

    def _set_forms(self, forms: list[RuleForm]) -> None:
        self._forms = forms
        self._rules.children = tuple(forms)
        self._judge()

    def _moment(self, day: int) -> datetime:
        try:
            return self.now + timedelta(days=day)
        except OverflowError as error:
            raise EcrLabError(f"{day} days from {self.now:%Y-%m-%d} lead beyond the calendar") from error

    def _judge(self) -> None:
        """Evaluate the rules on the images, and show the outcome."""
        try:
            self._good = parse(self.policy) if self._forms else NO_POLICY
            self._refused = None
        except InvalidLifecyclePolicy as error:
            self._refused = error
        self.evaluation: Evaluation = evaluate(self._good, self.images, self._moment(self.day))
        self._show_outcomes()
        self._status.value = f"<p role='status'><strong>{html.escape(self.says)}</strong></p>"
        self._refusal.value = self._refusal_as_html()
        self._strip.value = outcome_strip.as_svg(self.evaluation)
        self._show_rows()
        self._show_text()

    def _show_outcomes(self) -> None:
        """Show above each rule how many images it selects and takes; nothing while the policy is refused."""
        selects: Counter[int] = Counter()
        takes: Counter[int] = Counter()
        for position in self.evaluation.by_age:
            selects.update(rule.rule_priority for rule in self.evaluation.selecting(position))
            if acting := self.evaluation.acts(position):
                takes[acting.rule_priority] += 1
        for form in self._forms:
            number = form.rule.rule_priority
            form.tell("" if self._refused else f"selects {selects[number]}, takes {takes[number]}")

    def _show_rows(self) -> None:
        rows = outcomes.as_html(self.evaluation, self.find_box.value.strip())
        self._rows.value = f"<div role='group' aria-label='images and their outcomes' tabindex='0'>{rows}</div>"

    def _refusal_as_html(self) -> str:
        if self._refused is None:
            return ""
        place = f" The place: <code>{html.escape(self._refused.place)}</code>." if self._refused.place else ""
        return (
            "<p role='alert'><strong>✗ ECR would refuse this policy.</strong> <code>InvalidParameterException: "
            f"{html.escape(self._refused.message)}</code>{place} What is shown below is the last policy that it would"
            " take.</p>"
        )

    def _show_text(self) -> None:
        """The policy in the form that was chosen."""
        shown = self.policy
        if shown and self.text_kind.value != AS_JSON:
            shown = json.dumps(json.loads(shown), separators=(",", ":"), ensure_ascii=False)
        if shown and self.text_kind.value == AS_COMMAND:
            shown = (
                f"aws ecr put-lifecycle-policy --repository-name {shlex.quote(self.repository)}"
                f" --lifecycle-policy-text {shlex.quote(shown)}"
            )
        self._text.value = f"<pre tabindex='0'>{html.escape(shown)}</pre>" if shown else ""

    def __repr__(self) -> str:
        return f"<{self.repository}: {self.says}>"

    def _repr_mimebundle_(self, **settings: Any) -> Any:
        shown = super()._repr_mimebundle_(**settings)
        if isinstance(shown, dict):
            # Where widgets cannot be shown (a printed page, a repository's web view), the words still can.
            words = [f"Lifecycle policy of {self.repository}"]
            words += [f"{form.rule.name}: {form.rule.in_words}" for form in self._forms]
            shown["text/plain"] = "\n".join([*words, self.says, outcomes.as_text(self.evaluation)])
        return shown


def _is_for_all(rule: Rule) -> bool:
    return rule.selection.tag_status == ANY and rule.selection.storage_class == STANDARD
