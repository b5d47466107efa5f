import json
import subprocess
from pathlib import Path

import pytest

from ecrlab.scanning.packages.inventory import take_inventory
from tests.scanning.making import (
    alpine,
    debian,
    dpkg,
    file,
    folder,
    hardlink,
    jar,
    layer,
    metadata,
    names,
    pom,
    symlink,
)


def test_a_debian_package_has_its_source_and_the_sources_own_version():
    found = take_inventory(
        [
            layer(
                *debian(
                    ("libssl3", "3.0.11-1~deb12u2", "openssl"),
                    ("bash", "5.2.15-2+b2", "bash (5.2.15-2)"),
                    ("tzdata", "2024a"),
                )
            )
        ]
    )

    assert found.status == "COMPLETE"
    assert [(one.name, one.version, one.source_name, one.source_version) for one in found.packages] == [
        ("libssl3", "3.0.11-1~deb12u2", "openssl", "3.0.11-1~deb12u2"),
        ("bash", "5.2.15-2+b2", "bash", "5.2.15-2"),
        ("tzdata", "2024a", "tzdata", "2024a"),
    ]
    ssl = found.packages[0]
    assert ssl.purl == "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12"
    assert (ssl.ecosystem, ssl.path, ssl.layer_index) == ("Debian", "var/lib/dpkg/status", 0)


@pytest.mark.parametrize(
    ("state", "there"),
    [
        ("installed", True),
        ("unpacked", True),
        ("half-configured", True),
        ("config-files", False),
        ("not-installed", False),
    ],
)
def test_a_debian_package_counts_while_its_files_are_there(state, there):
    status = dpkg(("kept", "1"), ("p", "2")).replace(
        "Package: p\nStatus: install ok installed", f"Package: p\nStatus: x ok {state}"
    )

    found = take_inventory(
        [layer(file("etc/os-release", 'ID=debian\nVERSION_ID="12"'), file("var/lib/dpkg/status", status))]
    )

    assert ("p 2" in names(found.packages)) == there


def test_distroless_images_have_a_file_per_package():
    members = [
        file("usr/lib/os-release", 'ID="debian"\nVERSION_ID="12"'),
        file("var/lib/dpkg/status.d/libc6", "Package: libc6\nSource: glibc\nVersion: 2.36-9\nArchitecture: amd64\n"),
        file("var/lib/dpkg/status.d/libc6.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/lib/x.so\n"),
    ]

    assert [(one.source_name, one.path) for one in take_inventory([layer(*members)]).packages] == [
        ("glibc", "var/lib/dpkg/status.d/libc6")
    ]


def test_an_alpine_package_has_its_origin():
    (one,) = take_inventory([layer(*alpine(("libcrypto3", "3.1.3-r0", "openssl")))]).packages

    assert (one.source_name, one.ecosystem) == ("openssl", "Alpine")
    assert one.purl == "pkg:apk/alpine/libcrypto3@3.1.3-r0?arch=x86_64&distro=alpine-3.18.4"


def test_alpine_with_merged_usr_is_read_once():
    base = [folder("usr/lib"), symlink("lib", "usr/lib"), *alpine(("musl", "1.2.4-r2", "musl"))]

    assert names(take_inventory([layer(*base)]).packages) == ["musl 1.2.4-r2"]


def test_language_packages_are_found_where_they_are_installed():
    members = [
        file("usr/lib/python3/site-packages/Jinja2-2.11.dist-info/METADATA", metadata("Jinja2", "2.11")),
        file("opt/old-1.0.egg-info/PKG-INFO", metadata("old", "1.0")),
        file("opt/older-0.9-py2.7.egg-info", metadata("older", "0.9")),
        file("srv/node_modules/lodash/package.json", json.dumps({"name": "lodash", "version": "4.17.4"})),
        file("srv/node_modules/@types/node/package.json", json.dumps({"name": "@types/node", "version": "20.0.0"})),
        file("srv/node_modules/lodash/fp/package.json", json.dumps({"name": "fp", "version": "0"})),
        file("srv/node_modules/nameless/package.json", "{}"),
        file("app.jar", jar(**pom("org.x", "y", "1.2"))),
    ]

    found = take_inventory([layer(*debian(("base", "1")), *members)])

    assert sorted(one.purl for one in found.packages if one.ecosystem != "Debian") == [
        "pkg:maven/org.x/y@1.2",
        "pkg:npm/%40types/node@20.0.0",
        "pkg:npm/lodash@4.17.4",
        "pkg:pypi/jinja2@2.11",
        "pkg:pypi/old@1.0",
        "pkg:pypi/older@0.9",
    ]
    assert found.not_inventoried == ()


