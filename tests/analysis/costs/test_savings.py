"""What a policy does to a repository as it stands: rule by rule, family by family, and what it puts at risk."""

import itertools
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.analysis.costs import risks, savings, storage
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.savings import settle
from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.kinds import PART, REFERRER, UNTAGGED
from ecrlab.analysis.inventory.snapshot import Snapshot, days_since, doubts
from tests.analysis.repositories import NOW, OCI_INDEX, image, repository, snapshots
from tests.lifecycle.builders import policy, rule
from tests.lifecycle.strategies import policies

SHOP = repository(
    image("index", "v1", 40, media_type=OCI_INDEX, children=("part",)),
    image("part", days=40),
    image("signature", days=39, subject_digest="index"),
    image("build", "main-1 latest", 9),
    image("ghost", days=20),
    layers={"part": "l5 l2", "signature": "l1", "build": "l5 l3", "ghost": "l5 l4"},
)
TIDY = policy(rule(1, ["v*"], pushed=30), rule(2, status="untagged", pushed=10))


def test_a_policy_is_run_until_nothing_more_goes():
    effect = settle(SHOP, TIDY)

    # The part goes a night after its index.
    assert effect.deleted == {"index", "part", "signature", "ghost"}
    assert [one.image_digest for one in effect.after.images] == ["build"]


def test_each_rule_is_charged_with_what_it_frees_in_its_turn():
    first, second = settle(SHOP, TIDY).savings

    assert (first.deleted, first.freed) == (2, Bounds.exactly(1))
    assert (second.deleted, second.freed) == (2, Bounds.exactly(1010))


def test_a_rule_that_archives_frees_nothing_and_moves_what_nobody_outside_has():
    [saving] = settle(SHOP, policy(rule(1, status="untagged", pushed=15, archive=True))).savings

    assert (saving.deleted, saving.archived) == (0, 1)
    assert (saving.freed, saving.moved) == (Bounds.exactly(0), Bounds.exactly(1000))


@given(snapshots(unread=True), policies())
def test_the_savings_of_all_rules_add_up_to_what_is_freed(snapshot, rules):
    effect = settle(snapshot, policy(*rules))
    freed = storage.stored(snapshot).least - storage.stored(effect.after).least

    assert sum(saving.known for saving in effect.savings) == freed
    assert sum(saving.deleted + saving.archived for saving in effect.savings) == len(effect.acting)
    assert len(snapshot) - len(effect.after) == len(effect.deleted)
    by_hand = storage.departure(snapshot, effect.deleted)
    # What an index held when its subject went is on its own afterwards; by hand both go at once.
    assert effect.deleted <= by_hand.going <= effect.deleted | by_hand.followers


@settings()  # the first look at a table loads pandas
@given(snapshots(), policies())
def test_a_family_loses_and_never_gains_and_all_add_up(snapshot, rules):
    effect = settle(snapshot, policy(*rules))

    table = savings.by_family(effect)

    assert (table["bytes after"] <= table["bytes before"]).all()
    assert (table["images after"] <= table["images before"]).all()
    assert table["bytes before"].sum() == storage.stored(snapshot).least
    assert table["bytes after"].sum() == storage.stored(effect.after).least
    assert table["images after"].sum() == len(effect.after)


def test_the_table_of_rules_goes_down_to_what_is_left():
    table = savings.by_rule(settle(SHOP, TIDY))

    assert list(table["bytes left"]) == [11_110 + 1 - 1, 10_100]
    assert list(table["what it says"]) == [one.in_words for one in TIDY]


def test_unread_images_make_bounds_of_what_a_rule_frees():
    dark = replace(SHOP, images=(*SHOP.images, image("dark", "main-2", 3, size_in_bytes=400)), unread={"dark": "lost"})

    _, second = settle(dark, TIDY).savings

    assert second.freed == Bounds(610, 1010)


# Families


def test_families_are_told_by_how_their_tags_begin_and_by_what_they_belong_to():
    assert list(families.families(SHOP).values()) == ["v*", PART, REFERRER, "main-*", UNTAGGED]
    assert list(families.belonging(SHOP).values()) == ["v*", "v*", "v*", "main-*", UNTAGGED]


