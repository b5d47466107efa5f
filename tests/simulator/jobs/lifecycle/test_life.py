"""A night against the rules as a pure function, on repositories that hypothesis makes up."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecrlab import lifecycle
from ecrlab.lifecycle import reading
from tests.lifecycle.builders import text
from tests.lifecycle.strategies import TAGS, policies
from tests.simulator.client import Repository
from tests.simulator.jobs.lifecycle.days import DAY, put, status_of_all

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 5), st.none() | TAGS),
        st.tuples(st.just("index"), st.integers(0, 5), st.none() | TAGS),
        st.tuples(st.just("refer"), st.integers(0, 5), st.none()),
        st.tuples(st.sampled_from(["pull", "archive", "restore", "delete"]), st.integers(0, 5), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 3), st.none()),
    ),
    min_size=3,
    max_size=14,
)


class Life:
    """A repository to which things happen; what cannot happen is passed over."""

    def __init__(self, ecr, name, clock):
        ecr.create_repository(repositoryName=name)
        self.app, self.clock = Repository(ecr, name), clock
        self.digests, self.children, self.count = [], {}, 0

    def do(self, what, number, tag):
        self.count += 1
        if what == "wait":
            self.clock.advance(days=30 * number)
        elif what == "push":
            self.keep(self.app.push(b"%d" % number, tag=tag))
        elif self.digests:
            getattr(self, what)(self.digests[number % len(self.digests)], tag)

    def keep(self, digest):
        if digest not in self.digests:
            self.digests.append(digest)

    def index(self, child, tag):
        if child in status_of_all(self.app):
            digest = self.app.push_index(child, tag=tag)
            self.children[digest] = (child,)
            self.keep(digest)

    def refer(self, subject, _):
        self.keep(self.app.push(b"about %d" % self.count, subject={"mediaType": "x", "digest": subject, "size": 1}))

    def pull(self, digest, _):
        self.app.batch_get_image(imageIds=[{"imageDigest": digest}])

    def archive(self, digest, _):
        self.update(digest, "ARCHIVE")

    def restore(self, digest, _):
        self.update(digest, "STANDARD")

    def update(self, digest, target):
        self.app.update_image_storage_class(imageId={"imageDigest": digest}, targetStorageClass=target)

    def delete(self, digest, _):
        self.app.batch_delete_image(imageIds=[{"imageDigest": digest}])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, rules=policies())
def test_a_night_does_to_the_registry_what_evaluate_says_of_the_described_images(lab, steps, rules):
    world, ecr = lab
    name = f"life-{world.new_id()}"
    life = Life(ecr, name, world.clock)
    for step in steps:
        try:
            life.do(*step)
        except ecr.exceptions.ClientError:
            continue
    put(life.app, *rules)
    tomorrow = world.clock.now().replace(hour=0, minute=0, second=0) + DAY
    # What follows subjects by itself is done the night before.
    world.clock.travel_to(tomorrow - timedelta(seconds=30))
    life.app.delete_lifecycle_policy()
    world.clock.advance(days=4)
    put(life.app, *rules)
    midnight = world.clock.now().replace(hour=0, minute=0, second=0) + DAY
    world.clock.travel_to(midnight - timedelta(seconds=10))
    details = life.app.describe_images(filter={"imageStatus": "ANY"}, maxResults=1000)
    # What an index lists the test knows itself: to read its manifest would be a pull.
    manifests = {digest: reading.Manifest(children, None) for digest, children in life.children.items()}
    seen = reading.images(details, manifests)
    evaluation = lifecycle.evaluate(lifecycle.parse(text(*rules)), seen, midnight)
    before = status_of_all(life.app)

    world.clock.travel_to(midnight)

    expected = before | {verdict.image.image_digest: "ARCHIVED" for verdict in evaluation.transitioning}
    for verdict in evaluation.expiring:
        del expected[verdict.image.image_digest]
    assert status_of_all(life.app) == expected
    life.app.delete_lifecycle_policy()
