"""Build: from a Dockerfile and a context to an image, without running anything.

    FROM ──> a base's config and layers ──> each instruction changes the config or adds a layer ──> config, manifest

Layers and configs have fixed dates, owners, modes and bytes (see `ecrlab.oci.layers` and `context`), so one context
has one digest on every machine. One platform results in a Docker schema 2 manifest, as with a classic engine; several
result in an OCI index, as with buildx. A build adds attestations only with `--provenance` (buildx adds them by
default, and so wraps even a single image in an index with an `unknown/unknown` entry).
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ecrlab.docker import instructions, references
from ecrlab.docker.context import Context
from ecrlab.docker.copying import Source
from ecrlab.docker.dockerfile import DockerfileError, Instruction, instruction, parse
from ecrlab.docker.errors import DockerError, RegistryError
from ecrlab.docker.platforms import choose, default_platform, normalized, suits
from ecrlab.docker.references import what_the_gallery_has
from ecrlab.docker.stage import MOST_TEXT, Stage
from ecrlab.docker.store import Image, Store
from ecrlab.docker.words import expand
from ecrlab.oci.media_types import DOCKER, OCI, Family

Say = Callable[[str], None]

SOURCE_DATE = 1790845200
"""2026-10-01T09:00:00Z in seconds since 1970: the date of every build, unless SOURCE_DATE_EPOCH is set."""


@dataclass(frozen=True, slots=True)
class Request:
    """The options of one `docker build`."""

    dockerfile: str
    context: Context
    platforms: tuple[str, ...]
    build_args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    target: str = ""
    provenance: bool = False


@dataclass(slots=True)
class _Plan:
    """One FROM and the instructions after it."""

    name: str
    start: Instruction
    steps: list[Instruction]


class Builder:
    """One build; `say` receives the lines of progress."""

    def __init__(self, store: Store, request: Request, say: Say):
        self._store = store
        self._request = request
        self._say = say
        self._used_args: set[str] = set()
        self.steps = 0
        """The number of steps printed so far."""
        self._date = _source_date()
        self._globals, self._plans = _stages(parse(request.dockerfile))
        self._global_args: dict[str, dict[str, str]] = {}
        self._base_cache: dict[tuple[str, str], Image] = {}

    def build(self) -> Image:
        """Build the target stage for every platform, and store the result without a name."""
        self._step("[internal] load build definition from Dockerfile")
        self._step("[internal] load build context")
        wanted = self._target()
        several = len(self._request.platforms) > 1 or self._request.provenance
        family = OCI if several else DOCKER
        images = []
        for platform in self._request.platforms:
            stage = self._stage(wanted, platform, {})
            stage.labels(self._request.labels)
            images.append((platform, stage.finish(family)))
        unused = sorted(set(self._request.build_args) - self._used_args)
        if unused:
            self._say(f"[Warning] One or more build-args {unused} were not consumed".replace("'", ""))
        digest = self._index(images, family) if several else images[0][1]
        self._store.keep(digest)
        return self._store.image(digest)

    # --- stages --------------------------------------------------------------------------------------------------

    def _target(self) -> int:
        if not self._request.target:
            return len(self._plans) - 1
        found = self._find_stage(self._request.target, len(self._plans))
        if found is None:
            raise DockerError(f"target stage {json.dumps(self._request.target)} could not be found")
        return found

    def _find_stage(self, name: str, before: int) -> int | None:
        named = {plan.name.lower(): number for number, plan in enumerate(self._plans[:before]) if plan.name}
        if name.lower() in named:
            return named[name.lower()]
        return int(name) if name.isdigit() and int(name) < before else None

    def _stage(self, number: int, platform: str, done: dict[int, Stage]) -> Stage:
        """Build a stage and those it needs; `done` holds the finished stages of this platform."""
        if number in done:
            return done[number]
        plan = self._plans[number]
        variables = platform_variables(platform) | self._globals_expanded(platform)
        with _blaming(plan.start):
            base = expand(plan.start.words[0], variables, plan.start.escape)
            wanted = normalized(expand(plan.start.flags.get("platform", ""), variables) or platform)
            earlier = self._find_stage(base, number) if not base.isdigit() else None
            if earlier is None:
                stage, triggers = self._base(base, plan, wanted)
            else:
                stage, triggers = self._stage(earlier, platform, done).copy(), []
        done[number] = stage
        stage.global_args = variables
        stage.build_args = self._request.build_args
        stage.used_args = self._used_args
        steps = [*triggers, *plan.steps]
        total = 1 + sum(instructions.makes_layer(step) for step in steps)
        self._step(f"{self._label(plan, number, wanted, 1, total)} FROM {base}")
        position = 1
        for step in steps:
            if instructions.makes_layer(step):
                position += 1
                self._step(f"{self._label(plan, number, wanted, position, total)} {step}")
            with _blaming(step):
                instructions.apply(step, stage, lambda name: self._copy_source(name, number, platform, done))
        return stage

    def _label(self, plan: _Plan, number: int, platform: str, position: int, total: int) -> str:
        parts = [platform] if len(self._request.platforms) > 1 else []
        if len(self._plans) > 1:
            parts.append(plan.name or f"stage-{number}")
        return f"[{' '.join([*parts, f'{position}/{total}'])}]"

    def _base(self, name: str, plan: _Plan, platform: str) -> tuple[Stage, list[Instruction]]:
        """Return the stage that begins with an image, and the image's ONBUILD instructions."""
        if name == "scratch":
            return Stage.scratch(self._store, platform, self._date), []
        stage = Stage.of(self._store, self._image(name, platform), platform, self._date)
        return stage, [instruction(text, plan.start.line) for text in stage.take_triggers()]

    def _copy_source(self, name: str, number: int, platform: str, done: dict[int, Stage]) -> Source:
        from ecrlab.docker.copying import FromImage

        if not name:
            return self._request.context
        earlier = self._find_stage(name, number)
        if earlier is not None:
            return FromImage(self._stage(earlier, platform, done).files)
        return FromImage(Stage.of(self._store, self._image(name, platform), platform, self._date).files)

    def _image(self, name: str, platform: str) -> Image:
        """Return a base image for the platform: the local one, or else a pulled one."""
        from ecrlab.docker import transfer
        from ecrlab.docker.registry import Registry

        if (name, platform) in self._base_cache:
            return self._base_cache[name, platform]
        self._step(f"[internal] load metadata for {name}")
        image = self._store.find(name)
        if image is not None and image.is_index:
            chosen = choose(image.manifest, platform, name)
            image = self._store.image(chosen) if self._store.has(chosen) else None
        if image is None or not suits(image.platform, platform):
            reference = references.parse(name).with_tag()
            if image is not None and not reference.is_ecr:
                raise DockerError(f"{name} is here for {image.platform}, and this stage is for {platform}")
            with Registry.of(reference) as registry:
                try:
                    found = registry.resolve(reference.path, reference.digest or reference.tag)
                    image, _ = transfer.fetch(self._store, registry, reference, found, lambda _: None, platform)
                except DockerError as error:
                    unknown = isinstance(error, RegistryError) and error.http_status == 404
                    hint = what_the_gallery_has(reference) if unknown else ""
                    raise DockerError(
                        f"{name}: failed to resolve source metadata for {reference}: {error}{hint}"
                    ) from error
        self._base_cache[name, platform] = image
        return image

    def _globals_expanded(self, platform: str) -> dict[str, str]:
        """Return the ARGs before the first FROM, which FROM lines may use."""
        if platform in self._global_args:
            return self._global_args[platform]
        values = platform_variables(platform)
        found: dict[str, str] = {}
        spent = 0
        for step in self._globals:
            with _blaming(step):
                for word in step.words:
                    name, given, default = word.partition("=")
                    if name in self._request.build_args:
                        self._used_args.add(name)
                        found[name] = values[name] = self._request.build_args[name]
                    elif given:
                        found[name] = values[name] = expand(default, values, step.escape)
                    spent += len(found.get(name, ""))
                    if spent > MOST_TEXT:
                        raise DockerError(f"the values of ARG become longer than {MOST_TEXT} characters")
        self._global_args[platform] = found
        return found

    # --- results -------------------------------------------------------------------------------------------------

    def _index(self, images: list[tuple[str, str]], family: Family) -> str:
        """Write the index of images, given as platform and digest, and return its digest."""
        children = [self._child(platform, digest, family) for platform, digest in images]
        if self._request.provenance:
            from ecrlab.docker.attestation import attestation

            bases = sorted({name for name, _ in self._base_cache})
            children += [attestation(self._store, digest, bases, self._request.build_args) for _, digest in images]
        index = {"schemaVersion": 2, "mediaType": family.index, "manifests": children}
        return self._store.add(json.dumps(index, indent=2).encode())

    def _child(self, platform: str, digest: str, family: Family) -> dict[str, Any]:
        operating_system, architecture, *variant = platform.split("/")
        described = {"architecture": architecture, "os": operating_system}
        if variant:
            described["variant"] = variant[0]
        size = len(self._store.read(digest))
        return {"mediaType": family.manifest, "digest": digest, "size": size, "platform": described}

    def _step(self, text: str) -> None:
        self.steps += 1
        self._say(f"#{self.steps} {text}")
        self._say(f"#{self.steps} DONE\n")


