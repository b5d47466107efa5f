"""`%load_ext ecrlab`: a lab in any notebook or IPython session, under the name `lab`.

Loading starts a lab, unless one runs in this process already; boto3, `aws` and `docker` there then reach that lab and
no real account. `%unload_ext ecrlab` stops it. `import ecrlab` starts nothing.

Source: IPython, "IPython extensions".
"""

from typing import Any

from ecrlab import lab
from ecrlab.errors import EcrLabError
from ecrlab.lessons.tracebacks import shorten


def load_ipython_extension(shell: Any) -> None:
    """Give the session a running lab as `lab`. Raises `EcrLabError` if that name is in use for something else."""
    shorten()
    named = shell.user_ns.get("lab")
    if named is not None and not isinstance(named, lab.Lab):
        raise EcrLabError("`lab` is a variable here already; to start a lab with another name: my_lab = ecrlab.start()")
    running = lab.running() or lab.start()
    shell.push({"lab": running})
    print(f"lab = {running!r}\nboto3, aws and docker use it until lab.stop(); %reload_ext ecrlab starts another")


def unload_ipython_extension(shell: Any) -> None:
    """Stop the lab, and forget its name."""
    if running := lab.running():
        running.stop()
        if shell.user_ns.get("lab") is running:
            del shell.user_ns["lab"]