def test_basic_scanning_keeps_to_the_distribution():
    image = [layer(*debian(("base", "1")), file("a.dist-info/METADATA", metadata("p", "1")))]

    assert names(take_inventory(image, languages=False).packages) == ["base 1"]


def test_jars_within_jars_are_opened_and_shaded_ones_name_all_they_hold():
    inner = jar(**pom("org.apache.logging.log4j", "log4j-core", "2.14.1"), **pom("shaded", "too", "1"))
    outer = jar(**{"BOOT-INF/lib/log4j.jar": inner}, **pom("com.shop", "app", "0.1"))

    found = take_inventory([layer(*debian(("base", "1")), file("srv/app.jar", outer))])

    assert [(one.name, one.path) for one in found.packages[:3]] == [
        ("org.apache.logging.log4j:log4j-core", "srv/app.jar!/BOOT-INF/lib/log4j.jar"),
        ("shaded:too", "srv/app.jar!/BOOT-INF/lib/log4j.jar"),
        ("com.shop:app", "srv/app.jar"),
    ]


def nested(depth: int) -> bytes:
    data = jar(**pom("a", "b", "1"))
    for _ in range(depth):
        data = jar(**{"in.jar": data})
    return data


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no zip", "cannot be read as a jar"),
        (nested(3)[:-40], "cannot be read as a jar"),
        (nested(9), "5 deep"),
        (jar(**{"in.jar": b"no zip"}), "cannot be read as a jar"),
        (jar(**{"a.class": b"x"}), "no pom.properties"),
        (jar(**{"META-INF/maven/a/b/pom.properties": bytes(1 << 17)}), "larger than"),
    ],
)
def test_a_jar_that_cannot_be_read_is_named_and_not_passed_over(content, why):
    found = take_inventory([layer(*debian(("base", "1")), file("srv/app.jar", content))])

    assert found.status == "COMPLETE"
    ((kind, path, reason),) = [(one.kind, one.path, one.reason) for one in found.not_inventoried]
    assert (kind, path) == ("java", "srv/app.jar")
    assert why in reason


def test_what_a_distributions_package_owns_is_not_reported_twice():
    path = "usr/lib/python3/dist-packages/requests-2.28.1.egg-info"
    image = layer(
        *debian(("python3-requests", "2.28.1+dfsg-1", "requests")),
        file("var/lib/dpkg/info/python3-requests.list", f"/.\n/usr\n/{path}\n/{path}/PKG-INFO\n"),
        file(path + "/PKG-INFO", metadata("requests", "2.28.1")),
        file("usr/local/lib/python3/site-packages/flask-1.0.dist-info/METADATA", metadata("flask", "1.0")),
    )

    assert names(take_inventory([image]).packages) == ["flask 1.0", "python3-requests 2.28.1+dfsg-1"]


def test_what_an_apk_owns_is_not_reported_twice():
    release, database = alpine(("py3-flask", "2.0-r0", "py3-flask"))
    database = file(
        "lib/apk/db/installed", database[1].rstrip(b"\n") + b"\nF:usr/lib/flask-2.0.dist-info\nR:METADATA\n"
    )

    found = take_inventory(
        [layer(release, database, file("usr/lib/flask-2.0.dist-info/METADATA", metadata("flask", "2.0")))]
    )

    assert names(found.packages) == ["py3-flask 2.0-r0"]


