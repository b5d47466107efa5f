import random
import shutil
import subprocess

import pytest

from ecrlab.scanning.versions import VersionError, compare

ORDERED = {
    "Alpine": [
        "1.0_alpha", "1.0_alpha2", "1.0_beta1", "1.0_pre1", "1.0_rc1-r5", "1.0_rc1~01", "1.0_rc2", "1.0", "1.0-r1",
        "1.0~1234", "1.0~1234-r1", "1.0~2345-r0", "1.0~2345-r1", "1.0~23456", "1.0~a", "1.0_git20230717",
        "1.0_p1", "1.0_p1-r3", "1.0a", "1.0.0", "1.0.05", "1.0.1", "1.0.9", "1.0.10", "1.1", "2.0", "10.0",
    ],
    "Debian": [
        "1.0~rc1", "1.0~rc1-1", "1.0", "1.0-1", "1.0-1+b2", "1.0-1+deb12u1", "1.0-1.1", "1.0+dfsg", "1.1", "1.10",
        "1:0.1",
    ],
    "PyPI": ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "1!0.1"],
    "npm": ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.0.1", "1.10.0"],
    "Maven": [
        "1-alpha-1", "1-beta", "1-m2", "1-rc1", "1-snapshot", "1", "1-sp", "1-abc", "1-1", "1.1", "1.10",
    ],
    "RubyGems": ["1.0.a", "1.0.pre", "1.0", "1.0.1", "1.0.10"],
    "Go": ["0.0.0-20200101000000-abcdef", "1.2.3-rc.1", "1.2.3", "1.10.0"],
}  # fmt: skip


@pytest.mark.parametrize("ecosystem", ORDERED)
def test_versions_have_the_order_their_ecosystem_gives_them(ecosystem):
    versions = ORDERED[ecosystem]

    for place, older in enumerate(versions):
        assert compare(ecosystem, older, older) == 0
        for newer in versions[place + 1 :]:
            assert compare(ecosystem, older, newer) < 0 < compare(ecosystem, newer, older), (older, newer)


@pytest.mark.parametrize(
    ("ecosystem", "one", "same"),
    [
        ("Maven", "5.3.0.RELEASE", "5.3"),
        ("Maven", "1release", "1-ga"),
        ("Maven", "1x", "1.0.0-x"),
        ("Maven", "1cr", "1rc"),
        ("npm", "v1.2.3+build.7", "1.2.3"),
        ("Go", "2.0.0+incompatible", "2.0.0"),
        ("Debian", "0:1.0", "1.0-0"),
        ("PyPI", "1.0", "1.0.0"),
    ],
)
def test_versions_that_are_spelled_differently_are_the_same(ecosystem, one, same):
    assert compare(ecosystem, one, same) == 0


def test_maven_qualifiers_after_a_zero_are_pre_releases_still():
    # Maven's own tests for MNG-6964
    assert compare("Maven", "1-0.alpha", "1-0.beta") < 0
    assert compare("Maven", "1-0.beta", "1") < 0


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is the oracle")
def test_debian_order_is_that_of_dpkg():
    chance = random.Random(7)
    pieces = ["1", "0", "10", "~", "+", "rc", ".", "a", "deb12u", "2", "dfsg"]

    def version() -> str:
        upstream = "1" + "".join(chance.choices(pieces, k=4))
        return f"{chance.choice(['', '1:'])}{upstream}-{''.join(chance.choices(pieces, k=2))}"

    for _ in range(40):
        left, right = version(), version()
        older = subprocess.run(["dpkg", "--compare-versions", left, "lt", right]).returncode == 0
        assert (compare("Debian", left, right) < 0) == older, (left, right)


@pytest.mark.parametrize("ecosystem", ORDERED)
@pytest.mark.parametrize("version", ["", "x y", "1\n2", "9" * 5000, "1_wrong-r0"])
def test_nonsense_is_refused_or_has_a_place_but_never_crashes(ecosystem, version):
    try:
        assert compare(ecosystem, version, version) == 0
    except VersionError as refused:
        assert len(str(refused)) < 300


def test_an_ecosystem_without_an_order_is_named():
    with pytest.raises(VersionError, match="Hackage"):
        compare("Hackage", "1", "2")
