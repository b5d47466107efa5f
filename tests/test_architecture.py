"""The page about the architecture names files that there are, and every room."""

import re

from ecrlab.machine.bootstrap import CHECKOUT
from tests.test_rooms import PACKAGE

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text()


def test_every_path_in_it_exists() -> None:
    paths = re.findall(r"`((?:ecrlab|tests|notebooks|docs)/[\w./-]*)`", PAGE)

    assert len(paths) > 40
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []


def test_every_room_is_in_its_table() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    named = set(re.findall(r"`ecrlab/(\w+)/`", PAGE))

    assert rooms - named == set()
