"""`docker build`: from a command line to a build, and its output.

Progress has BuildKit's form for output without a terminal, but without times. It goes to standard output, as that of
the classic builder did, because a notebook shows standard error as an alarm.
"""

import os
from pathlib import Path

from ecrlab.docker.build import Builder, Request, excerpt
from ecrlab.docker.commands import push
from ecrlab.docker.context import Context
from ecrlab.docker.dockerfile import DockerfileError
from ecrlab.docker.errors import DockerError
from ecrlab.docker.options import Options
from ecrlab.docker.patterns import Ignore
from ecrlab.docker.platforms import default_platform, normalized
from ecrlab.docker.references import Reference, parse
from ecrlab.docker.store import Store
from ecrlab.docker.terminal import say


def build(options: Options, rest: list[str]) -> None:
    """Build an image from a Dockerfile and a folder."""
    root = _context_root(rest[0])
    path = Path(options.last("file")) if options.flag("file") else root / "Dockerfile"
    try:
        dockerfile = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise DockerError(
            f"ERROR: failed to build: failed to solve: failed to read dockerfile: open {path.name}: {reason}"
        ) from error
    ignore = next(
        (
            f.read_text(encoding="utf-8", errors="replace")
            for f in (Path(f"{path}.dockerignore"), root / ".dockerignore")
            if f.is_file()
        ),
        "",
    )
    tags = [_target_name(tag) for tag in options.all("tag")]
    request = Request(
        dockerfile,
        Context(root, Ignore(ignore)),
        _platforms(options),
        _build_args(options.all("build-arg")),
        dict(label.partition("=")[::2] for label in options.all("label")),
        options.last("target"),
        _wants_provenance(options),
    )
    quiet = options.flag("quiet")
    store = Store.from_environment()
    with store.adding():
        try:
            builder = Builder(store, request, (lambda _: None) if quiet else say)
            image = builder.build()
        except DockerError as error:
            line = error.line if isinstance(error, DockerfileError) else 0
            place = f"{excerpt(dockerfile, line, path.name)}\n" if line else ""
            raise DockerError(f"{place}ERROR: failed to build: failed to solve: {error}") from error
        store.keep(image.digest, *tags)
    lines = ["exporting to image", "exporting layers done", f"writing image {image.id} done"]
    lines += [f"naming to {tag.repository}:{tag.tag} done" for tag in tags] + ["DONE"]
    say(image.id if quiet else "\n".join(f"#{builder.steps + 1} {line}" for line in lines))
    if options.flag("iidfile"):
        Path(options.last("iidfile")).write_text(image.id, encoding="utf-8")
    if options.flag("push"):
        for tag in tags:
            push(Options(), [str(tag)])


def _context_root(text: str) -> Path:
    if text == "-" or "://" in text or text.startswith("git@"):
        raise DockerError(f"ERROR: the lab's docker builds from a folder of this machine only, not from {text}")
    root = Path(text)
    if not root.is_dir():
        raise DockerError(f'ERROR: failed to build: unable to prepare context: path "{text}" not found')
    return root


def _target_name(text: str) -> Reference:
    try:
        reference = parse(text).with_tag()
    except DockerError as error:
        raise DockerError(f'ERROR: failed to build: invalid tag "{text}": {error}') from error
    if reference.digest:
        raise DockerError(f'ERROR: failed to build: invalid tag "{text}": a tag cannot be a digest')
    return reference


def _platforms(options: Options) -> tuple[str, ...]:
    named = [item for value in options.all("platform") for item in value.split(",")] or [default_platform()]
    return tuple(dict.fromkeys(map(normalized, named)))


def _build_args(given: list[str]) -> dict[str, str]:
    """Read `NAME=value`, or `NAME`, which takes its value from the environment."""
    found: dict[str, str] = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if equals or name in os.environ:
            found[name] = value if equals else os.environ[name]
    return found


def _wants_provenance(options: Options) -> bool:
    if options.last("sbom", "false") != "false":
        raise DockerError(
            "ERROR: an SBOM is made by running a scanner, and the lab's docker runs nothing: leave --sbom out"
        )
    attests = [value for value in options.all("attest") if "type=provenance" in value]
    return options.last("provenance", "false") != "false" or bool(attests)
