"""`ecrlab grade`: whole notebooks, in the sandbox. The long ones are `slow`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ecrlab.commands.cli import main
from ecrlab.grading import sandbox
from ecrlab.lessons import catalogue
from tests.grading.handed import exercises_in, notebook

LESSON = "02-push-and-pull"
EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def short(*sources, first="import ecrlab; lab = ecrlab.start()"):
    """A notebook of a few cells."""
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for source in filter(None, (first, *sources))
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def grade(capsys, folder, *options, lesson=LESSON):
    """Grade a folder, and return student -> result."""
    status = main(["grade", str(folder), "--lesson", lesson, "--output", "json", *options])
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
        "processes": "import subprocess\nmany = [subprocess.Popen(['sleep', '99']) for _ in range(99)]",
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


HAND_INS = "import os, pathlib, shutil, ecrlab\nhanded = pathlib.Path(os.environ['ECRLAB_HAND_IN'])\n"


@pytest.mark.skipif(not sandbox.isolation(), reason="namespaces are missing here")
@pytest.mark.slow
def test_cheats_and_traps_cost_their_own_submission_only(tmp_path, tmp_path_factory, capsys, monkeypatch):
    """By somebody who has read the grader: the first four would change a verdict, the others stop the grader."""
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))  # another grader may run beside this one
    marker = sandbox.CHECKOUT / "ecrlab" / "cheated"
    unlocked = f"mount -o remount,bind,rw /; mount -o remount,rw /; touch '{marker}'"
    submissions = {
        "changes the kit": short(f"open({str(marker)!r}, 'w')", first=""),
        "becomes root": short(f"!{unlocked}", f'!unshare --user --mount sh -c "{unlocked}"', first=""),
        "sees its neighbours": short(
            HAND_INS + "beside = os.listdir(handed.parent.parent)\nassert beside == [handed.parent.name], beside",
            first="",
        ),
        "links to a neighbour": short(HAND_INS + "shutil.rmtree(handed)\nhanded.symlink_to('..')"),
        "lays pipes": short(
            HAND_INS + "lab.check('push-a-patch')\n"
            "path = handed / '0001' / 'hand-in.json'\n"
            "path.unlink(); os.mkfifo(path); os._exit(1)"
        ),
        "digs deep": short("import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')", first=""),
        "locks": short(HAND_INS + "lab.check('push-a-patch')\n(handed / '0001').chmod(0)\nhanded.chmod(0)"),
        "deletes": short(HAND_INS + "lab.check('push-a-patch')\nshutil.rmtree(handed)"),
        "odd\udcff\x1b[2Jwords": short(
            "lab.check('find-the-ghost', '\\ud800\\x1b')", "raise Exception('\\ud800\\x1b')"
        ),
        "magics": short("%%javascript\nalert(1)", "%%bash --bg\nsleep 555", "input()", "print('x' * 20_000_000)"),
        "old": OLD,
    }
    for name, text in submissions.items():
        (tmp_path / f"{name}.ipynb").write_text(text)

    status, results = grade(capsys, tmp_path, "-j", "2", "--pages", str(tmp_path / "pages"))

    changed = marker.exists()
    marker.unlink(missing_ok=True)
    assert not changed
    assert status == 1
    assert [one["solved"] for one in results.values()] == [0] * len(submissions)
    assert results["sees its neighbours"]["errors"] == []
    assert results["links to a neighbour"]["ended"] == "the folder of hand-ins is a link"
    assert states(results["old"]) == ["missing", "absent", "absent"]
    assert list(results) == sorted(results, key=str.casefold)
    assert "odd��[2Jwords" in results
    assert not running("555")
    assert not list(scratch.iterdir())


OLD = json.dumps(
    {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": "import ecrlab; lab = ecrlab.start(); lab.check('push-a-patch')",
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                    }
                ],
            }
        ],
    }
)


@pytest.mark.slow
def test_an_interrupt_leaves_no_process_and_no_folder(tmp_path):
    (tmp_path / "temporary").mkdir()
    for name in ("ann", "bob", "carl"):
        (tmp_path / f"{name}.ipynb").write_text(short("!sleep 986", first=""))
    command = "import sys; from ecrlab.commands.cli import main; sys.exit(main(sys.argv[1:]))"
    grader = subprocess.Popen(
        [sys.executable, "-c", command, "grade", str(tmp_path), "--lesson", "02", "-j", "2"],
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stderr=subprocess.PIPE,
    )
    for _ in range(600):
        if len(running("986")) == 2:
            break
        time.sleep(0.1)
    assert len(running("986")) == 2

    grader.send_signal(signal.SIGINT)
    _, said = grader.communicate(timeout=60)

    assert grader.returncode == 130
    assert b"Traceback" not in said
    assert not running("986")
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
def test_an_answer_from_another_students_world_is_wrong(tmp_path, capsys):
    """Ann computes; Bob and Carl hand in what they have from her, and Carl has her seed."""
    computed = "from datetime import timedelta\nanswer = str(lab.clock.now() + timedelta(hours=12))"
    check = "lab.check('expiry-of-a-token', answer)"
    seeds = tmp_path / "names.csv"
    seeds.write_text("student,seed\nann,anna\nbob,bo\ncarl,anna\n")
    (tmp_path / "ann.ipynb").write_text(short(computed, check, "raise Exception(answer)"))

    _, results = grade(capsys, tmp_path, "--seeds", str(seeds), lesson="01-authentication")
    [[_, error]] = results["ann"]["errors"]
    for name in ("bob", "carl"):
        (tmp_path / f"{name}.ipynb").write_text(short(f"answer = {error.removeprefix('Exception: ')!r}", check))
    (tmp_path / "ann.ipynb").unlink()
    _, copies = grade(capsys, tmp_path, "--seeds", str(seeds), "-j", "2", lesson="01-authentication")

    assert {name: one["solved"] for name, one in (results | copies).items()} == {"ann": 1, "bob": 0, "carl": 1}


@pytest.mark.long
@pytest.mark.parametrize("lesson", catalogue.MODULES)
def test_of_each_lesson_a_notebook_gets_what_it_solves(tmp_path, capsys, lesson):
    solutions = exercises_in(lesson)
    (tmp_path / "right.ipynb").write_text(notebook(lesson))
    (tmp_path / "first.ipynb").write_text(notebook(lesson, solutions[:1]))
    (tmp_path / "empty.ipynb").write_text(notebook(lesson, []))
    (tmp_path / "endless.ipynb").write_text(notebook(lesson, last="while True: pass"))
    (tmp_path / "explodes.ipynb").write_text(notebook(lesson, last="!kill -KILL $PPID"))
    (tmp_path / "foreign.ipynb").write_text(notebook(lesson, first="%env ECRLAB_SEED=another"))
    (tmp_path / "names.csv").write_text("student,seed\n" + "".join(f"{path.stem},7\n" for path in tmp_path.iterdir()))

    _, results = grade(capsys, tmp_path, "-j", "2", "--seeds", str(tmp_path / "names.csv"), lesson=lesson)

    all_solved = ["solved"] * len(solutions)
    assert {name: one["ended"] for name, one in results.items()} == {
        **dict.fromkeys(("right", "first", "empty", "endless", "foreign"), "done"),
        "explodes": "the kernel died",
    }
    assert {name: states(one) for name, one in results.items()} == {
        "right": all_solved,
        "first": ["solved", *["missing"] * (len(solutions) - 1)],
        "empty": ["missing"] * len(solutions),
        "endless": all_solved,
        "explodes": all_solved,
        "foreign": ["missing"] * len(solutions),
    }


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
        (["--lesson", "02", "-j", "0"], "--jobs must be at least 1, got 0"),
        (["--lesson", "02", "--seconds", "-5"], "--seconds must be at least 1, got -5"),
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