def test_what_a_later_layer_put_over_a_distributions_file_is_reported():
    path = "usr/lib/node_modules/npm/package.json"
    base = layer(
        *debian(("npm", "9.2.0~ds1-1")),
        file("var/lib/dpkg/info/npm.list", f"/{path}\n"),
        file(path, json.dumps({"name": "npm", "version": "9.2.0"})),
    )
    touched = layer(file(path, json.dumps({"name": "npm", "version": "9.2.0"}), mode=0o600))
    upgraded = layer(file(path, json.dumps({"name": "npm", "version": "10.1.0"})))

    assert names(take_inventory([base, touched]).packages) == ["npm 9.2.0~ds1-1"]
    assert names(take_inventory([base, upgraded]).packages) == ["npm 10.1.0", "npm 9.2.0~ds1-1"]


def test_a_package_belongs_to_the_layer_that_first_brought_it():
    base, more = debian(("base", "1"), ("tool", "1")), debian(("base", "1"), ("tool", "2"), ("new", "1"))
    layers = [layer(*base), layer(file("readme")), layer(more[1])]

    found = take_inventory(layers)

    assert [(one.name, one.layer_index) for one in found.packages] == [("base", 0), ("tool", 2), ("new", 2)]
    assert {one.layer_digest for one in found.packages} == {layers[0].digest, layers[2].digest}


def test_a_database_that_moved_brought_nothing_anew():
    release, status = debian(("base", "1"))
    moved = [
        file("var/.wh.lib"),
        symlink("var/lib", "/srv"),
        symlink("srv/dpkg/status", "db"),
        file("srv/dpkg/db", status[1]),
    ]

    (package,) = take_inventory([layer(release, status), layer(*moved)]).packages

    assert (package.path, package.layer_index) == ("srv/dpkg/db", 0)


@pytest.mark.parametrize(
    ("path", "content", "id", "version"),
    [
        ("usr/lib/os-release", "NAME=x\nID='debian'\nVERSION_ID=\"12\"\n", "debian", "12"),
        ("etc/debian_version", "7.11\n", "debian", "7"),
        ("etc/debian_version", "trixie/sid\n", "debian", ""),
        ("etc/alpine-release", "3.4.6\n", "alpine", "3.4.6"),
        ("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\n", "ubuntu", "12.04"),
        ("etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", "6.10"),
        ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.9 (Santiago)\n", "rhel", "6.9"),
        ("etc/system-release", "Amazon Linux AMI release 2018.03\n", "amzn", "2018.03"),
    ],
)
def test_the_distribution_is_read_from_os_release_and_its_friends(path, content, id, version):
    distribution = take_inventory(
        [layer(file(path, content), file("var/lib/dpkg/status", dpkg(("p", "1"))))]
    ).distribution

    assert distribution is not None
    assert (distribution.id, distribution.version_id) == (id, version)


def test_os_release_may_be_a_link():
    members = [
        symlink("etc/os-release", "../usr/lib/os-release"),
        file("usr/lib/os-release", "ID=alpine\nVERSION_ID=3.18.0"),
    ]

    distribution = take_inventory([layer(*members)]).distribution

    assert distribution is not None
    assert distribution.advisory_ecosystem == "Alpine:v3.18"


def test_go_binaries_gems_and_rpm_are_named_as_present():
    go = b"\x7fELF" + bytes(600_000) + b"\xff Go buildinf:" + bytes(99)
    members = [
        file("bin/app", go, mode=0o755),
        file("bin/data", go),
        file("usr/lib/ruby/gems/3.1.0/specifications/rack-2.0.gemspec", "Gem::Specification"),
        file("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec", "Gem::Specification"),
    ]

    found = take_inventory([layer(*debian(("base", "1")), *members)])

    assert [(one.kind, one.path, one.count) for one in found.not_inventoried] == [
        ("go", "bin/app", 1),
        ("gem", "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec", 2),
    ]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([], "no distribution and no packages"),
        (
            [file("etc/os-release", "ID=fedora\nVERSION_ID=40"), file("var/lib/rpm/rpmdb.sqlite", "SQLite")],
            "RPM database",
        ),
        ([file("etc/os-release", "ID=debian\nVERSION_ID=12")], "no package database"),
        ([file("etc/os-release", "ID=debian\nVERSION_ID=12"), file("var/lib/dpkg/status", "")], "no package database"),
        ([file("var/lib/dpkg/status", dpkg(("p", "1")))], "no os-release"),
    ],
)
def test_an_image_nobody_can_judge_is_unsupported(members, why):
    found = take_inventory([layer(*members)])

    assert found.status == "UNSUPPORTED_IMAGE"
    assert why in (found.reason or "")


