"""`ecrlab grade`: whole notebooks, in the sandbox. The long ones are `slow`."""

import json
import sys

import pytest

from ecrlab.commands.cli import main
from ecrlab.grading import sandbox
from tests.grading.handed import notebook

LESSON = "02-push-and-pull"
EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def short(*sources, first="import ecrlab; lab = ecrlab.start()"):
    """A notebook of a few cells."""
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for source in filter(None, (first, *sources))
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def grade(capsys, folder, *options):
    """Grade a folder, and return student -> result."""
    status = main(["grade", str(folder), "--lesson", "02", "--output", "json", *options])
    results = {one["student"]: one for one in json.loads(capsys.readouterr().out)}
    return status, results


def states(result):
    return [verdict["state"] for verdict in result["verdicts"]]


@pytest.mark.parametrize(
    ("name", "text", "ended"),
    [("text", "not a notebook", "this is no notebook"), ("empty", EMPTY, "done")],
)
def test_a_file_that_has_no_cells_fails_alone(tmp_path, capsys, name, text, ended):
    (tmp_path / f"{name}.ipynb").write_text(text)

    status, results = grade(capsys, tmp_path)

    assert status == 1
    assert results[name]["ended"].startswith(ended)
    assert states(results[name]) == ["absent"] * 3


@pytest.mark.skipif(not sandbox.isolation(), reason="namespaces are missing here")
@pytest.mark.slow
def test_limits_hold(tmp_path, capsys, monkeypatch):
    cells = {
        "endless": "while True: pass",
        "memory": "x = []\nwhile True: x.append(bytearray(50_000_000))",
        "files": "for n in range(1000): open(str(n), 'wb').write(b'x' * 40_000_000)",
        "processes": "import os, time\nfor _ in range(99): os.fork() or time.sleep(99)",
        "dies": "import os; os._exit(3)",
        "network": "import socket; socket.create_connection(('192.0.2.1', 80), 3)",
        "escapes": "import subprocess; subprocess.Popen(['sleep', '987'], start_new_session=True)",
    }
    for name, source in cells.items():
        (tmp_path / f"{name}.ipynb").write_text(short(source, first=""))
    small = {"memory": 1024 * sandbox.MIB, "folder": 200 * sandbox.MIB, "processes": 50}
    monkeypatch.setattr(sandbox, "Limits", lambda seconds: Limits(seconds=seconds, **small))

    _, results = grade(capsys, tmp_path, "--seconds", "20", "-j", "2")

    ended = {name: one["ended"] for name, one in results.items()}
    assert ended == {
        "endless": "stopped: it ran longer than 20 seconds",
        "memory": "stopped: it used more than 1024 MiB of memory",
        "files": "stopped: its files had more than 200 MiB, or were hidden",
        "processes": "stopped: it had more than 50 processes",
        "dies": "the kernel died",
        "network": "done",
        "escapes": "done",
    }
    [[_, error]] = results["network"]["errors"]
    assert "unreachable" in error
    assert not running("987")


Limits = sandbox.Limits


def running(word):
    from pathlib import Path

    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return [line for line in lines if line.split(b"\0")[:2] == [b"sleep", word.encode()]]


@pytest.mark.slow
def test_each_submission_gets_what_it_deserves(tmp_path, capsys):
    """Right, half, and cheats by somebody who has read the grader."""
    desk = "from ecrlab.lessons.exercises import Desk\nDesk.check = lambda *a, **k: print('✓ Solved')"
    submissions = {
        "right": notebook(LESSON),
        "half": notebook(LESSON, ["push-a-patch"]),
        "undone": notebook(
            LESSON,
            ["push-a-patch"],
            last="lab.client('ecr').delete_repository(repositoryName='my-app', force=True); lab.check('push-a-patch')",
        ),
        "replaces the desk": short(desk, "lab.check('push-a-patch')"),
        "replaces the judges": short(
            "from ecrlab.lessons import push_and_pull\n"
            "for one in push_and_pull.EXERCISES: object.__setattr__(one, 'judge', lambda view: 'all is done')",
            "for one in push_and_pull.EXERCISES: lab.check(one.id, 'sha256:' + '0' * 64)",
        ),
        "asks for solutions": short("lab.solution('push-a-patch')", "lab.check('push-a-patch')"),
        "writes the report": short(
            "import os, pathlib, json\n"
            "report = pathlib.Path(os.environ['HOME']).parent / 'report.json'\n"
            "report.write_text(json.dumps({'ended': 'done', 'errors': [], 'solved': 3, 'verdicts': ['solved'] * 3}))"
        ),
        "hands in another exercise": short(
            "import os, pathlib\nlab.check('push-a-second-tag')\n"
            "path = next(pathlib.Path(os.environ['ECRLAB_HAND_IN']).iterdir()) / 'hand-in.json'\n"
            "path.write_text(path.read_text().replace('push-a-second-tag', 'push-a-patch'))"
        ),
    }
    for name, text in submissions.items():
        (tmp_path / f"{name}.ipynb").write_text(text)

    status, results = grade(capsys, tmp_path, "-j", "2", "--pages", str(tmp_path / "pages"))

    assert status == 1
    assert {name: one["solved"] for name, one in results.items()} == {
        **dict.fromkeys(submissions, 0),
        "right": 3,
        "half": 1,
        "undone": 1,
    }
    assert not results["right"]["errors"]
    assert len(list((tmp_path / "pages").iterdir())) == len(submissions)


def test_the_pages_escape_what_students_wrote(tmp_path, capsys):
    name = "<script>alert(1)<"
    (tmp_path / f"{name}.ipynb").write_text("not a notebook")

    assert main(["grade", str(tmp_path), "--lesson", "02", "--output", "html", "--pages", str(tmp_path / "pages")]) == 1

    [page] = (tmp_path / "pages").iterdir()
    for text in (capsys.readouterr().out, page.read_text()):
        assert "<script" not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--lesson", "99"], "there is no lesson '99'"),
        (["--lesson", "02", "--seeds", "/nothing"], "expected CSV"),
    ],
)
def test_bad_options_are_told(tmp_path, capsys, options, says):
    (tmp_path / "ann.ipynb").write_text(EMPTY)

    assert main(["grade", str(tmp_path), *options]) == 2

    assert says in capsys.readouterr().err


def test_a_student_without_a_seed_is_told(tmp_path, capsys):
    (tmp_path / "ann.ipynb").write_text(EMPTY)
    (tmp_path / "names.csv").write_text("student,seed\nbob,1\n")

    assert main(["grade", str(tmp_path), "--lesson", "02", "--seeds", str(tmp_path / "names.csv")]) == 2

    assert "no seed for ann" in capsys.readouterr().err


def test_a_machine_without_namespaces_says_what_it_lacks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sandbox, "isolation", lambda: ())
    (tmp_path / "ann.ipynb").write_text(EMPTY)

    main(["grade", str(tmp_path), "--lesson", "02"])

    assert "this machine lacks limits: the network is open" in capsys.readouterr().err


def test_the_sandbox_has_no_variable_of_the_grader(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    variables = sandbox._environment(tmp_path, "7")

    assert "secret" not in variables.values()
    assert variables["ECRLAB_SEED"] == "7"
    assert sys.executable.startswith(variables["PATH"].split(":")[0])
