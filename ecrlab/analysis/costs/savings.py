"""What a policy does to a repository as it stands: which rule frees how much, and what is left.

The policy runs until it has nothing more to do, as it would night after night: an index is deleted in the first, the
images that it listed in the next. Savings are computed rule by rule, in order. A layer that only two rules together
free counts for the later one, so that the savings of all rules add up to what is freed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.storage import Size, of_unread, stored
from ecrlab.analysis.costs.stored_bytes import StoredBytes
from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.snapshot import Snapshot, checked
from ecrlab.lifecycle import Policy, Rule
from ecrlab.lifecycle.daily import Daily
from ecrlab.lifecycle.policy import EXPIRE

if TYPE_CHECKING:
    import pandas as pd

SHARED = "shared by several"
NOTHING: Size = Bounds.exactly(0)


@dataclass(frozen=True, slots=True)
class Saving:
    """What one rule does: images it deletes and archives, the bytes freed, and those moved to the archive.

    `known` are the freed bytes of the layers that are known; unread images make the truth less, or more.
    """

    rule: Rule
    deleted: int
    archived: int
    known: int
    freed: Size
    moved: Size


@dataclass(frozen=True)
class PolicyEffect:
    """A repository before and after a policy; `acting` is the rule that deletes or archives, by digest."""

    policy: Policy
    before: Snapshot
    after: Snapshot
    acting: Mapping[str, Rule]

    @property
    def deleted(self) -> frozenset[str]:
        """The digests that the policy deletes."""
        return frozenset(digest for digest, rule in self.acting.items() if rule.action.type == EXPIRE)

    @cached_property
    def savings(self) -> tuple[Saving, ...]:
        """What each rule does, in order, also the rules that do nothing."""
        stored_bytes = StoredBytes(self.before)
        staying = of_unread(self.before, [digest for digest in self.before.unread if digest not in self.acting])
        return tuple(self._saving(rule, stored_bytes, staying) for rule in self.policy)

    def _saving(self, rule: Rule, stored_bytes: StoredBytes, staying: Size) -> Saving:
        mine = [digest for digest, acting in self.acting.items() if acting == rule]
        start = stored_bytes.stored
        for digest in mine:
            stored_bytes.remove(self.before.by_digest[digest])
            if digest in self.after.by_digest:
                stored_bytes.add(self.after.by_digest[digest])
        end = stored_bytes.stored
        is_expiry = rule.action.type == EXPIRE
        return Saving(
            rule,
            deleted=len(mine) if is_expiry else 0,
            archived=0 if is_expiry else len(mine),
            known=start.total.least - end.total.least,
            freed=_less(start.total, end.total, staying),
            moved=NOTHING if is_expiry else _less(start.standard, end.standard, staying),
        )


def settle(snapshot: Snapshot, policy: Policy) -> PolicyEffect:
    """Run a policy at the moment of the snapshot, until it has nothing more to do."""
    life = Daily(policy, checked(snapshot).images)
    acting: dict[str, Rule] = {}
    while gone := life.run(snapshot.taken_at):
        acting.update((image.image_digest, rule) for image, rule in gone)
    deleted = frozenset(digest for digest in acting if digest not in life)
    left = snapshot.without(deleted)
    images = tuple(life.get(image.image_digest) or image for image in left.images)
    return PolicyEffect(policy, snapshot, replace(left, images=images), acting)


def by_family(effect: PolicyEffect) -> "pd.DataFrame":
    """One row for each family of tags, before and after; the last row is for layers that several families share.

    The images that an index lists, and what is about an image, belong to the family of that index or image.

    Columns: `images before`, `images after`, `bytes before`, `bytes after`, these of layers that (before the policy)
    images of one family use only, so that a column adds up to what is stored. Images that could not be read have no
    bytes here.
    """
    import pandas as pd

    of_images = families.belonging(effect.before)
    names = families.in_order(of_images.values())
    owners = _owners(effect.before, of_images)
    columns = {}
    for word, snapshot in (("before", effect.before), ("after", effect.after)):
        numbers = Counter(of_images[image.image_digest] for image in snapshot.images)
        sizes: Counter[str] = Counter()
        for layer in snapshot.uses:
            sizes[owners[layer]] += snapshot.sizes[layer]
        columns[f"images {word}"] = [numbers[name] for name in names] + [0]
        columns[f"bytes {word}"] = [sizes[name] for name in names] + [sizes[SHARED]]
    table = pd.DataFrame(columns, index=pd.Index([*names, SHARED], name="family"))
    return table[["images before", "images after", "bytes before", "bytes after"]]


def by_rule(effect: PolicyEffect) -> "pd.DataFrame":
    """One row for each rule, in order: `rule`, what it says, images `deleted` and `archived`, `bytes freed` (of the
    layers that are known), and `bytes left` after it.
    """
    import pandas as pd

    left, rows = stored(effect.before).least, []
    for saving in effect.savings:
        left -= saving.known
        rows.append((saving.rule.in_words, saving.deleted, saving.archived, saving.known, left))
    index = pd.Index([saving.rule.rule_priority for saving in effect.savings], name="rule")
    return pd.DataFrame(rows, columns=["what it says", "deleted", "archived", "bytes freed", "bytes left"], index=index)


def _less(start: Size, end: Size, staying: Size) -> Size:
    """The bytes freed between two states; unread images that stay may still use some of them."""
    known = start.least - end.least
    least = 0 if staying.most is None else max(0, known - staying.most)
    if start.most is None:
        return Bounds(least, None)
    return Bounds(least, known if end.most is None else max(known, start.most - end.most))


def _owners(snapshot: Snapshot, of_images: Mapping[str, str]) -> dict[str, str]:
    """The family whose images alone use a layer, or `SHARED`."""
    owners: dict[str, str] = {}
    for digest, layers in snapshot.layers.items():
        name = of_images[digest]
        for layer in layers:
            if owners.setdefault(layer, name) != name:
                owners[layer] = SHARED
    return owners
