"""The habits of a made-up shop: which services it has, what they are built of, and how its people work.

Sizes are compressed and plausible for mid-2026: Debian's slim base has some 28 MB, a JRE 50 to 60, the wheels of a
machine-learning framework some hundreds.
"""

from dataclasses import dataclass
from datetime import date

from ecrlab.scenarios.chance import Chance

MEGABYTE = 1_000_000

SHOPS = ("bike", "book", "coffee", "garden", "music", "shoe", "tea", "toy")


@dataclass(frozen=True, slots=True)
class Stack:
    """What an image consists of, in bytes: layers of its base, dependencies, a model if it has one, the application."""

    base: tuple[float, ...]
    dependencies: float
    application: float
    model: float = 0
    from_the_shops_base: bool = False


PYTHON_BASE = (28.2 * MEGABYTE, 3.5 * MEGABYTE, 16.1 * MEGABYTE)

STACKS = {
    "python": Stack(PYTHON_BASE, 61 * MEGABYTE, 1.3 * MEGABYTE, from_the_shops_base=True),
    "ml": Stack(PYTHON_BASE, 640 * MEGABYTE, 1.9 * MEGABYTE, 215 * MEGABYTE, from_the_shops_base=True),
    "node": Stack((28.2 * MEGABYTE, 45.4 * MEGABYTE, 1.7 * MEGABYTE), 72 * MEGABYTE, 4.2 * MEGABYTE),
    "java": Stack((29.7 * MEGABYTE, 56.8 * MEGABYTE), 54 * MEGABYTE, 0.9 * MEGABYTE),
    "go": Stack((0.8 * MEGABYTE, 1.9 * MEGABYTE), 0, 17.5 * MEGABYTE),
}

NAMES = {
    "python": ("api", "worker", "invoices", "stock"),
    "ml": ("recommendations", "forecast"),
    "node": ("storefront", "admin"),
    "java": ("checkout", "payments"),
    "go": ("search", "mailer", "gateway"),
}


@dataclass(frozen=True, slots=True)
class Habits:
    """How one service is worked on; rates are per working day."""

    name: str
    stack: Stack
    builds: float
    """Of the main branch, each tagged `main-<commit>` and `latest`."""
    pull_requests: float
    """Opened, each built one to four times."""
    moves_the_tag: bool
    """Whether a pull request has one tag that moves, `pr-118`, or a tag for each build, `pr-118-<commit>`."""
    release_every: int
    """Working days."""
    promotes: bool
    """Whether a release is the tag `v1.2.3` on an image of the main branch, or an image built for it."""
    architectures: tuple[str, ...]
    """More than one: each build is an index of that many images."""
    signs_all: bool
    """Whether all builds of the main branch are signed, or releases only."""
    nightly: bool
    """Whether the main branch is built each night too, as `nightly-<date>`."""
    is_oci: bool
    is_immutable: bool
    """Whether releases and builds may not be overwritten; `latest` and `pr-…` may move everywhere."""


def services(chance: Chance) -> list[Habits]:
    """The services of a shop: one of each stack and one more."""
    stacks = [*STACKS, chance.pick(("python", "go"))]
    names = {stack: chance.some(NAMES[stack], stacks.count(stack)) for stack in STACKS}
    drawn = [(names[stack].pop(), stack) for stack in stacks]
    several = {name for name, stack in drawn if stack == "go"} | {names_of(drawn, "python")[0]}
    nightly = names_of(drawn, "node" if chance.happens(0.5) else "java")[0]
    signing = names_of(drawn, "java" if chance.happens(0.5) else "python")[-1]
    moving = chance.some([name for name, stack in drawn if stack != "ml"], 3)
    return [
        Habits(
            name=name,
            stack=STACKS[stack],
            builds=chance.between(9, 16) / 10 if stack != "ml" else 0.6,
            pull_requests=chance.between(3, 7) / 10 if stack != "ml" else 0.2,
            moves_the_tag=name in moving,
            release_every=chance.between(6, 14),
            promotes=chance.happens(0.5),
            architectures=("amd64", "arm64") if name in several else ("amd64",),
            signs_all=name == signing,
            nightly=name == nightly,
            is_oci=name in several or chance.happens(0.6),
            is_immutable=stack == "java",
        )
        for name, stack in drawn
    ]


def names_of(drawn: list[tuple[str, str]], wanted: str) -> list[str]:
    """The services of one stack."""
    return [name for name, stack in drawn if stack == wanted]


def business(day: date) -> float:
    """How much is done on a day, against an ordinary working day: weekends and holidays are quiet, November is not."""
    if day.weekday() >= 5:
        return 0.04
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2):
        return 0.1
    return {8: 0.6, 11: 1.25}.get(day.month, 1.0)
