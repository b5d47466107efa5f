"""A repository under a policy, run after run: the same verdicts as `evaluate`, at the cost of the changes only.

    push, pull ──► Daily ── run(now) ──► the images that the run removes or archives, each with its rule

`evaluate` reads all images each time. Few images change from one day to the next, so each rule here keeps a sorted
list of the images that it counts and a heap of those that it decides about. A run reads only the images past a bound.
A year of a repository takes a fraction of a second.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from ecrlab.lifecycle.bounds import earliest
from ecrlab.lifecycle.candidates import Candidates
from ecrlab.lifecycle.image import Image, aged_since, unused_since
from ecrlab.lifecycle.policy import ARCHIVE, COUNT, EXPIRE, PULLED, STANDARD, Policy, Rule

NO_POLICY = Policy(())


class Gone(NamedTuple):
    """An image that a run deletes or archives, and the rule that acts."""

    image: Image
    rule: Rule


class _Place(NamedTuple):
    """The place of an image in the order of age: its instant, then its digest."""

    since: float
    digest: str


@dataclass(slots=True)
class _Standing:
    """An image in its present state; a heap entry with another `turn` is outdated."""

    image: Image
    family: int
    place: _Place
    turn: int


class Daily:
    """The images of a repository, and a policy that runs on them."""

    def __init__(self, policy: Policy | None, images: Iterable[Image] = ()) -> None:
        self.policy = policy or NO_POLICY
        self._candidates = Candidates(self.policy)
        self._standing: dict[str, _Standing] = {}
        self._holders: dict[str, set[str]] = {}
        """For each listed digest, the indexes that list it."""
        self._referrers: dict[str, set[str]] = {}
        """For each digest, the images whose subject it is."""
        self._tagged: dict[str, str] = {}
        self._counted: list[list[_Place]] = [[] for _ in self.policy]
        """For each rule that counts, the places of the images it selects, sorted."""
        self._waiting: list[list[tuple[float, str, int]]] = [[] for _ in self.policy]
        """For each rule, a heap of the images it decides about: instant (of the push, the pull …), digest, turn."""
        self._released: set[str] = set()
        """The digests that an index kept from a rule until the last run."""
        self._turns = count()
        self._begin(list(images))

    # Queries

    def __len__(self) -> int:
        return len(self._standing)

    def __contains__(self, digest: object) -> bool:
        return digest in self._standing

    def get(self, digest: str) -> Image | None:
        """Return an image in its present state, if it is there."""
        standing = self._standing.get(digest)
        return None if standing is None else standing.image

    def __iter__(self) -> Iterator[Image]:
        """Return the images in their present state, in no defined order."""
        return (standing.image for standing in self._standing.values())

    # Changes

    def push(self, image: Image) -> bool:
        """Push an image and move its tags to it. Returns False if the image was there and only receives the tags."""
        for tag in image.image_tags:
            holder = self._tagged.get(tag)
            if holder is not None and holder != image.image_digest:
                self._retag(holder, tuple(name for name in self._standing[holder].image.image_tags if name != tag))
        there = self._standing.get(image.image_digest)
        if there is None:
            self._enter(image, self._family(image))
            return True
        tags = (*there.image.image_tags, *(tag for tag in image.image_tags if tag not in there.image.image_tags))
        if there.image.storage_class != STANDARD:
            # A push of the same image restores it from the archive at once (AWS user guide, restore an image).
            self._change(there, replace(there.image, storage_class=STANDARD, last_activated_at=image.pushed_at))
        self._retag(image.image_digest, tags)
        return False

    def pull(self, digest: str, instant: datetime) -> bool:
        """Pull an image. Returns False if it is gone or archived."""
        standing = self._standing.get(digest)
        if standing is None or standing.image.storage_class != STANDARD:
            return False
        # A rule on the last pull reads it when the image reaches the top of its heap.
        standing.image = replace(standing.image, last_pulled_at=instant)
        return True

    def run(self, now: datetime) -> list[Gone]:
        """Run the policy, delete and archive images, and return them in no defined order.

        Every decision uses the state before the run.
        """
        for digest in self._released:
            if digest in self._standing:
                self._wait(self._standing[digest])
        self._released.clear()
        acting = dict(self._marked(now))
        for digest, rule in list(acting.items()):
            acting.update((follower, rule) for follower in self._followers(digest, rule))
        gone = [Gone(self._standing[digest].image, rule) for digest, rule in acting.items()]
        for image, rule in gone:
            if rule.action.type == EXPIRE:
                self._leave(image.image_digest)
            else:
                archived = replace(image, storage_class=ARCHIVE, last_archived_at=now)
                self._change(self._standing[image.image_digest], archived)
                self._release(image)
        return gone

    # Decisions of a run

    def _marked(self, now: datetime) -> Iterator[tuple[str, Rule]]:
        """Return the images that a rule marks and no index keeps; a kept one waits for its release."""
        for number, rule in enumerate(self.policy):
            bound, waiting = self._bound(number, rule, now), self._waiting[number]
            while waiting and waiting[0][:2] < bound:
                since, digest, turn = heappop(waiting)
                standing = self._standing.get(digest)
                if standing is None or standing.turn != turn:
                    continue
                if rule.selection.count_type == PULLED and (used := _unused_since(standing.image)) > since:
                    heappush(waiting, (used, digest, turn))
                elif not self._is_attached(standing.image) and not self._is_held(digest, rule):
                    yield digest, rule

    def _bound(self, number: int, rule: Rule, now: datetime) -> tuple[float, str]:
        """Return the place in the order of age before which a rule marks what it selects."""
        if rule.selection.count_type == COUNT:
            counted, most = self._counted[number], rule.selection.count_number
            return counted[-most] if len(counted) > most else (float("-inf"), "")
        return earliest(rule, now).timestamp(), ""

    def _is_held(self, digest: str, rule: Rule) -> bool:
        """Whether an index keeps an image from a rule; an archived index does not keep it from the archive."""
        holders = self._holders.get(digest, ())
        if rule.action.type == EXPIRE:
            return bool(holders)
        return any(self._standing[holder].image.storage_class != ARCHIVE for holder in holders)

    def _is_attached(self, image: Image) -> bool:
        """Whether an image has its subject here, and so leaves only together with it."""
        return image.subject_digest in self._standing

    def _followers(self, digest: str, rule: Rule) -> Iterator[str]:
        """Return the referrers of an image, and theirs, without those that an index keeps or that are archived."""
        waiting, seen = [digest], {digest}
        while waiting:
            for follower in self._referrers.get(waiting.pop(), ()):
                if follower in seen:
                    continue
                seen.add(follower)
                waiting.append(follower)
                image = self._standing[follower].image
                there = rule.action.type != EXPIRE and image.storage_class != STANDARD
                if not there and not self._is_held(follower, rule):
                    yield follower

    # Bookkeeping

    def _begin(self, images: list[Image]) -> None:
        families = self._candidates.sort_out(images)
        for image, family in zip(images, families, strict=True):
            self._enter(image, family, in_order=False)
        for places in self._counted:
            places.sort()
        for heap in self._waiting:
            heapify(heap)

    def _family(self, image: Image) -> int:
        return self._candidates.sort_out([image])[0]

    def _enter(self, image: Image, family: int, *, in_order: bool = True) -> None:
        digest = image.image_digest
        standing = _Standing(image, family, _place(image), next(self._turns))
        self._standing[digest] = standing
        for child in image.children:
            self._holders.setdefault(child, set()).add(digest)
        if image.subject_digest:
            self._referrers.setdefault(image.subject_digest, set()).add(digest)
        self._tagged.update(dict.fromkeys(image.image_tags, digest))
        self._stand(standing, in_order=in_order)

    def _stand(self, standing: _Standing, *, in_order: bool = True) -> None:
        """Enter an image in the lists of the rules that select it."""
        for number in self._candidates.rules_of[standing.family]:
            if self.policy.rules[number].selection.counts:
                if in_order:
                    insort(self._counted[number], standing.place)
                else:
                    self._counted[number].append(standing.place)
        self._wait(standing, in_order=in_order)

    def _wait(self, standing: _Standing, *, in_order: bool = True) -> None:
        """Enter an image in the heap of the rule that decides about it."""
        rules = self._candidates.rules_of[standing.family]
        if not rules:
            return
        is_by_pull = self.policy.rules[rules[0]].selection.count_type == PULLED
        since = _unused_since(standing.image) if is_by_pull else standing.place.since
        entry = (since, standing.image.image_digest, standing.turn)
        if in_order:
            heappush(self._waiting[rules[0]], entry)
        else:
            self._waiting[rules[0]].append(entry)

    def _withdraw(self, standing: _Standing) -> None:
        """Remove an image from the lists of the rules, and outdate its heap entries."""
        standing.turn = next(self._turns)
        for number in self._candidates.rules_of[standing.family]:
            if self.policy.rules[number].selection.counts:
                places = self._counted[number]
                del places[bisect_left(places, standing.place)]

    def _change(self, standing: _Standing, image: Image) -> None:
        self._withdraw(standing)
        standing.image, standing.family, standing.place = image, self._family(image), _place(image)
        self._stand(standing)

    def _retag(self, digest: str, tags: tuple[str, ...]) -> None:
        standing = self._standing[digest]
        if tags != standing.image.image_tags:
            self._change(standing, replace(standing.image, image_tags=tags))
            self._tagged.update(dict.fromkeys(tags, digest))

    def _leave(self, digest: str) -> None:
        standing = self._standing.pop(digest)
        self._withdraw(standing)
        for tag in standing.image.image_tags:
            if self._tagged.get(tag) == digest:
                del self._tagged[tag]
        for child in standing.image.children:
            self._holders[child].discard(digest)
        if standing.image.subject_digest:
            self._referrers[standing.image.subject_digest].discard(digest)
        # An index still keeps its remaining referrers; a run decides about them when that index is gone.
        self._release(standing.image)

    def _release(self, index: Image) -> None:
        self._released.update(index.children)


def _place(image: Image) -> _Place:
    return _Place(aged_since(image).timestamp(), image.image_digest)


def _unused_since(image: Image) -> float:
    return unused_since(image).timestamp()
