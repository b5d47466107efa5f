"""The rooms of the kit: which may import which, how big a file may be, and what lies at the top.

notebooks ─► lab ─► simulator ─► registry · scanning · lifecycle     (arrows point down only)
              │         └──────► gallery ─► oci ◄─ docker
              └───► analysis ─► lifecycle · scenarios
"""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecrlab
from ecrlab.machine.requirements import CHECKOUT

PACKAGE = CHECKOUT / "ecrlab"
EVERYWHERE = {"errors", "__init__"}

# Room -> the rooms it may import besides itself and `errors`.
MAY_IMPORT = {
    "machine": set(),
    "clock": set(),
    "oci": set(),
    "lifecycle": {"oci"},
    "scenarios": {"oci"},
    "gallery": {"oci"},
    "scanning": {"oci"},
    "registry": {"clock", "oci"},
    "docker": {"gallery", "oci"},
    "kubectl": {"docker", "machine"},
    "simulator": {"clock", "docker", "gallery", "lifecycle", "machine", "oci", "registry", "scanning"},
    "analysis": {"lifecycle", "scenarios"},
}

# Room -> what it may import besides the standard library; a room that is not named here is free.
THIRD_PARTY = {
    "__init__": set(),
    "__main__": set(),
    "machine": {"packaging"},
    "errors": set(),
    "oci": set(),
    "gallery": set(),
    "registry": {"cryptography"},
    "scenarios": set(),
    "lifecycle": {"rich"},
    "scanning": {"cvss", "isal", "packageurl", "rich", "univers", "zstandard"},
    "docker": set(),
    "kubectl": {"yaml"},
    "analysis": {"IPython", "ipywidgets", "matplotlib", "numpy", "pandas"},
}

# At the rim of a room, for the commands that say so.
RIM = {
    "lifecycle/aws.py": {"boto3", "botocore"},
}

TIE_THE_KNOT = {"lab", "lab_views", "commands", "simulator"}
"""Who may import the simulator: the server itself, and what starts one."""

TOP_LEVEL = {
    *("ecrlab", "notebooks", "tests", "docs", "deploy"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("environment.yml", "pyproject.toml", "requirements.lock", "requirements-dev.lock"),
    *(".binder", ".ci", ".devcontainer", ".gitattributes", ".gitignore"),
}

LONG, TOO_LONG = 300, 400
"""A file is seldom above 300 lines; the failure lists those that are."""

MOST_ROOMS = 20


def room(path: Path) -> str:
    """The folder or module of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path: Path) -> str:
    """The name that a file is imported by."""
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path) for path in PACKAGE.rglob("*.py")}


def imports() -> Iterator[tuple[Path, str]]:
    """Every import in the package, wherever it stands in a file, except those for type checkers only."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        unseen = {id(inner) for node in ast.walk(tree) if is_for_types(node) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if id(node) in unseen:
                continue
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module and not node.level, f"{path}: a relative import"
                yield from ((path, module_of(node.module, alias.name)) for alias in node.names)


def module_of(module: str, name: str) -> str:
    """The module that `from module import name` is about: `name` itself if it is one."""
    inner = f"{module}.{name}"
    return inner if module == "ecrlab" or inner in MODULES else module


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def within(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


INTERNAL = [(path, module.split(".")[1]) for path, module in imports() if module.startswith("ecrlab.")]
EXTERNAL = [
    (path, module.split(".")[0])
    for path, module in imports()
    if module.split(".")[0] not in {*sys.stdlib_module_names, "ecrlab"}
]


def files() -> list[str]:
    """The files of the checkout that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).exists()]


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_arrows_between_rooms_point_down(name: str) -> None:
    allowed = MAY_IMPORT[name] | {name} | EVERYWHERE
    upward = [
        f"{within(path)} imports {other}" for path, other in INTERNAL if room(path) == name if is_new(other, allowed)
    ]
    assert upward == []


def is_new(other: str, allowed: set[str]) -> bool:
    return other not in allowed and not other.startswith("__")


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_a_room_imports_only_the_libraries_of_its_field(name: str) -> None:
    foreign = [
        f"{within(path)} imports {library}"
        for path, library in EXTERNAL
        if room(path) == name and library not in THIRD_PARTY[name] | RIM.get(within(path), set())
    ]
    assert foreign == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for path, module in imports():
        # What the package itself offers it fetches from other modules when asked.
        known = module if module in MODULES else module.rpartition(".")[0]
        if known in MODULES - {"ecrlab"}:
            graph[dotted(path)].add(known)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"an import circle: {' -> '.join(reversed(error.args[1]))}")


def test_the_package_has_few_rooms() -> None:
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert len(rooms) <= MOST_ROOMS, sorted(rooms)


def test_only_those_who_tie_the_knot_import_the_simulator() -> None:
    others = {within(path) for path, other in INTERNAL if other == "simulator" and room(path) not in TIE_THE_KNOT}
    assert others == set()


def test_our_own_modules_are_imported_under_their_own_names() -> None:
    renamed = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno}"
        for path in [*PACKAGE.rglob("*.py"), *(CHECKOUT / "tests").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname and (getattr(node, "module", None) or alias.name).split(".")[0] in ("ecrlab", "tests")
    ]
    assert renamed == []


def test_every_room_opens_with_what_it_models() -> None:
    silent = [within(path) for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_the_public_face_is_small() -> None:
    assert len(ecrlab.__all__) <= 12


def test_only_what_belongs_there_lies_at_the_top() -> None:
    assert {name.split("/")[0] for name in files()} <= TOP_LEVEL


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name: len((CHECKOUT / name).read_text().splitlines()) for name in files() if is_module(name)}
    long = {name: count for name, count in sorted(lengths.items()) if count > LONG}
    assert [name for name, count in long.items() if count > TOO_LONG] == [], f"above {LONG} lines: {long}"


def is_module(name: str) -> bool:
    return name.endswith((".py", ".md")) and name != "docs/fidelity.md"
