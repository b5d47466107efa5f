import json

import pytest

from ecrlab.scanning.packages.inventory import take_inventory
from tests.scanning.making import debian, file, hardlink, jar, layer, metadata, names, pom

ARCHIVES = ["jar", "war", "ear", "par", "sar", "rar", "nar", "kar", "hpi", "jpi", "lpkg"]
LOG4J = jar(**pom("org.apache.logging.log4j", "log4j-core", "2.14.1"))


@pytest.mark.parametrize("ending", [*ARCHIVES, "JAR", "HPI", "Jpi", "WAR"])
def test_java_archives_are_read_whatever_they_are_called(ending):
    plugin = jar(**{f"WEB-INF/lib/log4j.{ending}": LOG4J})

    found = take_inventory([layer(*debian(("base", "1")), file(f"srv/a.{ending}", LOG4J), file("b.jar", plugin))])

    assert [(one.source_name, one.path) for one in found.packages if one.ecosystem == "Maven"] == [
        ("org.apache.logging.log4j:log4j-core", f"b.jar!/WEB-INF/lib/log4j.{ending}"),
        ("org.apache.logging.log4j:log4j-core", f"srv/a.{ending}"),
    ]
    assert found.not_inventoried == ()


def test_jars_without_coordinates_are_named_though_others_beside_them_have_some():
    fat = jar(**{"lib/log4j.jar": LOG4J, "lib/a.jar": jar(**{"A.class": "x"}), "lib/b.jar": jar(**{"B.class": "x"})})

    found = take_inventory([layer(*debian(("base", "1")), file("app.war", fat))])

    ((kind, reason),) = [(one.kind, one.reason) for one in found.not_inventoried]
    assert (kind, reason) == ("java", "2 jars in it have no pom.properties, so no coordinates")
    assert len(found.packages) == 2


def test_a_rar_that_is_no_connector_is_no_java():
    found = take_inventory([layer(*debian(("base", "1")), file("films.rar", b"Rar!\x1a\x07\x01\0"))])

    assert (names(found.packages), found.not_inventoried) == (["base 1"], ())


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("composer", "srv/vendor/composer/installed.json"),
        ("dotnet", "app/shop.deps.json"),
        ("egg", "usr/lib/python3/site-packages/old-1.0-py3.egg"),
        ("gem", "usr/local/bundle/specifications/rack-2.0.0.gemspec"),
        ("r", "usr/local/lib/R/site-library/dplyr/DESCRIPTION"),
    ],
)
def test_packages_of_other_managers_are_named_unless_the_distribution_brought_them(kind, path):
    listed = file("var/lib/dpkg/info/base.list", f"/{path}\n")

    found = take_inventory([layer(*debian(("base", "1")), file(path, "{}"))])
    owned = take_inventory([layer(*debian(("base", "1")), listed, file(path, "{}"))])

    assert [(one.kind, one.path) for one in found.not_inventoried] == [(kind, path)]
    assert owned.not_inventoried == ()


SITE = "usr/lib/python3/site-packages"


@pytest.mark.parametrize(
    "leftover",
    [
        f"{SITE}/~equests-2.25.0.dist-info/METADATA",
        f"{SITE}/~~quests-2.25.0.dist-info/METADATA",
        f"{SITE}/~equests-2.25.0.egg-info/PKG-INFO",
        f"{SITE}/~equests-2.25.0.egg-info",
        f"{SITE}/~equests-2.25.0-py3.egg/EGG-INFO/PKG-INFO",
        f"{SITE}/~equests-2.25.0-py3.egg",
        f"{SITE}/-equests-2.25.0.dist-info/METADATA",
        "tmp/pip-uninstall-x1y2/requests-2.25.0.dist-info/METADATA",
        "app/node_modules/.g-AbCdEf12/package.json",
        "app/node_modules/@scope/.g-AbCdEf12/package.json",
    ],
)
def test_what_an_interrupted_package_manager_left_is_not_installed(leftover):
    content = '{"name": "g", "version": "1"}' if leftover.endswith("json") else metadata("requests", "2.25.0")
    now = file(f"{SITE}/requests-2.32.0.dist-info/METADATA", metadata("requests", "2.32.0"))

    found = take_inventory([layer(now, file(leftover, content))])

    assert (names(found.packages), found.not_inventoried) == (["requests 2.32.0"], ())


@pytest.mark.parametrize("member", ["name", "version"])
def test_a_node_package_whose_name_is_no_text_is_named_as_unread(member):
    manifest = json.dumps({"name": "g", "version": "1"} | {member: "\ud800"})

    found = take_inventory([layer(*debian(("base", "1")), file("node_modules/g/package.json", manifest))])

    assert names(found.packages) == ["base 1"]
    assert "surrogate" in found.not_inventoried[0].reason


@pytest.mark.parametrize(
    ("installed", "cached", "content"),
    [
        ("usr/lib/v/r-1.dist-info/METADATA", "root/.cache/uv/archive-v0/x/r-1.dist-info/METADATA", metadata("r", "1")),
        ("opt/conda/lib/r-1.dist-info/METADATA", "opt/conda/pkgs/r/r-1.dist-info/METADATA", metadata("r", "1")),
        ("srv/r.jar", "srv/s.jar", jar(**pom("g", "r", "1"))),
        ("a/node_modules/r/package.json", "b/node_modules/r/package.json", '{"name": "r", "version": "1"}'),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_one_file_under_two_names_is_one_package(installed, cached, content, order):
    first, second = (installed, cached)[::order]

    found = take_inventory([layer(file(first, content), hardlink(second, first))])

    assert [one.path for one in found.packages] == [installed]
    assert len(take_inventory([layer(file(first, content), file(second, content))]).packages) == 2
