"""The true bytes of a repository: each layer once, and what deleting really frees."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ecrlab.analysis.costs import storage
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.inventory.snapshot import Snapshot
from tests.analysis.repositories import NOW, OCI_INDEX, image, repository, snapshots, wishes

SHOP = repository(
    image("one", "v1", 3, size_in_bytes=1110),
    image("two", "v2", 2, size_in_bytes=1010),
    image("three", "v3", 1, size_in_bytes=10),
    layers={"one": "l2 l3 l4", "two": "l2 l4", "three": "l2"},
)


def test_a_layer_is_stored_once_however_many_images_use_it():
    assert storage.stored(SHOP) == Bounds.exactly(10 + 100 + 1000)
    assert storage.sum_of_sizes(SHOP) == 1110 + 1010 + 10


def test_an_image_holds_alone_what_no_other_uses():
    assert storage.own(SHOP) == {"one": 100, "two": 0, "three": 0}
    assert storage.shared(SHOP) == {"one": 1010, "two": 1010, "three": 10}


def test_deleting_frees_only_what_nobody_else_uses():
    assert storage.freed(SHOP, ["one"]) == Bounds.exactly(100)
    assert storage.freed(SHOP, ["two"]) == Bounds.exactly(0)
    assert storage.freed(SHOP, ["one", "two"]) == Bounds.exactly(1100)


def test_what_an_index_lists_stays_until_the_index_goes_too():
    listed = repository(
        image("index", "v1", media_type=OCI_INDEX, children=("amd64", "arm64")),
        image("amd64"),
        image("arm64"),
        layers={"amd64": "l2", "arm64": "l3"},
    )

    gone = storage.departure(listed, ["amd64"])

    assert (gone.going, gone.held) == (frozenset(), {"amd64": "index"})
    assert storage.freed(listed, ["amd64"]) == Bounds.exactly(0)
    assert storage.freed(listed, ["index", "amd64"]) == Bounds.exactly(10)


def test_what_is_about_an_image_goes_with_it_and_with_what_is_about_that():
    signed = repository(
        image("app"),
        image("sbom", subject_digest="app"),
        image("signature", subject_digest="sbom"),
        layers={"app": "l2", "sbom": "l3", "signature": "l4"},
    )

    gone = storage.departure(signed, ["app"])

    assert gone.going == {"app", "sbom", "signature"}
    assert gone.followers == {"sbom", "signature"}
    assert storage.freed(signed, ["app"]) == Bounds.exactly(1110)


def test_what_is_about_something_that_stays_stays_with_it():
    held = repository(
        image("app"),
        image("sbom", subject_digest="app"),
        image("signature", subject_digest="sbom"),
        image("index", children=("sbom",)),
        layers={"app": "l2", "sbom": "l3", "signature": "l4"},
    )

    assert storage.departure(held, ["app"]).going == {"app"}


def test_an_index_that_nobody_could_read_stores_nothing_of_its_own():
    dark = image("index", size_in_bytes=300, media_type=OCI_INDEX)

    assert storage.stored(Snapshot("my-app", NOW, (dark,), {}, {}, {"index": "lost"})) == Bounds.exactly(0)


def test_a_digest_that_is_not_there_frees_nothing_and_is_named():
    assert storage.departure(SHOP, ["nowhere"]).unknown == {"nowhere"}
    assert storage.freed(SHOP, ["nowhere"]) == Bounds.exactly(0)


def test_a_layer_in_two_repositories_is_stored_twice_unless_it_is_mounted():
    other = Snapshot("other", NOW, SHOP.images[:1], {"one": ("l2", "l3", "l4")}, SHOP.sizes)

    assert storage.stored_together([SHOP, other], mounting=False) == Bounds.exactly(2220)
    assert storage.stored_together([SHOP, other], mounting=True) == Bounds.exactly(1110)


def test_a_layer_that_only_archived_images_use_is_archived():
    archived = repository(image("old", storage_class="archive"), image("new"), layers={"old": "l2 l3", "new": "l3 l4"})

    assert storage.by_class(archived) == {"standard": Bounds.exactly(1100), "archive": Bounds.exactly(10)}


def test_it_grows_by_the_layers_that_are_new_and_stands_still_on_quiet_days():
    quiet = repository(image("one", days=4), image("two", days=1), layers={"one": "l2 l4", "two": "l3 l4"})

    days = storage.growth(quiet)

    assert [(str(day.day), day.images, day.size.least) for day in days] == [
        ("2026-09-27", 1, 1010),
        ("2026-09-28", 1, 1010),
        ("2026-09-29", 1, 1010),
        ("2026-09-30", 2, 1110),
        ("2026-10-01", 2, 1110),
    ]


def test_an_empty_repository_and_layers_of_no_bytes_are_nothing_special():
    assert storage.stored(repository()) == Bounds.exactly(0)
    assert storage.growth(repository()) == []
    assert storage.own(repository(image("zero"), layers={"zero": "l0"})) == {"zero": 0}


def test_bytes_that_nobody_could_read_are_bounds_and_not_nothing():
    known = repository(image("known"), layers={"known": "l4"})
    dark = image("dark", size_in_bytes=300)
    unread = Snapshot("my-app", NOW, (*known.images, dark), known.layers, known.sizes, {"dark": "lost"})

    assert storage.stored(unread) == Bounds(1000, 1300)
    assert storage.freed(unread, ["dark"]) == Bounds(0, 300)
    # The one that stays may have up to 300 of the bytes of the one that goes.
    assert storage.freed(unread, ["known"]) == Bounds(700, 1000)


def test_an_image_of_no_known_size_at_all_has_no_bound():
    unread = Snapshot("my-app", NOW, (image("dark"),), {}, {}, {"dark": "lost"})

    assert storage.stored(unread) == Bounds(0, None)
    assert storage.freed(unread, ["dark"]) == Bounds(0, None)


# Held against the slow and obvious


def slowly_going(snapshot, digests):
    """Who goes: strike out who must stay, again and again, until nobody is struck out."""
    images = {one.image_digest: one for one in snapshot.images}
    named = set(digests) & set(images)
    going = set(named)
    for _ in images:
        going |= {d for d, one in images.items() if one.subject_digest in going}
    for _ in images:
        for digest in sorted(going):
            is_held = any(digest in one.children for one in images.values() if one.image_digest not in going)
            follows = digest in named or images[digest].subject_digest in going
            if is_held or not follows:
                going.discard(digest)
    return going


def slowly_stored(snapshot, without=()):
    left = {layer for d, layers in snapshot.layers.items() if d not in without for layer in layers}
    return sum(snapshot.sizes[layer] for layer in left)


@given(wishes())
def test_who_goes_and_what_is_freed_agree_with_the_obvious(wish):
    snapshot, digests = wish
    going = slowly_going(snapshot, digests)

    assert storage.departure(snapshot, digests).going == going
    assert storage.freed(snapshot, digests) == Bounds.exactly(slowly_stored(snapshot) - slowly_stored(snapshot, going))
    assert storage.stored(snapshot.without(going)) == Bounds.exactly(slowly_stored(snapshot, going))


@given(wishes())
def test_what_is_freed_is_never_more_than_the_sizes_of_what_goes(wish):
    snapshot, digests = wish
    going = storage.departure(snapshot, digests).going

    freed = storage.freed(snapshot, digests)

    assert freed.least == freed.most
    assert freed.most <= sum(snapshot.by_digest[digest].size_in_bytes for digest in going)
    assert freed.most >= sum(storage.own(snapshot)[digest] for digest in going)


@given(snapshots(unread=True))
def test_deleting_all_frees_all(snapshot):
    everything = [one.image_digest for one in snapshot.images]

    assert storage.freed(snapshot, everything) == storage.stored(snapshot)


@given(wishes(unread=True), st.data())
def test_deleting_more_never_frees_less(wish, data):
    snapshot, digests = wish
    fewer = data.draw(st.sets(st.sampled_from(sorted(digests))) if digests else st.just(set()))

    less, more = storage.freed(snapshot, fewer), storage.freed(snapshot, digests)

    assert less.least <= more.least
    assert more.most is None or (less.most is not None and less.most <= more.most)


@given(snapshots(unread=True))
def test_classes_and_parts_add_up_to_what_is_stored(snapshot):
    classes = storage.by_class(snapshot)
    own, shared = storage.own(snapshot), storage.shared(snapshot)

    assert classes["standard"] + classes["archive"] == storage.stored(snapshot)
    assert all(
        own[digest] + shared[digest] == sum(snapshot.sizes[layer] for layer in layers)
        for digest, layers in snapshot.layers.items()
    )


@given(snapshots(unread=True))
def test_growth_ends_with_what_is_stored_and_never_shrinks(snapshot):
    days = storage.growth(snapshot)

    if days:
        assert (days[-1].images, days[-1].size) == (len(snapshot), storage.stored(snapshot))
    assert all(one.size.least <= other.size.least for one, other in itertools.pairwise(days))


@given(wishes(unread=True), st.data())
def test_the_bounds_hold_whatever_the_unread_images_are_made_of(wish, data):
    snapshot, digests = wish
    made_of = {}
    sizes = dict(snapshot.sizes)
    for digest in snapshot.unread:
        hidden = snapshot.by_digest[digest]
        if not hidden.is_index:
            made_of[digest] = layers_of_size(data, sizes, hidden.size_in_bytes, digest)
    truth = Snapshot("my-app", NOW, snapshot.images, {**snapshot.layers, **made_of}, sizes)

    for told, true in (
        (storage.stored(snapshot), storage.stored(truth)),
        (storage.freed(snapshot, digests), storage.freed(truth, digests)),
    ):
        assert told.least <= true.least
        assert told.most is None or true.most <= told.most


def layers_of_size(data, sizes, size, digest):
    """Some of the layers that there are, and one for the rest, of that size together."""
    chosen = []
    for layer in data.draw(st.permutations(sorted(sizes))):
        if 0 < sizes[layer] <= size and data.draw(st.booleans()):
            chosen.append(layer)
            size -= sizes[layer]
    if size:
        sizes[f"rest of {digest}"] = size
        chosen.append(f"rest of {digest}")
    return tuple(chosen)
