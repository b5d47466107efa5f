"""The effect of each instruction of a Dockerfile on a stage, and the rejection of those that need an engine.

Source: Dockerfile reference. RUN executes a program, ADD fetches a URL or unpacks an archive: this builder does none
of these, and its error says what to write instead.
"""

import json
import re
from collections.abc import Callable

from ecrlab.docker.copying import Ownership, Source, copied, parents
from ecrlab.docker.dockerfile import Instruction, instruction
from ecrlab.docker.errors import DockerError
from ecrlab.docker.stage import Stage
from ecrlab.docker.words import expand, split
from ecrlab.oci.layers import Entry

SourceOf = Callable[[str], Source]

_ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst))$")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def makes_layer(step: Instruction) -> bool:
    """Tell whether BuildKit counts a step in its progress."""
    return step.name in ("COPY", "ADD", "RUN", "WORKDIR")


def apply(step: Instruction, stage: Stage, source_of: SourceOf) -> None:
    """Apply an instruction to a stage; `source_of` returns the source that `--from` names, or the build context."""
    if step.name in ("COPY", "ADD"):
        _copy(step, stage, source_of)
    else:
        _VERBS[step.name](step, stage)


def _expanded(step: Instruction, stage: Stage) -> list[str]:
    variables = stage.variables
    return [expand(word, variables, step.escape) for word in step.words]


# --- files -----------------------------------------------------------------------------------------------------------


def _copy(step: Instruction, stage: Stage, source_of: SourceOf) -> None:
    unknown = set(step.flags) - {"from", "chown", "chmod", "link"}
    if unknown:
        raise DockerError(f"{step.name} --{min(unknown)} is not known to the lab's docker")
    if step.json is not None:
        words = [expand(word.replace("\\", "\\\\"), stage.variables) for word in step.json]
    else:
        words = _expanded(step, stage)
    if len(words) < 2:
        raise DockerError(f"{step.name} requires at least two arguments, but only one was provided")
    *sources, destination = words
    if step.name == "ADD":
        _refuse_what_add_adds(sources)
    if not destination.startswith("/"):
        slash = "/" if destination.endswith(("/", "/.")) or destination in (".", "") else ""
        destination = f"{stage.working_directory.rstrip('/')}/{destination.rstrip('/').removeprefix('./')}{slash}"
        destination = destination.replace("/./", "/")
    source = source_of(expand(step.flags.get("from", ""), stage.variables))
    ownership = _ownership(step, stage)
    stage.add_layer(
        copied(source, sources, destination, stage.files, ownership), f"{step.name} {' '.join(words)} # buildkit"
    )


def _refuse_what_add_adds(sources: list[str]) -> None:
    for source in sources:
        if re.match(r"(?:https?|git|ssh)://|git@", source):
            raise DockerError(
                f"ADD {source} would fetch from the internet, and the lab reaches nothing but its own registry:"
                " download the file beside the Dockerfile and COPY it"
            )
        if _ARCHIVE.search(source):
            raise DockerError(
                f"ADD {source} would unpack an archive: unpack it beside the Dockerfile and COPY the folder"
            )


def _ownership(step: Instruction, stage: Stage) -> Ownership:
    mode = expand(step.flags.get("chmod", ""), stage.variables)
    if mode and not re.fullmatch("[0-7]{3,4}", mode):
        raise DockerError(f"invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777")
    uid = gid = 0
    if owner := expand(step.flags.get("chown", ""), stage.variables):
        user, colon, group = owner.partition(":")
        uid = _account(stage, "etc/passwd", user, "user")
        gid = _account(stage, "etc/group", group, "group") if colon else uid
    return Ownership(uid, gid, int(mode, 8) if mode else None)


def _account(stage: Stage, database: str, name: str, kind: str) -> int:
    if name.isdigit():
        return int(name)
    entry = stage.files.entries.get(stage.files.resolve(database))
    content = entry.content if entry and isinstance(entry.content, bytes) else b""
    for line in content.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    if name == "root":
        return 0
    raise DockerError(f"unable to find {kind} {name}: no matching entries in /{database} of the image (a number works)")


def _workdir(step: Instruction, stage: Stage) -> None:
    where = expand(step.text, stage.variables, step.escape)
    absolute = where if where.startswith("/") else f"{stage.working_directory}/{where}"
    parts: list[str] = []
    for part in absolute.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    stage.settings["WorkingDir"] = "/" + "/".join(parts)
    path = stage.files.resolve("/".join(parts))
    created_by = f"WORKDIR {stage.settings['WorkingDir']}"
    if stage.files.is_directory(path):
        stage.record(created_by)
        return
    made = [*parents([path], stage.files, Ownership()), Entry(path, "directory", 0o755)]
    stage.add_layer(made, created_by)


# --- settings --------------------------------------------------------------------------------------------------------


def _pairs(step: Instruction, stage: Stage) -> dict[str, str]:
    """Read `NAME=value …`, or the old form `NAME value` with the rest of the line as value."""
    words, variables = step.words, stage.variables
    if "=" not in words[0]:
        if len(words) < 2:
            raise DockerError(f"{step.name} must have two arguments")
        value = step.text[len(words[0]) :].strip()
        return {expand(words[0], variables, step.escape): expand(value, variables, step.escape)}
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise DockerError(f"Syntax error - can't find = in {json.dumps(word)}. Must be of the form: name=value")
        # All values of one line are expanded with the variables from before it.
        found[expand(name, variables, step.escape)] = expand(value, variables, step.escape)
    return found


def _env(step: Instruction, stage: Stage) -> None:
    pairs = _pairs(step, stage)
    stage.set_environment(pairs)
    stage.record("ENV " + " ".join(f"{name}={value}" for name, value in pairs.items()))


