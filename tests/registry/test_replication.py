"""Replication against a slow and obvious model of it: after any sequence of pushes, deletions, restores, rules and
permissions, every registry holds what the model says.
"""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ecrlab.clock import LabClock
from ecrlab.registry import archive, images, replication, repositories, settings
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.images import ImageId
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from ecrlab.simulator.wiring import wire
from tests.registry.conftest import ACCOUNT, Client

WEST, EAST, FAR = (ACCOUNT, "us-west-2"), (ACCOUNT, "us-east-1"), (ACCOUNT, "eu-west-1")
ABROAD = ("333333333333", "eu-west-1")
PLACES = [WEST, EAST, FAR, ABROAD]
NAMES = ["prod/a", "dev/b"]
OFTEN = st.sampled_from(["prod/a", "prod/a", "prod/a", "dev/b"])
# Most happens in one place, so that a few steps meet.
SOURCES, TAGS = st.sampled_from([EAST, EAST, EAST, WEST]), st.sampled_from(["v1", "v2"])
RULES = st.lists(
    st.tuples(
        st.sets(st.sampled_from(PLACES), min_size=1, max_size=3),
        st.sampled_from([(), ("prod",), ("dev", "prod/x")]),
        st.booleans(),
    ),
    max_size=2,
)
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"], "Resource": "*"}


class Shelf:
    """A repository of the model: digest -> the digests that it lists, tag -> digest."""

    def __init__(self):
        self.images, self.tags, self.archived, self.immutable = {}, {}, set(), False

    def accept(self, digest, lists):
        self.images[digest] = lists
        self.archived.discard(digest)

    def is_listed(self, digest):
        return any(digest in lists for lists in self.images.values())

    def tags_of(self, digest):
        return [tag for tag, other in self.tags.items() if other == digest]

    def remove(self, digest):
        if digest not in self.images or self.is_listed(digest):
            return False
        del self.images[digest]
        self.tags = {tag: other for tag, other in self.tags.items() if other != digest}
        self.archived.discard(digest)
        return True


