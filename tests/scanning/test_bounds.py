"""A small layer may hold more than a scan can afford: it is IMAGE_SIZE_EXCEEDED, before it costs the memory."""

import tracemalloc

import pytest

from ecrlab.scanning import Limits, take_inventory
from tests.scanning.making import ALPINE_318, DEBIAN_12, debian, file, jar, layer, pom, symlink

RELEASE = file("etc/os-release", DEBIAN_12)
MANY = 60_000
FEW = range(20)
NPM = [file(f"node_modules/p{n}/package.json", '{"name": "p", "version": "1"}') for n in FEW]
SHADED = jar(**{path: text for n in FEW for path, text in pom("g", f"a{n}", "1").items()})
LISTED = "/.jar\n" * 300_000
LONG, DEEP = "x" * (1 << 20), "x/" * 1_900
APK = file("etc/os-release", ALPINE_318)
BOMBS = {
    "dpkg": [RELEASE, file("var/lib/dpkg/status", "Package: p\nVersion: 1\n\n" * MANY)],
    "apk": [APK, file("lib/apk/db/installed", "P:p\nV:1\n\n" * MANY)],
    "files of an apk": [APK, file("lib/apk/db/installed", "P:p\nV:1\n" + "R:.jar\n" * 300_000)],
    "files of a deb": [*debian(("p", "1")), file("var/lib/dpkg/info/p.list", LISTED)],
    "files of many debs": [
        *debian(("p", "1")),
        *(file(f"var/lib/dpkg/info/p{n}.list", LISTED[: len(LISTED) // 3]) for n in range(3)),
    ],
    "distroless": [RELEASE, *(file(f"var/lib/dpkg/status.d/p{n}", f"Package: p{n}\nVersion: 1\n") for n in FEW)],
    "long names": [*debian(("p", "1")), *(file(f"{n}.egg-info", f"Name: {n}{LONG}\nVersion: 1\n") for n in range(10))],
    "long links": [*debian(("p", "1")), *(symlink(f"{n}/{DEEP}", DEEP) for n in range(1_000))],
    "npm": [*debian(("p", "1")), *NPM],
    "jar": [*debian(("p", "1")), file("a.jar", SHADED)],
}
SMALL = {"distroless", "npm", "jar", "long names", "long links"}


@pytest.mark.parametrize("name", BOMBS)
def test_more_than_any_image_has_is_too_large(name: str) -> None:
    image = [layer(*BOMBS[name])]
    tracemalloc.start()

    found = take_inventory(image, limits=Limits(packages=10, kept_bytes=1 << 20) if name in SMALL else None)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.status, found.packages) == ("IMAGE_SIZE_EXCEEDED", ())
    assert "more than" in (found.reason or "")
    assert peak < 64 << 20


def test_as_much_as_a_large_image_has_is_read() -> None:
    status = "".join(f"Package: p{n}\nVersion: 1\n\n" for n in range(5_000))

    assert len(take_inventory([layer(RELEASE, file("var/lib/dpkg/status", status))]).packages) == 5_000


def test_reasons_for_not_reading_are_few() -> None:
    odd = [file(f"{n}.jar", jar(**{f"{n}.jar": "no jar"}) + bytes(n)) for n in range(50)]
    many = [file(f"node_modules/p{n}/package.json", "{" + " " * n) for n in range(300)]
    large = [file(f"node_modules/q{n}/package.json", bytes((2 << 20) + 1 + n)) for n in range(150)]

    found = take_inventory([layer(*debian(("p", "1")), *odd, *many, *large)])

    assert len(found.not_inventoried) <= 110
    assert sum(one.count for one in found.not_inventoried) == 50 + 300 + 150


def test_packages_that_layers_replace_count_too_but_the_same_one_once() -> None:
    layers = [layer(*debian(("p", f"{n}"))) for n in range(5)]

    assert take_inventory(layers, limits=Limits(packages=4)).status == "IMAGE_SIZE_EXCEEDED"
    assert take_inventory(layers[:1] * 5, limits=Limits(packages=4)).status == "COMPLETE"