@contextmanager
def _blaming(step: Instruction) -> Iterator[None]:
    """Attribute an error within to this instruction."""
    try:
        yield
    except DockerfileError:
        raise
    except DockerError as error:
        raise DockerfileError(str(error), step.line) from error


def platform_variables(platform: str) -> dict[str, str]:
    """Return the variables that BuildKit defines for FROM, and for an ARG without a value."""
    values: dict[str, str] = {}
    for side, where in (("TARGET", platform), ("BUILD", default_platform())):
        operating_system, architecture, variant = (*where.split("/"), "", "")[:3]
        values |= {f"{side}PLATFORM": where, f"{side}OS": operating_system}
        values |= {f"{side}ARCH": architecture, f"{side}VARIANT": variant}
    return values


def _stages(steps: list[Instruction]) -> tuple[list[Instruction], list[_Plan]]:
    """Return the ARGs before the first FROM, and the stages."""
    globals_: list[Instruction] = []
    plans: list[_Plan] = []
    for step in steps:
        if step.name == "FROM":
            words = step.words
            if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
                raise DockerfileError("FROM requires either one or three arguments", step.line)
            plans.append(_Plan(words[2] if len(words) == 3 else "", step, []))
        elif plans:
            plans[-1].steps.append(step)
        elif step.name == "ARG":
            globals_.append(step)
        else:
            raise DockerfileError(
                f"dockerfile parse error on line {step.line}: no build stage in current context", step.line
            )
    if not plans:
        raise DockerfileError("dockerfile has no FROM: no build stage in current context")
    return globals_, plans


def _source_date() -> datetime:
    given = os.environ.get("SOURCE_DATE_EPOCH") or str(SOURCE_DATE)
    if not given.isdigit():
        raise DockerError(f"SOURCE_DATE_EPOCH must be seconds since 1970, got {given}")
    return datetime.fromtimestamp(int(given), UTC)


def excerpt(dockerfile: str, line: int, name: str = "Dockerfile") -> str:
    """Return the lines around an error, as BuildKit prints them."""
    lines = dockerfile.splitlines()
    rule = "-" * 20
    shown = [
        f"{number:>4} | {'>>>' if number == line else '   '} {lines[number - 1]}".rstrip()
        for number in range(max(1, line - 2), min(len(lines), line + 2) + 1)
    ]
    return "\n".join([f"{name}:{line}", rule, *shown, rule])
