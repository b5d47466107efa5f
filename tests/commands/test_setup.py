"""`ecrlab setup`: what would make the first notebook slow is done before, wherever it can be kept."""

import os
import subprocess
import sys

from ecrlab.machine import jupyter
from ecrlab.machine.bootstrap import CHECKOUT


def test_without_a_home_the_fonts_are_listed_where_jupyterlab_looks(tmp_path):
    # given
    homeless = {**os.environ, "HOME": "/dev/null/home"}
    for name in ("XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        homeless.pop(name, None)
    # when
    done = subprocess.run(
        [sys.executable, "-m", "ecrlab", "setup"], cwd=CHECKOUT, env=homeless, capture_output=True, text=True
    )
    # then
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ready: ")
    assert jupyter.prepare(tmp_path, base=homeless)["MPLCONFIGDIR"] == str(tmp_path / "matplotlib")
    assert "MPLCONFIGDIR" not in jupyter.prepare(tmp_path, base={**homeless, "HOME": str(tmp_path)})
