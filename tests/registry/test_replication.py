"""Replication against a slow and obvious model of it: after any sequence of pushes, deletions, restores and rules,
every registry holds what the model says.

The model does at once what the registry does by rows: a push is applied to each destination of its rules, in order.
"""

import json
import tempfile
from pathlib import Path

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecrlab.oci.media_types import OCI
from ecrlab.registry import archive, deletions, images, manifest, pushes, repositories, settings
from ecrlab.registry.errors import EcrError
from ecrlab.registry.images import ImageId
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from ecrlab.simulator.wiring import wire
from tests.registry.conftest import ACCOUNT, Client

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
ABROAD = ("333333333333", "eu-west-1")
PLACES = [*((ACCOUNT, region) for region in REGIONS), ABROAD]
NAMES = ["prod/a", "dev/b"]
TAGS = st.sampled_from(["v1", "v2", "v3"])
SOURCES = st.sampled_from(PLACES[:2])
RULES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
        st.sampled_from([(), ("prod",), ("dev", "prod/b")]),
        st.booleans(),
    ),
    max_size=2,
)


class Shelf:
    """A repository of the model: digest -> what it lists, tag -> digest."""

    def __init__(self) -> None:
        self.images: dict[str, tuple[str, ...]] = {}
        self.tags: dict[str, str] = {}
        self.archived: set[str] = set()
        self.immutable = False

    def put(self, digest: str, lists: tuple[str, ...]) -> None:
        self.images[digest] = lists
        self.archived.discard(digest)

    def remove(self, digest: str) -> bool:
        if any(digest in lists for lists in self.images.values()):
            return False
        self.images.pop(digest, None)
        self.tags = {tag: other for tag, other in self.tags.items() if other != digest}
        self.archived.discard(digest)
        return True


class Model(RuleBasedStateMachine):
    """`shelves`: (account, Region, name) -> what a repository holds."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name), durable=False)
        wire(self.world)
        self.rules = {place: [] for place in PLACES}
        self.shelves: dict[tuple[str, str, str], Shelf] = {}
        self.clients = {}
        allow = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}
        settings.put_policy(self.registry(ABROAD), json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
        for place in PLACES[:2]:
            for name in NAMES:
                self.clients[(*place, name)] = Client(self.registry(place), name)
                repositories.create(self.registry(place), name)
                self.shelves[(*place, name)] = Shelf()

    def registry(self, place):
        return self.world.registry(*place)

    @rule(place=SOURCES, rules=RULES)
    def put_rules(self, place, rules):
        self.rules[place] = [one for one in ([t for t in to if t != place], *more) for to, *more in rules if one] and [
            ([one for one in to if one != place], prefixes, deletes)
            for to, prefixes, deletes in rules
            if [one for one in to if one != place]
        ]
        configuration = [
            {
                "destinations": [{"registryId": account, "region": region} for account, region in to],
                "repositoryFilters": [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes],
                "deleteReplication": {"enabled": deletes},
            }
            for to, prefixes, deletes in self.rules[place]
        ]
        settings.put_replication(self.registry(place), {"rules": configuration})
