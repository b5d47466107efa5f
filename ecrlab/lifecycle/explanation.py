"""Why an image goes or stays, in one sentence: the rule that decides, the number it uses, and the other rules.

A sentence is made only on request; the evaluation of a million images makes none.
"""

from datetime import datetime

from ecrlab.lifecycle.candidates import missing_patterns
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.image import ACTIVATING, Image, aged_since, unused_since
from ecrlab.lifecycle.policy import ARCHIVE, EXPIRE, PULLED, TAGGED, TRANSITION, TRANSITIONED, Action, Rule
from ecrlab.lifecycle.verdict import Reason


def explain(evaluation: Evaluation, digest: str) -> str:
    """Return one English sentence on why an image goes or stays. Raises KeyError for an unknown digest."""
    return explain_at(evaluation, evaluation.position_of(digest))


def explain_at(evaluation: Evaluation, position: int) -> str:
    """Return the sentence for the image at a position of `evaluation.images`."""
    return _Case(evaluation, position).sentence()


class _Case:
    """One image, the rules that select it, and the verdict on it."""

    def __init__(self, evaluation: Evaluation, position: int) -> None:
        self.evaluation = evaluation
        self.position = position
        self.image: Image = evaluation.images[position]
        self.verdict = evaluation.verdict_at(position)
        self.rules = evaluation.selecting(position)

    def sentence(self) -> str:
        parts = [self.decision(), *self.others(), *self.near_misses()]
        return "; ".join(parts) + "."

    def decision(self) -> str:
        """Return which rule decides, and why."""
        reason = self.verdict.reason
        if reason is Reason.MARKED:
            return f"{_verb(self.verdict.action)} by {_named(self.rules[0])}: {self.standing(self.rules[0])}"
        if reason is Reason.WITHIN:
            return f"Kept by {_named(self.rules[0])}: {self.standing(self.rules[0])}"
        if reason is Reason.UNSELECTED:
            return f"Kept, for no rule selects it: {self.unselected()}"
        if reason is Reason.LISTED:
            indexes = [brief(digest) for digest in self.evaluation.indexes_of(self.position)]
            one = len(indexes) == 1
            holders = f"the index {indexes[0]} lists" if one else f"the indexes {_listed(indexes)} list"
            if self.evaluation.is_released(self.position):
                return f"Kept for this run, for {holders} it and go{'es' if one else ''} in this very run"
            return f"Kept, for {holders} it and {'is' if one else 'are'} still there"
        subject = brief(self.evaluation.subject_of(self.position).image_digest)
        if reason is Reason.ATTACHED:
            return f"Kept, for it belongs to its subject {subject}, which stays"
        if reason is Reason.ARCHIVED:
            return f"Kept, for its subject {subject} goes to the archive, where this one is already"
        return f"{_verb(self.verdict.action)} with its subject {subject}, which rule {self.verdict.rule_priority} takes"

    def standing(self, rule: Rule) -> str:
        """Return the image's rank or age compared with a rule's bound."""
        bound, marked = rule.selection.count_number, self.evaluation.marks(rule, self.position)
        if rule.selection.counts:
            rank, among = self.evaluation.rank(rule, self.position)
            newest = "the newest" if bound == 1 else f"the newest {bound}"
            return f"it is number {rank} of {among}, newest first, and {'only ' if marked else ''}{newest} may stay"
        word, since = self.dated(rule)
        if since is None:
            return "the date of its archiving is not known"
        limit = f"{bound} {'day' if bound == 1 else 'days'}"
        return f"{word} {_age(self.evaluation.now, since)} ago, {'more than' if marked else 'not more than'} {limit}"

    def dated(self, rule: Rule) -> tuple[str, datetime | None]:
        """Return the event that a rule counts the image's age from, and its instant."""
        image, kind = self.image, rule.selection.count_type
        if kind == TRANSITIONED:
            return "it was archived", image.last_archived_at
        since = unused_since(image) if kind == PULLED else aged_since(image)
        if image.last_activated_at == since:
            return "it was restored from the archive", since
        if kind != PULLED:
            return "it was pushed", since
        return "it was last pulled" if image.last_pulled_at else "it was never pulled, and pushed", since

    def unselected(self) -> str:
        """Return why no rule selects the image."""
        if self.image.storage_class == ACTIVATING:
            return "it is being restored from the archive"
        if self.image.storage_class == ARCHIVE:
            return "it is archived, and no rule for archived images fits"
        return "its tags fit no rule" if self.image.image_tags else "it has no tag, and no rule is for untagged images"

    def others(self) -> list[str]:
        """Return the rules that mark the image without acting on it, and what stops them."""
        reason = self.verdict.reason
        rivals = self.rules[1:] if reason in (Reason.MARKED, Reason.WITHIN) else self.rules
        wanting = [rule for rule in rivals if self.evaluation.marks(rule, self.position)]
        if not wanting:
            return []
        names = _listed([rule.name for rule in wanting])
        if reason is Reason.MARKED:
            return [f"{names} would take it too, but come{'s' if len(wanting) == 1 else ''} later"]
        if reason is Reason.WITHIN:
            deeds = {"delete" if rule.action.type == EXPIRE else "archive" for rule in wanting}
            return [
                f"{names} would {' or '.join(sorted(deeds))} it, but may not touch what {self.rules[0].name} selects"
            ]
        marks = f"{names} mark{'s' if len(wanting) == 1 else ''} it"
        if reason is Reason.LISTED:
            if self.evaluation.is_released(self.position):
                return [f"{marks}, and may act in the next run"]
            return [f"{marks}, but cannot act before the index is gone"]
        return [f"{marks}{' too' if self.verdict.action else ''}, but it goes only with its subject"]

    def near_misses(self) -> list[str]:
        """Return the earlier rules that match some of the image's tags, but lack others."""
        first = self.rules[0].rule_priority if self.rules else None
        missed = []
        for rule in self.evaluation.policy:
            if first is not None and rule.rule_priority >= first:
                break
            selection = rule.selection
            if selection.tag_status != TAGGED or selection.storage_class != self.image.storage_class:
                continue
            missing = missing_patterns(rule, self.image)
            if len(missing) < len(selection.patterns):
                wanted = _listed(list(map(str, selection.patterns)))
                missed.append(
                    f"{rule.name} wants {wanted} on one image and finds no tag for {_listed(list(map(str, missing)))}"
                )
        return missed


def _named(rule: Rule) -> str:
    return f"{rule.name} ({rule.in_words})"


def _verb(action: Action | None) -> str:
    return "Archived" if action and action.type == TRANSITION else "Expired"


def brief(digest: str) -> str:
    """Return a digest in short: the algorithm and twelve hexadecimal digits."""
    algorithm, colon, figures = digest.partition(":")
    return algorithm + colon + figures[:12]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _age(now: datetime, since: datetime) -> str:
    """Return a duration in its two largest units: `3 days 4 hours`.

    >>> _age(datetime(2026, 9, 4, 13), datetime(2026, 9, 1, 9))
    '3 days 4 hours'
    """
    seconds = int((now - since).total_seconds())
    if seconds < 0:
        return f"minus {_age(since, now)}"
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    units = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    largest = next((place for place, (number, _) in enumerate(units) if number), 3)
    told = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in units[largest : largest + 2] if n]
    return " ".join(told) or "0 seconds"