class Model(RuleBasedStateMachine):
    """`shelves`: (place, name) -> what it holds; `copies`: what pushes and restores caused, in order."""

    @initialize()
    def begin(self):
        self.directory, self.clock = tempfile.TemporaryDirectory(), LabClock()
        self.rules, self.shelves, self.copies, self.is_allowed = {place: [] for place in PLACES}, {}, [], False
        self.open()
        for place in (WEST, EAST):
            for name in NAMES:
                repositories.create(self.at(place), name)
                self.shelves[place, name] = Shelf()
        self.put_rules(EAST, [({FAR, ABROAD}, (), False)])
        self.permit(True)

    def open(self):
        self.world = World(Path(self.directory.name), self.clock, durable=False)
        wire(self.world)

    def at(self, place):
        return self.world.registry(*place)

    @rule(place=SOURCES, rules=RULES)
    def put_rules(self, place, rules):
        self.rules[place] = [(to - {place}, prefixes, deletes) for to, prefixes, deletes in rules if to - {place}]
        configuration = [
            {
                "destinations": [{"registryId": account, "region": region} for account, region in sorted(to)],
                "repositoryFilters": [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes],
                "deleteReplication": {"enabled": deletes},
            }
            for to, prefixes, deletes in self.rules[place]
        ]
        settings.put_replication(self.at(place), {"rules": configuration})

    def destinations(self, place, name, *, deleting=False):
        found = []
        for to, prefixes, deletes in self.rules[place]:
            if (not prefixes or name.startswith(prefixes)) and (deletes or not deleting):
                found += [one for one in sorted(to) if one not in found]
        return found

    @rule(allow=st.booleans())
    def permit(self, allow):
        self.is_allowed = allow
        document = {"Version": "2012-10-17", "Statement": [ALLOW | {"Effect": "Allow" if allow else "Deny"}]}
        settings.put_policy(self.at(ABROAD), json.dumps(document))

    @rule(place=SOURCES, name=OFTEN, body=st.sampled_from([b"a", b"b"]), tag=st.none() | TAGS)
    def push(self, place, name, body, tag):
        client = Client(self.at(place), name)
        for one in (b"{}", body):
            client.layer(one)
        self.put(client.manifest(body), place, name, (), tag)

    @rule(place=SOURCES, name=OFTEN, data=st.data(), tag=st.none() | TAGS)
    def push_index(self, place, name, data, tag):
        held = sorted(self.shelves[place, name].images)
        if held:
            chosen = sorted(data.draw(st.sets(st.sampled_from(held), min_size=1, max_size=2)))
            client = Client(self.at(place), name)
            listed = [client.find(digest) for digest in chosen]
            self.do_put(lambda: client.push_index(*listed, tag=tag).digest, place, name, tuple(chosen), tag)

    def put(self, pushed, place, name, lists, tag):
        self.do_put(lambda: Client(self.at(place), name).put(pushed, tag).digest, place, name, lists, tag)

    def do_put(self, act, place, name, lists, tag):
        shelf = self.shelves[place, name]
        if tag in shelf.tags and shelf.immutable:
            return
        digest = act()
        for copy in self.copies:
            # A push tries again what failed, with the tags that the image still has.
            if copy["of"] == (place, name, digest) and copy["status"] == "FAILED":
                is_new = not (digest in shelf.images and (tag is None or shelf.tags.get(tag) == digest))
                if self.destinations(place, name) or not is_new or digest in shelf.archived:
                    copy["again"] = True
        is_changed = digest not in shelf.images or digest in shelf.archived or tag not in (None, *shelf.tags_of(digest))
        shelf.accept(digest, lists)
        if tag is not None:
            shelf.tags[tag] = digest
        self.try_again(place, name, digest, is_changed)
        if is_changed:
            self.cause(place, name, digest, [tag] if tag is not None else [])

    def try_again(self, place, name, digest, is_changed):
        for copy in self.copies:
            if copy.pop("again", False) and (not is_changed or self.destinations(place, name)):
                held = self.shelves[place, name].tags_of(digest)
                copy |= {"status": "IN_PROGRESS", "tags": [tag for tag in copy["tags"] if tag in held]}

    def cause(self, place, name, digest, tags):
        for to in self.destinations(place, name):
            self.copies.append({"of": (place, name, digest), "to": to, "tags": tags, "status": "IN_PROGRESS"})

    @rule(place=SOURCES, name=OFTEN, data=st.data())
    def archive_and_restore(self, place, name, data):
        shelf = self.shelves[place, name]
        if not shelf.images:
            return
        digest = data.draw(st.sampled_from(sorted(shelf.images)))
        if digest in shelf.archived:
            for copy in self.copies:
                if copy["of"] == (place, name, digest) and copy["status"] == "FAILED":
                    copy["again"] = True
            archive.update(self.at(place), name, ImageId(digest), archive.STANDARD)
            shelf.archived.discard(digest)
            self.try_again(place, name, digest, is_changed=True)
            self.cause(place, name, digest, shelf.tags_of(digest))
            self.pass_time()
        elif not any(digest in lists and one not in shelf.archived for one, lists in shelf.images.items()):
            archive.update(self.at(place), name, ImageId(digest), archive.ARCHIVE)
            shelf.archived.add(digest)

    @rule()
    def pass_time(self):
        self.world.clock.advance(minutes=30)
        self.make_copies()

    def make_copies(self):
        for copy in self.copies:
            if copy["status"] == "IN_PROGRESS":
                self.make(copy)

    def make(self, copy):
        (place, name, digest), to = copy["of"], copy["to"]
        if to == ABROAD and not self.is_allowed:
            copy["status"] = "FAILED"
            return
        copy["status"] = "COMPLETE"
        here, there = self.shelves[place, name], self.shelves.setdefault((to, name), Shelf())

        def bring(one):
            for child in here.images[one]:
                bring(child)
            there.accept(one, here.images[one])

        bring(digest)
        for tag in copy["tags"]:
            if tag not in there.tags or not there.immutable:
                there.tags[tag] = digest

    @rule(place=SOURCES, name=OFTEN, data=st.data(), by_tag=st.booleans())
    def delete(self, place, name, data, by_tag):
        shelf = self.shelves[place, name]
        if not shelf.images:
            return
        tag = data.draw(st.sampled_from(sorted(shelf.tags))) if by_tag and shelf.tags else None
        digest = data.draw(st.sampled_from(sorted(shelf.images))) if tag is None else shelf.tags[tag]
        if shelf.is_listed(digest) and (tag is None or len(shelf.tags_of(digest)) == 1):
            assert Client(self.at(place), name).delete(digest=digest) == ["ImageReferencedByManifestList"]
            return
        self.make_copies()  # as the registry does before it deletes
        digest = digest if tag is None else shelf.tags[tag]
        Client(self.at(place), name).delete(**({"tag": tag} if tag else {"digest": digest}))
        is_image = tag is None or len(shelf.tags_of(digest)) == 1
        if not is_image:
            del shelf.tags[tag]
        elif not shelf.remove(digest):
            return
        else:
            self.copies = [copy for copy in self.copies if copy["of"] != (place, name, digest)]
        for to in self.destinations(place, name, deleting=True):
            there = self.shelves.get((to, name))
            if there is None or (to == ABROAD and not self.is_allowed):
                continue
            is_whole = is_image or (there.tags.get(tag) == digest and len(there.tags_of(digest)) == 1)
            if is_whole and there.remove(digest):
                self.copies = [copy for copy in self.copies if copy["of"] != (to, name, digest)]
            elif not is_whole and there.tags.get(tag) == digest:
                del there.tags[tag]

    @rule(data=st.data(), immutable=st.booleans())
    def set_mutability(self, data, immutable):
        made = sorted(one for one in self.shelves if self.held(*one) is not None)
        place, name = data.draw(st.sampled_from([*made, *[one for one in made if one[0] == FAR] * 3]))
        kind = "IMMUTABLE" if immutable else "MUTABLE"
        repositories.update(self.at(place), name, image_tag_mutability=kind)
        self.shelves[place, name].immutable = immutable

    @rule()
    def restart(self):
        self.world.close()
        self.open()

    def held(self, place, name):
        try:
            found = images.describe(self.at(place), name)
        except RepositoryNotFoundException:
            return None
        return {image.digest: (set(image.tags), image.is_archived) for image in found}

    @invariant()
    def each_registry_holds_what_the_model_says(self):
        if not hasattr(self, "world"):
            return
        for place in PLACES:
            for name in NAMES:
                shelf = self.shelves.get((place, name))
                said = shelf and {one: (set(shelf.tags_of(one)), one in shelf.archived) for one in shelf.images}
                assert self.held(place, name) == said, (place, name)

    @invariant()
    def each_status_is_that_of_the_model(self):
        if not hasattr(self, "world"):
            return
        for (place, name), shelf in self.shelves.items():
            for digest in shelf.images:
                image = images.find(self.at(place), name, ImageId(digest))
                told = {(one.account_id, one.region): one.status for one in replication.statuses(self.at(place), image)}
                said = {}
                for copy in self.copies:
                    if copy["of"] == (place, name, digest):
                        said.setdefault(copy["to"], set()).add(copy["status"])
                first = ["IN_PROGRESS", "FAILED", "COMPLETE"]
                assert told == {to: min(all_, key=first.index) for to, all_ in said.items()}

    def teardown(self):
        if hasattr(self, "world"):
            self.world.close()
            assert list(verify(Path(self.directory.name))) == []
            self.directory.cleanup()


TestModel = Model.TestCase
TestModel.pytestmark = [pytest.mark.slow]
TestModel.settings = bounds(max_examples=100, stateful_step_count=40, derandomize=True)