def _label(step: Instruction, stage: Stage) -> None:
    pairs = _pairs(step, stage)
    stage.labels(pairs)
    stage.record("LABEL " + " ".join(f"{name}={value}" for name, value in pairs.items()))


def _arg(step: Instruction, stage: Stage) -> None:
    environment, variables = stage.environment, stage.variables
    for word in step.words:
        name, equals, default = word.partition("=")
        if name in stage.build_args:
            stage.used_args.add(name)
            stage.args[name] = stage.build_args[name]
        elif equals:
            stage.args[name] = expand(default, variables, step.escape)
        elif name in stage.global_args:
            stage.args[name] = stage.global_args[name]
        else:
            continue
        stage.spend(len(stage.args[name]))
        if name not in environment:
            variables[name] = stage.args[name]
    stage.record(f"ARG {' '.join(split(step.text, step.escape))}")


def _command(step: Instruction, stage: Stage) -> list[str]:
    """Return the items of the array, or the command of a shell with the line."""
    if step.json is not None:
        return list(step.json)
    return [*(stage.settings.get("Shell") or ["/bin/sh", "-c"]), step.text]


def _go_list(items: list[str]) -> str:
    return "[" + " ".join(json.dumps(item, ensure_ascii=False) for item in items) + "]"


def _cmd(step: Instruction, stage: Stage) -> None:
    stage.settings["Cmd"] = _command(step, stage)
    stage.has_own_command = True
    stage.record(f"CMD {_go_list(stage.settings['Cmd'])}")


def _entrypoint(step: Instruction, stage: Stage) -> None:
    stage.settings["Entrypoint"] = _command(step, stage)
    if not stage.has_own_command:
        stage.settings.pop("Cmd", None)  # the base's command was meant for the base's entry point
    stage.record(f"ENTRYPOINT {_go_list(stage.settings['Entrypoint'])}")


def _user(step: Instruction, stage: Stage) -> None:
    stage.settings["User"] = expand(step.text, stage.variables, step.escape)
    stage.record(f"USER {stage.settings['User']}")


def _expose(step: Instruction, stage: Stage) -> None:
    ports = stage.settings.get("ExposedPorts", {})
    named = []
    for word in _expanded(step, stage):
        first, last, protocol = _ports(word)
        named += [f"{port}/{protocol}" for port in range(first, last + 1)]
    stage.settings["ExposedPorts"] = {port: {} for port in sorted({*ports, *named})}
    stage.record(f"EXPOSE [{' '.join(named)}]")


def _ports(word: str) -> tuple[int, int, str]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?", word, re.IGNORECASE)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not found or not 0 < first <= last < 65536:
        raise DockerError(f"invalid containerPort: {word}")
    return first, last, (found[3] or "tcp").lower()


def _volume(step: Instruction, stage: Stage) -> None:
    volumes = _expanded(step, stage)
    stage.settings["Volumes"] = {path: {} for path in sorted({*stage.settings.get("Volumes", {}), *volumes})}
    stage.record(f"VOLUME [{' '.join(volumes)}]")


def _shell(step: Instruction, stage: Stage) -> None:
    if not step.json:
        raise DockerError("SHELL requires the arguments to be in JSON form")
    stage.settings["Shell"] = list(step.json)
    stage.record(f"SHELL {_go_list(stage.settings['Shell'])}")


def _stop_signal(step: Instruction, stage: Stage) -> None:
    stage.settings["StopSignal"] = expand(step.text, stage.variables, step.escape)
    stage.record(f"STOPSIGNAL {stage.settings['StopSignal']}")


def _maintainer(step: Instruction, stage: Stage) -> None:
    stage.author = step.text
    stage.record(f"MAINTAINER {step.text}")


def _onbuild(step: Instruction, stage: Stage) -> None:
    trigger = instruction(step.text, step.line, step.escape)
    if trigger.name in ("ONBUILD", "FROM", "MAINTAINER"):
        raise DockerError(f"{trigger.name} isn't allowed as an ONBUILD trigger")
    stage.settings["OnBuild"] = [*stage.settings.get("OnBuild", []), step.text]
    stage.record(f"ONBUILD {step.text}")


def _healthcheck(step: Instruction, stage: Stage) -> None:
    kind, _, rest = step.text.partition(" ")
    if kind.upper() == "NONE":
        stage.settings["Healthcheck"] = {"Test": ["NONE"]}
    elif kind.upper() == "CMD" and rest.strip():
        command = instruction(f"CMD {rest}", step.line, step.escape)
        test = ["CMD", *command.json] if command.json is not None else ["CMD-SHELL", command.text]
        stage.settings["Healthcheck"] = {"Test": test} | _health_options(step.flags)
    else:
        raise DockerError(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    stage.record(f"HEALTHCHECK {step.text}")


def _health_options(flags: dict[str, str]) -> dict[str, int]:
    names = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
    names["start-interval"] = "StartInterval"
    options: dict[str, int] = {}
    for flag, value in flags.items():
        if flag == "retries" and value.isdigit():
            options["Retries"] = int(value)
            continue
        parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)", value)
        if flag not in names or not parts or "".join(map("".join, parts)) != value:
            raise DockerError(f"HEALTHCHECK --{flag}={value} is not understood")
        options[names[flag]] = round(sum(float(count) * _SECONDS[unit] for count, unit in parts) * 1e9)
    return options


def _run(step: Instruction, stage: Stage) -> None:  # noqa: ARG001
    raise DockerError(
        "RUN executes a program inside the image, and the lab has no engine: do that step yourself before the build and"
        " COPY what it made"
    )


_VERBS: dict[str, Callable[[Instruction, Stage], None]] = {
    "ARG": _arg,
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