STATUS = "var/lib/dpkg/status"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([file(STATUS, b"\0" * 5000)], "NUL bytes"),
        ([file(STATUS, "Package: p\nStatus: install ok installed\n")], "without a version"),
        ([file(STATUS, "just some words\n")], "without a package name"),
        ([file(STATUS, b"\0" * ((64 << 20) + 1))], "at most"),
        ([symlink(STATUS, "status")], "circle"),
        ([symlink(STATUS, "/gone")], "a link to /gone"),
        ([hardlink(STATUS, "gone")], "a link to gone"),
        ([file("lib/apk/db/installed", "P:musl\nno field here\n")], "is no field"),
        ([file("lib/apk/db/installed", "P:musl\n\n")], "without a version"),
    ],
)
def test_a_package_database_that_cannot_be_read_fails_the_scan(members, why):
    found = take_inventory([layer(file("etc/os-release", "ID=debian\nVERSION_ID=12"), *members)])

    assert found.status == "FAILED"
    assert why in (found.reason or "")
    assert found.packages == ()


def test_a_corrupt_database_that_an_upper_layer_replaced_does_no_harm():
    found = take_inventory([layer(file(STATUS, b"\0")), layer(*debian(("p", "1")))])

    assert names(found.packages) == ["p 1"]


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "\udcff"])
def test_a_corrupt_package_json_is_named_and_the_rest_is_read(content):
    odd = file("node_modules/p/package.json", content.encode("utf-8", "surrogateescape"))

    found = take_inventory([layer(*debian(("base", "1")), odd)])

    assert names(found.packages) == ["base 1"]
    assert [(one.kind, one.path) for one in found.not_inventoried] == [("node", "node_modules/p/package.json")]


@pytest.mark.client("dpkg-query")
def test_a_real_database_gives_what_dpkg_query_gives():
    status = Path("/var/lib/dpkg/status")
    if not status.exists():
        pytest.skip("this system has no packages of dpkg")
    shown = "${db:Status-Status}\t${Package}\t${Version}\t${source:Package}\t${source:Version}\n"
    told = subprocess.run(["dpkg-query", "-W", "-f", shown], capture_output=True, text=True, check=True).stdout

    found = take_inventory(
        [layer(file("etc/os-release", "ID=debian\nVERSION_ID=12"), file("var/lib/dpkg/status", status.read_bytes()))]
    )

    assert sorted((one.name, one.version, one.source_name, one.source_version) for one in found.packages) == sorted(
        tuple(line.split("\t")[1:]) for line in told.splitlines() if line.startswith("installed\t")
    )


@pytest.mark.parametrize(
    "kind", ["var/lib/dpkg/status", "p.dist-info/METADATA", "etc/redhat-release", "lib/apk/db/installed"]
)
def test_a_long_line_of_blanks_takes_no_longer_than_reading_it(kind):
    # Of patterns that try each blank anew, a megabyte of them would take hours.
    blanks = b"Version: 1" + b" " * (1 << 20) + b"x\n"

    assert take_inventory([layer(file(kind, blanks))]).status in ("FAILED", "UNSUPPORTED_IMAGE")


def test_a_jar_with_a_directory_of_a_million_entries_is_refused_unread():
    bomb = jar() + b"PK\x01\x02" * 300_000

    (unread,) = take_inventory([layer(*debian(("base", "1")), file("app.jar", bomb))]).not_inventoried

    assert "refused as a bomb" in unread.reason
