"""Where the bytes of pulls came from: made-up pulls, and one through a real cache."""

import contextlib
from types import SimpleNamespace

import matplotlib as mpl
import pytest

from ecrlab.analysis.plots.pull_sources import NOTHING, Pulls

mpl.use("agg")

INDEX, IMAGE, CONFIG, BASE, APP = (f"sha256:{one * 64}" for one in "abcde")
SIZES = {CONFIG: 10, BASE: 200, APP: 3000}
NAME = "docker-hub/library/web"


class NoRepository(Exception):
    """What the client raises for an unknown repository."""


class Lab:
    """A lab whose repository has the blobs `held`; a pull adds `brings` to them, and makes the requests `asks`."""

    def __init__(self, held=None):
        self.held, self.asked = held, 0

    def client(self, service):
        return SimpleNamespace(exceptions=SimpleNamespace(RepositoryNotFoundException=NoRepository))

    def storage(self, repository):
        if self.held is None:
            raise NoRepository
        layers = {INDEX: (), IMAGE: tuple(SIZES)} if set(SIZES) <= self.held else {}
        return SimpleNamespace(sizes={blob: SIZES[blob] for blob in self.held}, layers=layers)

    @contextlib.contextmanager
    def transcript(self):
        self.exchanges = []
        yield SimpleNamespace(exchanges=self.exchanges)

    def pull(self, *blobs, brings=True, status=200, repository=NAME):
        if brings:
            self.held, self.asked = set(SIZES), self.asked + 1
        asked = [("HEAD", "manifests/3")]
        asked += [("GET", f"manifests/{one}") for one in (INDEX, IMAGE)] + [("GET", f"blobs/{one}") for one in blobs]
        for method, what in asked:
            exchange = SimpleNamespace(method=method, target=f"/v2/{repository}/{what}", status=status)
            self.exchanges.append(exchange)


@pytest.mark.parametrize(
    ("held", "blobs", "brings", "row"),
    [
        (None, SIZES, True, (0, 0, 3210, "a" * 12, "yes")),
        ({BASE}, SIZES, True, (0, 200, 3010, "a" * 12, "yes")),
        (set(SIZES), SIZES, False, (0, 3210, 0, "a" * 12, "no")),
        (set(SIZES), [CONFIG, APP], False, (200, 3010, 0, "a" * 12, "no")),
        (set(SIZES), [], False, (3210, 0, 0, "a" * 12, "no")),
    ],
)
def test_each_byte_comes_from_one_place(held, blobs, brings, row):
    lab = Lab(held)
    pulls = Pulls(lab, lab)

    with pulls.watch("a pull", NAME):
        lab.pull(*blobs, brings=brings)

    assert tuple(pulls.table().loc["a pull"]) == row


def test_a_pull_that_fails_has_no_bytes_and_says_so():
    lab = Lab()
    pulls = Pulls(lab, lab)
    with pulls.watch("refused", NAME):
        lab.pull(brings=False, status=403)
    with pulls.watch("layer refused", NAME):
        lab.pull(status=200)
        lab.exchanges.append(SimpleNamespace(method="GET", target=f"/v2/{NAME}/blobs/{APP}", status=403))
    with pulls.watch("no request", NAME):
        pass

    table = pulls.table()
    assert list(table["got"]) == [NOTHING] * 3
    assert not table[["the client had", "the cache had", "from upstream"]].to_numpy().any()
    assert "refused: fails" in pulls.picture().get_label()


def test_requests_to_another_repository_do_not_count():
    lab = Lab(set(SIZES))
    pulls = Pulls(lab, lab)

    with pulls.watch("a pull", NAME):
        lab.pull(*SIZES, brings=False)
        lab.pull(*SIZES, brings=False, status=404, repository="web")

    assert pulls.table().loc["a pull", "the cache had"] == 3210


def test_a_second_pull_of_a_name_replaces_the_first():
    lab = Lab()
    pulls = Pulls(lab, lab)
    for _ in range(2):
        with pulls.watch("a pull", NAME):
            lab.pull(*SIZES)

    assert list(pulls.table()["the cache had"]) == [3210]
    assert repr(pulls) == "<1 pulls>"


def test_the_picture_says_in_words_what_it_shows():
    lab = Lab()
    pulls = Pulls(lab, lab)
    with pulls.watch("first", NAME):
        lab.pull(*SIZES)

    shown = pulls.picture()

    assert "first: from upstream 3210 bytes" in shown.get_label()
    assert [text.get_text() for text in shown.axes[0].get_yticklabels()] == ["first"]
    assert [text.get_text() for text in shown.axes[0].texts] == ["3,210"]


def test_the_picture_says_nothing_of_a_pull_that_fails_and_marks_an_upstream_that_sent_none():
    lab = Lab(set(SIZES))
    pulls = Pulls(lab, lab)
    with pulls.watch("in vain", NAME):
        lab.asked += 1
        lab.pull(*SIZES, brings=False)
    with pulls.watch("fails", NAME):
        lab.pull(brings=False, status=403)

    notes = {(round(text.get_position()[1]), text.get_text()) for text in pulls.picture().axes[0].texts}

    assert notes == {(0, "3,210"), (0, "asked, sent none"), (1, "nothing")}