def test_of_many_families_the_smallest_are_others():
    images = [image(f"d{n}{k}", f"{chr(97 + n)}-{k}") for n in range(20) for k in range(20 - n)]

    found = families.families(repository(*images))

    assert len(set(found.values())) == families.MOST
    assert families.in_order(found.values())[0] == "a-*"
    assert families.in_order(found.values())[-1] == families.OTHERS


@given(st.lists(st.text("abcdef0123456789v.-_", min_size=1, max_size=60), min_size=1, max_size=3))
def test_any_tag_has_a_family_that_fits(tags):
    assert 0 < len(families.of_tags(tags)) <= families.LONGEST


# Risks


PULLED = repository(
    image("runs", "v1", 40),
    image("lately", "v2", 39, last_pulled_at=NOW - timedelta(days=6)),
    image("both", "v3", 38, last_pulled_at=NOW - timedelta(days=2)),
    image("long ago", "v4", 37, last_pulled_at=NOW - timedelta(days=8)),
    image("never", "v5", 36),
    image("stays", "v6", 1, last_pulled_at=NOW),
)
STRICT = policy(rule(1, pushed=30))


def test_what_goes_although_it_runs_or_was_pulled_lately_is_at_risk():
    found = risks.risks(settle(PULLED, STRICT), {"runs": ["web:3"], "both": [], "stays": ["api:1"]})

    assert [(one.image.image_digest, one.why) for one in found] == [
        ("both", risks.RUNS),
        ("runs", risks.RUNS),
        ("lately", risks.PULLED),
    ]
    assert found[1].where == ("web:3",)


def test_the_table_of_risks_says_what_why_and_by_which_rule():
    effect = settle(PULLED, STRICT)
    table = risks.table(risks.risks(effect, ["runs"]), PULLED)

    assert list(table["tags"]) == ["v1", "v3", "v2"]
    assert list(table["rule"]) == [1, 1, 1]
    assert list(table["action"]) == ["expire"] * 3
    assert list(table["pushed (days ago)"]) == [40.0, 38.0, 39.0]
    assert len(risks.table([], PULLED)) == 0


def test_an_image_that_is_archived_is_at_risk_too():
    effect = settle(PULLED, policy(rule(1, pushed=30, archive=True)))

    assert {one.image.image_digest for one in risks.risks(effect, ["runs"])} == {"runs", "lately", "both"}


def test_a_pull_by_somebody_who_read_all_manifests_is_no_use():
    an_hour_ago = NOW - timedelta(hours=1)
    read = repository(*(image(f"d{n}", f"v{n}", 40 + n, last_pulled_at=an_hour_ago) for n in range(12)))

    found = risks.risks(settle(read, STRICT), ["d3"])

    assert [(one.image.image_digest, one.why) for one in found] == [("d3", risks.RUNS)]


def test_nothing_is_at_risk_where_nothing_goes():
    assert risks.risks(settle(repository(), STRICT), ["runs"]) == []
    assert [one.deleted for one in itertools.chain(settle(repository(), STRICT).savings)] == [0]


def test_a_snapshot_knows_what_is_doubtful():
    odd = Snapshot(
        "my-app",
        NOW,
        (
            image("skewed", days=-2),
            image("index", children=("gone",), media_type=OCI_INDEX),
            image("dark", size_in_bytes=3),
            image("undated", storage_class="archive"),
            image("what lists", media_type=OCI_INDEX),
        ),
        {"skewed": (), "index": (), "undated": (), "what lists": ()},
        {},
        {"dark": "their manifests are lost"},
    )

    said = "\n".join(doubts(odd))

    for part in (
        "1 image is made of is not known: their manifests are lost",
        "1 image that the repository does not hold",
        "1 image pushed after the moment of this look",
        "1 archived image without the time of archiving",
        "what 1 index list is not known",
    ):
        assert part in said
    assert days_since(odd, [one.pushed_at for one in odd.images])[0] is None
