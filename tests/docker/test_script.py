"""The script `docker` on PATH: it starts fast, minds its own modules, and stops when nobody reads."""

import shlex
import shutil
import subprocess
import sys

import pytest


def test_the_script_on_path_runs_beside_files_that_are_named_like_modules(lab, app, tmp_path):
    from ecrlab.docker import install

    (tmp_path / "bin").mkdir()
    script = install(tmp_path / "bin")
    (app / "json.py").write_text("raise SystemExit('the wrong json')\n")
    ran = subprocess.run([script, "build", "-q", "-t", "x", "."], cwd=app, capture_output=True, text=True, check=False)
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.strip() == lab.store.get("x").id


def test_nothing_is_imported_that_is_slow_to_import(lab):
    code = (
        "import sys; from ecrlab.docker.__main__ import main; main(['images']);"
        "print([name for name in ('boto3', 'pandas', 'moto', 'tarfile', 'http.client', 'argparse', 'ecrlab.registry')"
        " if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not shutil.which("sh"), reason="no shell")
def test_what_reads_the_output_may_stop_reading(lab, app):
    command = f"{shlex.quote(sys.executable)} -m ecrlab.docker --help | head -n 1"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("Usage:  docker COMMAND\n", "")
