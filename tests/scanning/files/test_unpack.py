"""What is left of the layers once they are laid upon one another."""

import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.scanning.errors import LayerError
from ecrlab.scanning.files.layers import Limits
from ecrlab.scanning.files.rootfs import clean
from ecrlab.scanning.files.unpack import unpack
from tests.scanning.making import file, folder, hardlink, layer, metadata, symlink

A = "app/a-1.dist-info/METADATA"
B = "app/b-1.dist-info/METADATA"


def manifest(path: str, name: str = "p", version: str = "1"):
    return file(path, metadata(name, version))


def evidence(*layers, limits: Limits | None = None):
    """The paths that tell of packages in the end, each with its packages and the layer that wrote it."""
    unpacked = unpack(layers, True, limits or Limits())
    return {
        path.decode(): ([f"{one.name} {one.version}" for one in piece.evidence.packages], piece.layer)
        for path, piece in unpacked.root.evidence()
        if piece.evidence is not None
    }


def paths(*layers):
    return sorted(evidence(*layers))


def test_an_upper_layer_replaces_a_file():
    assert evidence(layer(manifest(A, "p", "1")), layer(manifest(A, "p", "2"))) == {A: (["p 2"], 1)}


def test_a_whiteout_removes_a_file_or_a_folder_of_the_layers_below():
    base = layer(manifest(A), manifest(B))

    assert paths(base, layer(file("app/.wh.a-1.dist-info"))) == [B]
    assert paths(base, layer(file("app/b-1.dist-info/.wh.METADATA"))) == [A]
    assert paths(base, layer(file(".wh.app"))) == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_whiteout_spares_its_own_layer_wherever_it_stands(order):
    members = [manifest(A, version="2"), file("app/.wh.a-1.dist-info"), file("app/b-1.dist-info/.wh..wh..opq")]

    assert evidence(layer(manifest(A), manifest(B)), layer(*members[::order])) == {A: (["p 2"], 1)}


@pytest.mark.parametrize("order", [1, -1])
def test_an_opaque_folder_hides_what_lower_layers_had_in_it(order):
    members = [file("app/.wh..wh..opq"), manifest(B)]

    assert paths(layer(manifest(A)), layer(*members[::order])) == [B]


def test_a_whiteout_in_the_layer_that_brings_the_file_or_below_hides_nothing():
    assert paths(layer(file("app/.wh.a-1.dist-info")), layer(manifest(A))) == [A]


def test_aufs_bookkeeping_is_no_part_of_the_image():
    assert paths(layer(file(".wh..wh.aufs"), manifest(".wh..wh.plnk/" + A))) == []


def test_a_folder_replaced_by_a_link_leaves_no_ghost():
    upper = layer(symlink("app", "opt/new"), manifest("opt/new/b-1.dist-info/METADATA"))

    assert paths(layer(folder("app"), manifest(A)), upper) == ["opt/new/b-1.dist-info/METADATA"]


def test_a_folder_replaced_by_a_file_leaves_no_ghost():
    assert paths(layer(manifest(A)), layer(file("app", "now a file"))) == []


def test_a_link_replaced_by_a_folder_leads_nowhere_any_more():
    layers = [layer(symlink("app", "opt"), folder("opt")), layer(folder("app"), manifest(A))]

    assert paths(*layers) == [A]
    assert paths(*layers, layer(file(".wh.opt"))) == [A]


def test_paths_go_through_the_links_of_the_layers_below():
    base = layer(folder("usr/lib"), symlink("lib", "usr/lib"), symlink("app", "/lib/../lib"))

    assert paths(base, layer(manifest(A))) == ["usr/lib/a-1.dist-info/METADATA"]
    assert paths(base, layer(manifest(A)), layer(file("lib/.wh.a-1.dist-info"))) == []


def test_no_path_leads_above_the_root():
    tricks = ["../../" + A, "/" + A, "./app/../../../" + A, "app//./a-1.dist-info/METADATA"]

    for trick in tricks:
        assert paths(layer(manifest(trick))) == [A], trick
    assert paths(layer(symlink("up", "../../../app"), manifest("up/a-1.dist-info/METADATA"))) == [A]


def test_a_hard_link_shows_what_it_links_to():
    seen = evidence(layer(manifest(A, "p", "1"), hardlink(B, A)))

    assert seen == {A: (["p 1"], 0), B: (["p 1"], 0)}


def test_a_hard_link_to_a_file_of_another_name_is_read_again_for_it():
    seen = evidence(layer(file("store/0001", metadata("p", "7"))), layer(hardlink(A, "store/0001"), file(".wh.store")))

    assert seen[A] == (["p 7"], 1)


def test_a_database_behind_links_is_found():
    status = "Package: p\nStatus: install ok installed\nVersion: 1\n"
    layers = [
        layer(file("data/dpkg/db", status)),
        layer(symlink("var/lib", "/data"), symlink("data/dpkg/status", "db")),
    ]

    assert evidence(*layers) == {"data/dpkg/db": (["p 1"], 0)}


def test_links_in_a_circle_that_nothing_goes_through_are_no_fault():
    assert paths(layer(symlink("a", "b"), symlink("b", "a"), manifest(A))) == [A]


