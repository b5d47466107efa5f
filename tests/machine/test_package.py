"""The kit as a package: its files, and its command in an environment with all of its extras, and with none.

The environments borrow the packages of the one that runs the tests; the bare one borrows only what the core requires.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib import metadata, util

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ecrlab.machine.bootstrap import _site_packages
from ecrlab.machine.requirements import CHECKOUT, _of_project

pytestmark = pytest.mark.slow

POLICY = """{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan",
"countNumber": 1}, "action": {"type": "expire"}}]}"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The project's files, outside of git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode or not util.find_spec("hatchling"):
        pytest.skip("not a git checkout, or without a developer's packages")
    folder = tmp_path_factory.mktemp("source")
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """A wheel made of an sdist of the project."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*build, "-t", "sdist"], cwd=source, capture_output=True, check=True)
    [sdist] = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*build, "-t", "wheel"], cwd=unpacked, capture_output=True, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def installed(wheel, folder, packages):
    """Install the wheel into a new environment that imports the packages of a folder, and return its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (_site_packages(folder) / "borrowed.pth").write_text(f"{packages}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    subprocess.run([*pip, "-q", "--no-deps", "--no-index", "--no-compile", wheel], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def whole(wheel, tmp_path_factory):
    return installed(wheel, tmp_path_factory.mktemp("whole kit") / "env", sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    (folder / "core").mkdir()
    wanted, done = list(map(Requirement, _of_project("", CHECKOUT))), set()
    while wanted:
        one = wanted.pop()
        if canonicalize_name(one.name) in done or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        done.add(canonicalize_name(one.name))
        package = metadata.distribution(one.name)
        wanted += map(Requirement, package.requires or [])
        for name in {file.parts[0] for file in package.files} - {"..", "__pycache__"}:
            if not (folder / "core" / name).exists():
                (folder / "core" / name).symlink_to(package.locate_file(name))
    assert "pandas" not in done
    return installed(wheel, folder / "env", folder / "core")


@pytest.fixture
def elsewhere(tmp_path):
    """Where a program runs: an empty folder with an empty home, and nothing of the tests' own Python."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(("AWS_", "ECRLAB_", "PYTHON"))}
    kept |= {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    return {"cwd": tmp_path / "here", "env": kept, "stdin": subprocess.DEVNULL, "text": True}


@pytest.fixture
def run(elsewhere):
    def run(program, *arguments):
        return subprocess.run([program, *arguments], **elsewhere, capture_output=True)

    return run


def test_a_wheel_has_every_file_of_the_package_and_the_lessons(source, wheel):
    shipped = {"ecrlab": "ecrlab", "notebooks": "ecrlab/course"}
    expected = {
        f"{place}/{file.relative_to(source / folder)}"
        for folder, place in shipped.items()
        for file in (source / folder).rglob("*")
        if file.is_file()
    }
    with zipfile.ZipFile(wheel) as packed:
        assert {name for name in packed.namelist() if name.startswith("ecrlab/")} == expected


def test_the_installed_command_finds_nothing_wrong_and_copies_the_lessons(whole, run, tmp_path):
    doctor = run(whole / "ecrlab", "doctor")
    reset = run(whole / "ecrlab", "reset")

    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "has those of ecrlab[lab]" in doctor.stdout and "python3 -m ecrlab" not in doctor.stdout
    assert reset.returncode == 0, reset.stderr
    [work] = (tmp_path / "home").rglob("work")
    assert len(list(work.glob("*.ipynb"))) == len(list((CHECKOUT / "notebooks").glob("*.ipynb")))
    assert (work / "apps" / "shop" / ".wh.password.txt").is_file()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("test", "works in a copy of the whole project"),
        ("notebooks", "works in a copy of the whole project"),
        ("setup --again", "its installer makes its environment again"),
    ],
)
def test_what_needs_the_project_says_so(whole, run, command, why):
    refused = run(whole / "ecrlab", *command.split())

    assert refused.returncode == 2
    assert why in refused.stderr and refused.stderr.count("\n") == 1


def test_a_bare_kit_judges_policies_serves_and_mocks(bare, run, elsewhere):
    (elsewhere["cwd"] / "policy.json").write_text(POLICY)

    lint = run(bare / "ecrlab", "lifecycle", "lint", "policy.json")
    code = "import boto3, ecrlab\nwith ecrlab.mock_aws() as lab: print(lab.push('web:v1'))\n"
    mock = run(bare / "python", "-c", code)

    assert lint.returncode in (0, 1) and lint.stdout, lint.stderr
    assert mock.stdout.startswith("sha256:"), mock.stderr
    with subprocess.Popen([bare / "ecrlab", "serve"], stdout=subprocess.PIPE, **elsewhere) as server:
        assert re.match(r"http://127\.0\.0\.1:\d+$", server.stdout.readline())
        server.terminate()


def test_a_bare_kit_explains_every_command(bare, run):
    code = "from ecrlab.commands import cli\nfor command in cli.COMMANDS.values(): __import__(command.module)"
    imported = run(bare / "python", "-c", code)

    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "cure"),
    [
        ("lab", "[lab]"),
        ("report --repository web", "[lab]"),
        ("setup", "[lab]"),
        ("progress", "[lab]"),
        ("tour", "[aws]"),
    ],
)
def test_a_bare_kit_names_the_line_that_installs_what_is_missing(bare, run, command, cure):
    refused = run(bare / "ecrlab", *command.split())

    assert refused.returncode == 2
    assert refused.stderr.endswith(f"to install it: pip install 'ecrlab{cure}'\n"), refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_doctor_of_a_bare_kit_lists_what_it_does_without(bare, run):
    doctor = run(bare / "ecrlab", "doctor")

    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert re.search(r"^note +lab .*jupyterlab.*pip install 'ecrlab\[lab\]'$", doctor.stdout, re.MULTILINE)
    assert re.search(r"^note +aws .*pip install 'ecrlab\[aws\]'$", doctor.stdout, re.MULTILINE)
