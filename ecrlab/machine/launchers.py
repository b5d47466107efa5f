"""The first programs in a lab's PATH, which keep clients away from the user's own files.

    directory/bin/aws                       the AWS CLI with a home directory of the lab's
    directory/bin/skopeo, podman, buildah   those that are installed, without the user's logins and registries
    no_lab/docker, no_lab/kubectl           fail, and say how to attach; they run if no lab does

`ecrlab.docker.install` writes the lab's `docker`. Every launcher starts a program by its full, quoted path: pip's
scripts name their Python in a `#!` line, which cannot hold a path with spaces.

Sources: AWS CLI user guide, "Alias"; containers-auth.json(5) and containers-storage.conf(5).
"""

import shlex
import shutil
import sys
from importlib import util
from pathlib import Path

from ecrlab.machine.requirements import how_to_install

NO_LAB = Path(__file__).parent / "no_lab"
"""The folder of the `docker` and `kubectl` that only say that no lab is running."""

AWS_CLI = ("-P", "-m", "awscli")
"""Python's arguments for the kit's own AWS CLI; with -P, it imports no json.py from the current folder."""

# On macOS podman and buildah use a virtual machine that they find through the user's home directory.
CONTAINER_CLIENTS = ("skopeo",) if sys.platform == "darwin" else ("skopeo", "podman", "buildah")


def write_launchers(directory: Path, *, search: str) -> None:
    """Write the launchers of a lab into its folder `bin`; `search` is the PATH of other clients."""
    home = str(directory / "home")
    # The AWS CLI always reads aliases, API models and its cache from ~/.aws.
    aws = aws_cli(search)
    _write(directory / "bin" / "aws", f"HOME={shlex.quote(home)} exec {shlex.join(aws)}" if aws else _NO_AWS)
    for name in CONTAINER_CLIENTS:
        if real := shutil.which(name, path=search):
            _write(directory / "bin" / name, _WITHOUT_LOGINS.format(home=shlex.quote(home), real=shlex.quote(real)))


def aws_cli(search: str) -> list[str] | None:
    """Return the command line of the AWS CLI: the kit's own, or else the one in the PATH `search`."""
    if util.find_spec("awscli"):
        return [sys.executable, *AWS_CLI]
    installed = shutil.which("aws", path=search)
    return [installed] if installed else None


_NO_AWS = f"""\
echo {shlex.quote(f"aws: the AWS CLI is not installed here: {how_to_install('aws')}")} >&2
exit 127 #"""

# Where REGISTRY_AUTH_FILE has no login for a host, these clients go on to files in the home directory. Images that
# they keep stay where they are.
_WITHOUT_LOGINS = """\
storage=${{XDG_CONFIG_HOME:-$HOME/.config}}/containers/storage.conf
if [ -z "$CONTAINERS_STORAGE_CONF" ] && [ -r "$storage" ]; then export CONTAINERS_STORAGE_CONF="$storage"; fi
export XDG_DATA_HOME="${{XDG_DATA_HOME:-$HOME/.local/share}}"
export HOME={home} XDG_CONFIG_HOME={home}/.config
exec {real}"""


def _write(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\n{command} "$@"\n', encoding="utf-8")
    path.chmod(0o700)
