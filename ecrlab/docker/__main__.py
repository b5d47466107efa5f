"""`python -m ecrlab.docker`: find the command, read its options, print errors, and exit as Docker does."""

import contextlib
import os
import sys
from pathlib import Path

from ecrlab.docker.errors import DockerError
from ecrlab.docker.options import Command, read, show_help
from ecrlab.docker.terminal import warn

_ANY = 1000

COMMANDS = {
    "build": Command(
        "[OPTIONS] PATH",
        "Build an image from a Dockerfile (without RUN)",
        1,
        options="t/tag= f/file= platform= build-arg= label= target= q/quiet no-cache pull push load rm force-rm"
        " progress= provenance= attest= sbom= network= iidfile=",
        help="One platform makes a Docker schema 2 image; several, comma-separated, make an OCI index.\n"
        "Attestations are added only with --provenance=true. The default platform is linux/amd64 on every machine.",
    ),
    "history": Command("[OPTIONS] IMAGE", "Show the history of an image", 1, options="no-trunc H/human q/quiet"),
    "images": Command(
        "[OPTIONS] [REPOSITORY[:TAG]]",
        "List images",
        0,
        1,
        options="a/all digests q/quiet no-trunc format= f/filter=",
    ),
    "info": Command("", "Display system-wide information"),
    "inspect": Command(
        "[OPTIONS] NAME|ID [NAME|ID...]",
        "Return low-level information on images",
        1,
        _ANY,
        options="f/format= platform= type= s/size",
    ),
    "login": Command(
        "[OPTIONS] SERVER", "Authenticate to a registry", 0, 1, options="u/username= p/password= password-stdin"
    ),
    "logout": Command("SERVER", "Log out from a registry", 0, 1),
    "manifest inspect": Command(
        "[OPTIONS] MANIFEST", "Display an image manifest, or manifest list", 1, 2, options="v/verbose insecure"
    ),
    "pull": Command(
        "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", 1, options="a/all-tags platform= q/quiet"
    ),
    "push": Command("[OPTIONS] NAME[:TAG]", "Upload an image to a registry", 1, options="a/all-tags q/quiet"),
    "rmi": Command("[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images", 1, _ANY, options="f/force no-prune"),
    "tag": Command("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", 2),
    "version": Command("[OPTIONS]", "Show what this docker command is", options="f/format="),
    "image prune": Command("[OPTIONS]", "Remove unused images", options="a/all f/force"),
    "buildx imagetools create": Command(
        "[OPTIONS] [SOURCE...]", "Create a new image based on source images", 1, _ANY, options="t/tag= dry-run"
    ),
    "buildx imagetools inspect": Command("[OPTIONS] NAME", "Show an image in the registry", 1, options="raw"),
}

_SAME = {f"image {name}": name for name in ("build", "history", "inspect", "pull", "push", "tag")} | {
    "image ls": "images",
    "image list": "images",
    "image rm": "rmi",
    "image remove": "rmi",
    "buildx build": "build",
    "builder build": "build",
}
_FUNCTIONS = {
    "manifest inspect": "manifest_inspect",
    "image prune": "image_prune",
    "buildx imagetools create": "imagetools_create",
    "buildx imagetools inspect": "imagetools_inspect",
}

_NEED_AN_ENGINE = {
    *("attach", "commit", "compose", "container", "context", "cp", "create", "diff", "events", "exec", "export"),
    *("import", "kill", "load", "logs", "network", "node", "pause", "plugin", "port", "ps", "rename", "restart", "run"),
    *("save", "search", "secret", "service", "stack", "start", "stats", "stop", "swarm", "system", "top", "unpause"),
    *("update", "volume", "wait"),
}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        _run(arguments)
        sys.stdout.flush()
    except DockerError as error:
        warn(str(error))
        _remember(str(error))
        return error.status
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output is gone, so nobody sees an error
        return 141
    except OSError as error:
        warn(f"docker: {error}")
        return 1
    except RecursionError:
        warn("docker: this is nested too deeply")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _remember(error: str) -> None:
    """Store the error where `lab.why()` reads the last one; without a lab it is not stored."""
    if "ECRLAB_ENDPOINT" in os.environ and "DOCKER_CONFIG" in os.environ:
        with contextlib.suppress(OSError):
            (Path(os.environ["DOCKER_CONFIG"]) / "last-error").write_text(error, encoding="utf-8")


def _run(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(_overview())
        return
    if arguments[0] in ("--version", "-v"):
        from ecrlab import __version__

        print(f"ecrlab docker {__version__} (the lab's own docker command; no engine)")
        return
    name, rest = _find(arguments)
    command = COMMANDS[name]
    if "--help" in rest:
        print(show_help(name, command))
        return
    options, rest = read(name, command, rest)
    if name == "build":
        from ecrlab.docker.build_command import build

        build(options, rest)
        return
    from ecrlab.docker import commands

    getattr(commands, _FUNCTIONS.get(name, name))(options, rest)


def _find(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the command of a command line, and the remaining arguments."""
    for words in (3, 2, 1):
        said = " ".join(arguments[:words])
        name = _SAME.get(said, said)
        if name in COMMANDS and len(arguments) >= words:
            return name, arguments[words:]
    first = arguments[0]
    if first in _NEED_AN_ENGINE:
        raise DockerError(
            f"docker {first} needs an engine, and the lab's docker has none: it builds, pushes, pulls and inspects"
            ' images; with Docker installed, ecrlab.start(docker="system") uses that instead'
        )
    if first == "manifest" and arguments[1:2] in (["create"], ["annotate"], ["push"], ["rm"]):
        raise DockerError(
            f"docker manifest {arguments[1]} is not in the lab's docker: docker buildx imagetools create -t TARGET"
            " SOURCE... makes an index in the registry, without a list on this machine"
        )
    raise DockerError(
        f"docker: unknown command: docker {' '.join(arguments[:2])}\n\nRun 'docker --help' for more information"
    )


def _overview() -> str:
    from ecrlab.docker.commands import WHAT_IT_IS

    lines = [f"  {name:<26}{command.summary}" for name, command in sorted(COMMANDS.items())]
    return "\n".join(["Usage:  docker COMMAND", "", WHAT_IT_IS, "", "Commands:", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
