"""A docker command for a world without an engine: it builds, tags, pushes and pulls, and runs nothing.

    Dockerfile, context ──build──> local store ──push──> the lab's registry
                                        ^                      │
                                        └─────────pull─────────┘

Commands and messages are Docker's. A build reads real Dockerfiles and rejects what needs an engine (RUN). Image names
keep their real hosts (`123456789012.dkr.ecr.us-east-1.amazonaws.com`, `public.ecr.aws`), but the command connects only
to the simulator on this machine. It runs as `python -m ecrlab.docker`; `install` writes a script named `docker` into a
directory of PATH. It uses only the standard library, and each command imports only what it needs, because every cell
of a notebook waits for its start.

The environment says where things are: ECRLAB_ENDPOINT (the simulator), DOCKER_CONFIG (the directory of
config.json, with what `login` stores), ECRLAB_DOCKER_ROOT (images; a directory beside DOCKER_CONFIG unless
set), DOCKER_DEFAULT_PLATFORM (`linux/amd64` unless set, on every machine, so that all learners see the
same), SOURCE_DATE_EPOCH (the date of what is built).
"""

import shlex
import sys
from pathlib import Path

__all__ = ["install"]


def install(bin_directory: Path) -> Path:
    """Write the `docker` script into `bin_directory`, which must exist; it runs this command with this Python.

    The script neither reads site-packages nor puts the learner's folder on the module path: a `json.py` beside a
    Dockerfile must not replace Python's, and both take time.
    """
    root = Path(__file__).resolve().parents[2]
    script = bin_directory / "docker"
    script.write_text(
        "#!/bin/sh\n"
        "# The docker command of the lab: no engine, and no registry but the lab's. `docker version` says more.\n"
        f'PYTHONPATH={shlex.quote(str(root))} exec {shlex.quote(sys.executable)} -P -S -m ecrlab.docker "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o700)
    return script
