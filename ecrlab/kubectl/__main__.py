"""`python -m ecrlab.kubectl`: find the command, read its options, print errors, and exit as kubectl does."""

import contextlib
import os
import sys
from pathlib import Path

from ecrlab.docker.terminal import warn
from ecrlab.kubectl.errors import KubectlError
from ecrlab.kubectl.options import Command, read, show_help

COMMANDS = {
    "apply": Command("-f FILENAME", "Create or change the pods and deployments of a file.", "f/filename="),
    "create deployment": Command("NAME --image=IMAGE", "Create a deployment.", "image= r/replicas= dry-run= o/output="),
    "delete": Command(
        "(KIND NAME | KIND -l SELECTOR | -f FILENAME)",
        "Delete pods or deployments.",
        "f/filename= l/selector= all now force grace-period= wait ignore-not-found",
    ),
    "describe": Command("pod [NAME]", "Show a pod with its events.", "l/selector="),
    "get": Command(
        "KIND [NAME]",
        "Show pods, deployments or events.",
        "o/output= l/selector= A/all-namespaces w/watch no-headers show-labels sort-by= field-selector=",
    ),
    "rollout restart": Command("deployment NAME", "Replace all pods of a deployment."),
    "rollout status": Command("deployment NAME", "Show whether a rolling update is over.", "watch timeout="),
    "run": Command("NAME --image=IMAGE", "Create a pod.", "image= image-pull-policy= l/labels= dry-run= o/output="),
    "set image": Command("KIND/NAME CONTAINER=IMAGE", "Change the images of a pod or deployment."),
    "version": Command("", "Show what this kubectl command is.", "client o/output="),
}

_LACKING = {
    *("alpha", "annotate", "api-resources", "api-versions", "attach", "auth", "autoscale", "certificate"),
    *("cluster-info", "completion", "config", "cordon", "cp", "debug", "diff", "drain", "edit", "events", "exec"),
    *("explain", "expose", "kustomize", "label", "logs", "options", "patch", "plugin", "port-forward", "proxy"),
    *("replace", "scale", "taint", "top", "uncordon", "wait", "create", "rollout", "set"),
}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        _run(arguments)
        sys.stdout.flush()
    except KubectlError as error:
        warn(str(error))
        _remember(str(error))
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output is gone, so nobody sees an error
        return 141
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: list[str]) -> None:
    from ecrlab.kubectl import commands

    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(_overview(commands.WHAT_IT_IS))
        return
    name, rest = _find(arguments)
    command = COMMANDS[name]
    options, rest = read(name, command, rest)
    if options.flag("help"):
        print(show_help(name, command))
        return
    getattr(commands, name.replace(" ", "_"))(options, rest)


def _find(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the command of a command line, and the other arguments; options may stand before it."""
    before: list[str] = []
    words = list(arguments)
    while words and words[0].startswith("-"):
        count = 2 if words[0] in ("-n", "--namespace") else 1
        before, words = before + words[:count], words[count:]
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in COMMANDS and len(words) >= count:
            return name, before + words[count:]
    said = words[0] if words else ""
    if said in _LACKING:
        shown = " ".join(words[:2]) if said in ("create", "rollout", "set") else said
        known = ", ".join(COMMANDS)
        raise KubectlError(f"the lab's kubectl lacks {shown}; it has {known}")
    raise KubectlError(f'unknown command "{said}" for "kubectl"')


def _remember(error: str) -> None:
    """Store the error where `lab.why()` reads the last one of a program; without a lab it is not stored."""
    if "ECRLAB_ENDPOINT" in os.environ and "DOCKER_CONFIG" in os.environ:
        with contextlib.suppress(OSError):
            (Path(os.environ["DOCKER_CONFIG"]) / "last-error").write_text(error, encoding="utf-8")


def _overview(what_it_is: str) -> str:
    lines = [f"  {name:<20}{command.summary}" for name, command in sorted(COMMANDS.items())]
    return "\n".join([what_it_is, "", "Commands:", *lines, "", "Usage:", "  kubectl COMMAND [options]"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
