"""Repositories, tags and images against a plain model of them: dictionaries that do what the user guide
says.
"""

import json
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecrlab.oci.media_types import OCI
from ecrlab.registry import images, manifest, pushes, repositories
from ecrlab.registry.errors import (
    ImageAlreadyExistsException,
    ImageTagAlreadyExistsException,
    RepositoryNotEmptyException,
)
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client

TAGS = st.sampled_from(["v1", "v2", "latest"])
LAYERS = st.sets(st.sampled_from([b"base", b"app", b"more bytes"]), max_size=2)


class Model(RuleBasedStateMachine):
    """`images`: digest → the bodies it needs, or the children of an index; `tags`: tag → digest, as tags
    came.
    """

    @initialize()
    def begin(self):
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name), durable=False)
        self.registry = self.world.registry(ACCOUNT, REGION)
        self.begin_repository()

    def begin_repository(self):
        repositories.create(self.registry, "app")
        self.app = Client(self.registry)
        self.images: dict[str, set[bytes]] = {}
        self.children: dict[str, set[str]] = {}
        self.tags: dict[str, str] = {}
        self.immutable = False

    @rule(bodies=LAYERS, tag=st.none() | TAGS)
    def push(self, bodies, tag):
        for body in (b"{}", *bodies):
            self.app.layer(body)
        self.put(self.app.manifest(*sorted(bodies)), tag, {b"{}", *bodies}, set())

    @precondition(lambda self: self.images)
    @rule(data=st.data(), tag=st.none() | TAGS)
    def push_index(self, data, tag):
        children = data.draw(st.sets(st.sampled_from(sorted(self.images)), min_size=1, max_size=2))
        listed = [{"mediaType": OCI.manifest, "digest": child, "size": 1} for child in sorted(children)]
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI.index, "manifests": listed})
        self.put(manifest.parse(body.encode()), tag, set(), children)

    def put(self, pushed, tag, bodies, children):
        nothing_new = pushed.digest in self.images and (tag is None or self.tags.get(tag) == pushed.digest)
        refused = tag in self.tags and self.immutable
        try:
            pushes.put(self.registry, "app", pushed, tag=tag)
            assert not nothing_new and not refused
        except ImageAlreadyExistsException:
            assert nothing_new
            return
        except ImageTagAlreadyExistsException:
            assert refused
            return
        self.images.setdefault(pushed.digest, bodies)
        self.children[pushed.digest] = children
        if tag is not None:
            self.tags.pop(tag, None)
            self.tags[tag] = pushed.digest

    @rule(tag=TAGS)
    def delete_by_tag(self, tag):
        failures = self.app.delete(tag=tag)
        digest = self.tags.get(tag)
        if digest is None:
            assert failures == ["ImageNotFound"]
        elif list(self.tags.values()).count(digest) > 1:
            assert failures == []
            del self.tags[tag]
        else:
            self.expect_deletion(digest, failures)

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def delete_by_digest(self, data):
        digest = data.draw(st.sampled_from(sorted(self.images)))
        self.expect_deletion(digest, self.app.delete(digest=digest))

    def expect_deletion(self, digest, failures):
        if any(digest in children for children in self.children.values()):
            assert failures == ["ImageReferencedByManifestList"]
        else:
            assert failures == []
            del self.images[digest], self.children[digest]
            self.tags = {tag: d for tag, d in self.tags.items() if d != digest}

    @rule(immutable=st.booleans())
    def set_mutability(self, immutable):
        repositories.update(self.registry, "app", image_tag_mutability="IMMUTABLE" if immutable else "MUTABLE")
        self.immutable = immutable

    @rule(force=st.booleans())
    def delete_repository(self, force):
        try:
            repositories.delete(self.registry, "app", force=force)
        except RepositoryNotEmptyException:
            assert self.images and not force
            return
        assert force or not self.images
        self.begin_repository()

    @rule()
    def restart(self):
        self.world.close()
        self.world = World(Path(self.directory.name), durable=False)
        self.registry = self.world.registry(ACCOUNT, REGION)
        self.app = Client(self.registry)

    @invariant()
    def images_and_tags_are_those_of_the_model(self):
        if hasattr(self, "world"):
            assert {d: set(tags) for d, tags in self.app.images.items()} == {
                digest: {tag for tag, d in self.tags.items() if d == digest} for digest in self.images
            }
            assert images.tags(self.registry, "app") == sorted(self.tags)

    @rule()
    def bytes_on_disk_are_those_that_images_need(self):
        self.world.collector.collect(grace=False)
        needed = {self.app.manifest(config=body).blobs[0].digest for bodies in self.images.values() for body in bodies}
        assert set(self.world.blobs) == needed

    def teardown(self):
        if hasattr(self, "world"):
            self.bytes_on_disk_are_those_that_images_need()
            self.world.close()
            assert list(verify(Path(self.directory.name))) == []
            self.directory.cleanup()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=25, stateful_step_count=20)