def test_an_entry_that_goes_through_links_in_a_circle_is_refused():
    with pytest.raises(LayerError, match="circle"):
        paths(layer(symlink("a", "b"), symlink("b", "a"), manifest("a/x.dist-info/METADATA")))


def test_names_may_hold_newlines_and_bytes_that_are_no_text():
    member = manifest("placeholder")
    member[0].name = "app/new\nline.dist-info/METADATA"
    odd = manifest("placeholder")
    odd[0].name = "app/\udcff.dist-info/METADATA"

    found = unpack([layer(member, odd, style=tarfile.GNU_FORMAT)], True, Limits()).root.pieces

    assert sorted(found) == [b"app/new\nline.dist-info/METADATA", b"app/\xff.dist-info/METADATA"]


@pytest.mark.parametrize(
    ("members", "limits", "why"),
    [
        ([file("app/.wh.")], Limits(), "whiteout of no name"),
        ([file("app/.wh...")], Limits(), "whiteout of no name"),
        ([manifest("d/" * 300 + "x.dist-info/METADATA")], Limits(), "folders deep"),
        ([symlink(f"l{n}", "x") for n in range(9)], Limits(kept_names=5), "refused"),
        ([file(f"f{n}") for n in range(9)], Limits(entries=5), "more entries"),
        ([file("zeros", bytes(1 << 20))], Limits(expanded_total=1 << 19), "bomb"),
        ([manifest(A), manifest(B)], Limits(packages=1), "more than 1 packages"),
        ([manifest(A)], Limits(seconds=0), "longer than 0 seconds"),
    ],
)
def test_absurd_layers_are_refused(members, limits, why):
    with pytest.raises(LayerError, match=why):
        evidence(layer(*members), limits=limits)


def test_a_layer_that_cannot_be_read_is_named():
    bad = layer(file("app/.wh."))

    with pytest.raises(LayerError, match=bad.digest):
        evidence(bad)


parts = st.sampled_from(["a", "b", ".", "..", "", "c.d", "..e"])


@settings(max_examples=100)
@given(st.lists(parts, min_size=1, max_size=8))
def test_clean_paths_are_what_a_walk_from_the_root_gives(names):
    walked: list[str] = []
    for name in names:
        if name == "..":
            walked = walked[:-1]
        elif name not in ("", "."):
            walked.append(name)

    assert clean("/".join(names).encode()) == "/".join(walked).encode()


steps = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(["x", "d/x", "d/e/x", "d", "d/e"])),
    st.tuples(st.just("folder"), st.sampled_from(["d", "d/e"])),
    st.tuples(st.just("gone"), st.sampled_from(["x", "d/x", "d/e/x", "d", "d/e"])),
    st.tuples(st.just("opaque"), st.sampled_from(["d", "d/e"])),
)


@settings(max_examples=80)
@given(st.lists(st.lists(steps, max_size=4), min_size=1, max_size=4))
def test_the_merged_view_is_that_of_applying_each_layer_to_a_folder(history):
    """The model: a dict of files, to which the layers below are subject and the layer itself is not."""
    merged: dict[str, int] = {}
    layers = []
    for index, changes in enumerate(history):
        members = []
        own: dict[str, int] = {}
        for what, where in changes:
            # Evidence files stand for files, so that each path has a name worth reading.
            name = f"{where}/p.dist-info/METADATA" if what == "file" else where
            top, _, last = where.rpartition("/")
            prefix = f"{top}/" if top else ""
            if what == "file":
                members.append(manifest(name))
                own[name] = index
            elif what == "folder":
                members.append(folder(where))
            elif what == "gone":
                members.append(file(f"{prefix}.wh.{last}"))
                merged = {path: at for path, at in merged.items() if not path.startswith(where + "/")}
            else:
                members.append(file(f"{where}/.wh..wh..opq"))
                merged = {path: at for path, at in merged.items() if not path.startswith(where + "/")}
        merged |= own
        layers.append(layer(*members))

    assert {path: at for path, (_, at) in evidence(*layers).items()} == merged


@pytest.mark.parametrize(
    "layers",
    [
        [[file("store/00/abc", metadata("p", "1")), hardlink(A, "store/00/abc")]],
        [[manifest(A, "p", "1"), hardlink("store/00/abc", A)]],
        [[file("store/00/abc", metadata("p", "1"))], [hardlink(A, "store/00/abc")]],
        [[file("store/00/abc", metadata("p", "1")), hardlink("store/2", "store/00/abc"), hardlink(A, "store/2")]],
        [[manifest(A, "p", "1")], [hardlink("store/00/abc", A), hardlink("store/2", "store/00/abc")]],
    ],
    ids=["store first", "store last", "store below", "a chain", "store above"],
)
def test_a_file_counts_under_those_of_its_names_that_package_managers_read(layers):
    assert paths(*(layer(*members) for members in layers)) == [A]


def test_a_file_that_a_symbolic_link_leads_to_counts_though_it_has_hard_links_as_well():
    store = file("store/status", "Package: p\nStatus: install ok installed\nVersion: 1\n")
    links = [symlink("var/lib/dpkg/status", "/store/status"), hardlink("var/lib/dpkg/status.d/p", "store/status")]

    assert paths(layer(store, *links)) == ["store/status", "var/lib/dpkg/status.d/p"]
