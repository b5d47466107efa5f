"""One running lab: a simulated ECR in this process, and this process's clients pointed at it.

`start()` begins with an empty registry (or a kept one), at a fixed time, on a free port of 127.0.0.1. It points the
process's AWS_* variables, PATH and client settings at itself, so that plain `boto3.client("ecr")`, `aws` and `docker`
work without options and cannot reach real AWS; `stop()` restores everything.
"""

import atexit
import contextlib
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ecrlab import account
from ecrlab.clock import LabClock
from ecrlab.errors import EcrLabError
from ecrlab.grading import hand_in
from ecrlab.lab_views import ACCOUNT, Views
from ecrlab.lessons import exam, questions, seeds
from ecrlab.lessons.cells import Cells
from ecrlab.lessons.exercises import Desk, LabStopped, View
from ecrlab.lessons.tracebacks import shorten
from ecrlab.machine import apps, environment
from ecrlab.machine.running import LabFolder, in_temporary_files
from ecrlab.surroundings import Surroundings

if TYPE_CHECKING:
    from ecrlab.registry.store import snapshots
    from ecrlab.registry.world import World
    from ecrlab.scenarios import Shop
    from ecrlab.simulator.server import Server

SHOP = 7
"""The shop that `lab.load` loads by default."""

_running: "Lab | None" = None


class Lab(Views):
    """A running lab. Made by `ecrlab.start()`.

    `clock` is the lab's time: `lab.clock.advance(days=30)`.
    """

    def __init__(
        self,
        folder: LabFolder,
        world: "World",
        server: "Server",
        clock: LabClock,
        docker: environment.Docker,
        seed: seeds.Seed,
        secret: str,
    ) -> None:
        self.clock = clock
        self._seed = seed
        self._folder = folder
        self._world = world
        self._server = server
        self._secret = secret
        self._last_snapshot: snapshots.Snapshot | None = None
        self._desk = Desk(self._view)
        inside = environment.inside_lab(server.endpoint, folder.path, base=os.environ, docker=docker, secret=secret)
        self._surroundings = Surroundings(inside | seed.variables)
        self._began_in = _current_folder()
        self._cells = Cells(server.aws, folder.path / "docker" / "last-error")

    @property
    def endpoint(self) -> str:
        """Where the simulator listens, as a URL."""
        return self._server.endpoint

    def account(self, account_id: str, *, name: str | None = None, role: str | None = None) -> "account.Account":
        """Return another account, to act in it: `staging = lab.account("222233334444", name="staging")`.

        The learner administers it, or acts there as the IAM role with the name `role`. `name` is the
        AWS profile: `aws --profile staging …`. By default it is the account's number, with the role if there is one.
        Raises `EcrLabError` for a wrong number or name, and for a role that does not exist.
        """
        from ecrlab.simulator.access import identities

        if role is None:
            arn = None if account_id == ACCOUNT else f"arn:aws:iam::{account_id}:role/{environment.MEMBER_ROLE}"
        else:
            arn = identities.role_arn(account_id, role)
            if arn is None:
                raise EcrLabError(f"the account {account_id} has no role {role!r}; create it in its IAM first")
        profile = name or (f"{account_id}-{role}" if role else account_id)
        return account.enter(self._folder.path, account_id, profile, arn, self._secret)

    def app(self, name: str, *, fresh: bool = False) -> Path:
        """Return the folder of a copy of an application's files: `%cd -q {lab.app("my-app")}`.

        The copy belongs to this lab, and ends with it. Edits there are kept, unless `fresh`: then the files are the
        original ones again. Raises `EcrLabError` for an unknown application, and lists the known ones.
        """
        if _running is not self:
            raise EcrLabError("this lab was stopped, and its files with it; start one: lab = ecrlab.start()")
        with in_temporary_files():
            (self._folder.path / "apps").mkdir(exist_ok=True)
            return apps.copy(name, self._folder.path / "apps", fresh=fresh)

    def load(self, scenario: str, *, seed: int = SHOP) -> "Shop":
        """Load a past that ended yesterday into the registry: `lab.load("a-year-of-ci")`; another seed, another shop.

        The seed of the lab varies what happened in that past; names stay. ECS gets task definitions of what runs.
        Layers have no bytes, so the images cannot be pulled.
        """
        from ecrlab.lessons import loading
        from ecrlab.simulator.moto.warm_up import Request

        registry = self._registry
        shop = loading.load(scenario, seed, registry, history=self._seed.text)
        for definition in loading.task_definitions(shop, registry):
            self._server.moto.warm_up.ask(Request("ecs", loading.REGISTER, definition))
        return shop

    def snapshot(self) -> "snapshots.Snapshot":
        """Take a snapshot of the whole registry, for `lab.restore()`."""
        from ecrlab.registry.store import snapshots

        self._last_snapshot = snapshots.take(self._world)
        return self._last_snapshot

    def restore(self, snapshot: "snapshots.Snapshot | None" = None) -> None:
        """Restore the whole registry from a snapshot, the last one unless another is given.

        The clock, AWS's other services and the pods of kubectl do not go back. Raises `EcrLabError` if this lab has no
        such snapshot.
        """
        from ecrlab.registry.store import snapshots

        wanted = self._last_snapshot if snapshot is None else snapshot
        if wanted is None:
            raise EcrLabError("there is no snapshot to go back to; take one first: before = lab.snapshot()")
        snapshots.put_back(self._world, wanted)

    def check(self, exercise: str = "", answer: Any = None, *, strict: bool = False) -> None:
        """Check an exercise by looking at the registry, and print the result; `answer` is for exercises that want one.

        An unsolved exercise raises nothing, unless `strict` (for graders): then `NotYet`.
        """
        with self._cells.unnoticed():
            if (folder := hand_in.folder()) is not None and _running is self:
                hand_in.write(folder, exercise, answer, self._seed.text, self._world, self._server.moto)
            self._desk.check(exercise, answer, strict=strict)

    def hint(self, exercise: str = "") -> None:
        """Print the next hint for an exercise."""
        self._desk.hint(exercise)

    def solution(self, exercise: str = "") -> None:
        """Print one solution of an exercise."""
        self._desk.solution(exercise)

    def compare(self, question: str, answer: object = None) -> None:
        """Print an answer in a sentence beside the model answer; an empty answer shows none."""
        print(exam.NO_HELP if exam.is_on() else questions.compare(question, answer))

    def why(self, error: object = None) -> None:
        """Explain an error: its text, a caught exception, or the last one that a cell, AWS or docker returned.

        docs/errors.md lists the errors that it explains.
        """
        if exam.is_on():
            print(exam.NO_HELP)
            return
        if error is None and _running is not self:
            error = "This lab was stopped."
        print(self._cells.page(error))

    def define(self, term: str) -> None:
        """Print the meaning of a term of the lessons in one sentence: `lab.define("digest")`."""
        from ecrlab.lessons import glossary

        try:
            print(glossary.define(term))
        except glossary.UnknownTerm as unknown:
            print(f"✗ {unknown}")

    def stop(self) -> None:
        """Stop the lab and restore the process; a lab without `state=` keeps nothing."""
        global _running
        if _running is not self:
            return
        _running = None
        self._cells.close()
        self._surroundings.restore()
        self._server.stop()
        self._world.close()
        self._leave_folder()
        self._folder.remove()

    def _leave_folder(self) -> None:
        """Return to the folder in which the lab began, if the current one is the lab's and ends with it."""
        current = _current_folder()
        if self._began_in and current and current.is_relative_to(self._folder.path.resolve()):
            with contextlib.suppress(OSError):
                os.chdir(self._began_in)

    def _view(self, answer: Any) -> View:
        if _running is not self:
            raise LabStopped("This lab was stopped; run lab = ecrlab.start() and the cells after it again.")
        return View(self.client("ecr"), self.clock, self.client, self.storage, self.who_can, answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if _running is self else "stopped"
        return f"<ecrlab: account {self.account_id}, Region {self.region}, {state}>"


def start(
    *,
    state: str | Path | None = None,
    at: datetime | str | None = None,
    docker: environment.Docker = "lab",
    quirks: bool = False,
    seed: str | int | None = None,
    kubectl: bool = False,
    node_role: str | None = None,
) -> Lab:
    """Start a lab; a lab that runs in this process already is stopped first.

    The lab is private: it answers only to its own keys, which it sets in this process and in attached terminals.
    `state` names a folder that keeps ECR's data for the next start; without it the lab is empty and keeps nothing.
    `at` is the time at which the clock starts (default: 1 October 2026, 09:00 UTC, varied by the seed). `docker` is
    "lab" for the kit's own docker command, which needs no engine, or "system" for the installed one. `quirks` makes the
    registry deviate from the OCI specification where ECR does. `seed` (default: the variable ECRLAB_SEED) makes another
    world with the same names: other dates, digests, ids and builds of the shop; see `ecrlab.lessons.seeds`. `kubectl`
    puts the kit's own kubectl first in PATH, for the lab's cluster of one node; `node_role` is the IAM role that the
    node pulls images with, by name or ARN (default: AmazonEKSNodeRole, which the lab creates).

    Raises `EcrLabError` for a `state` that cannot be used and for an invalid argument.
    """
    global _running
    from ecrlab.registry.world import World
    from ecrlab.simulator.server import Server

    if docker not in ("lab", "system"):
        raise EcrLabError(f'docker must be "lab" or "system", got {docker!r}')
    chosen = seeds.read(os.environ.get(seeds.VARIABLE) if seed is None else seed)
    clock = LabClock(chosen.start if at is None else _instant(at))
    if state is not None and not str(state).strip():
        raise EcrLabError("state= names the folder that keeps the data, and this name is empty")
    if _running is not None:
        _running.stop()
    folder = LabFolder()
    with contextlib.ExitStack() as undo:
        undo.callback(folder.remove)
        with in_temporary_files():
            environment.write_files(folder.path, base=os.environ)
            _install(folder.path / "bin", docker=docker == "lab", kubectl=kubectl)
        # Absolute: a lesson changes the current folder. The lab that ran before has left it.
        directory = Path(state).absolute() if state is not None else folder.path / "state"
        world = World(directory, clock, seed=chosen.ids, durable=state is not None)
        undo.callback(world.close)
        secret = environment.new_secret()
        log_into = hand_in.states()
        server = Server(world, quirks=quirks, log_into=log_into, node_role=node_role, secret=secret)
        undo.callback(server.stop)
        with in_temporary_files():
            folder.announce(server.endpoint, docker, secret=secret)
        undo.pop_all()
    _running = Lab(folder, world, server, clock, docker, chosen, secret)
    shorten()
    return _running


def running() -> Lab | None:
    """Return the lab that runs in this process."""
    return _running


def _install(bin_directory: Path, *, docker: bool, kubectl: bool) -> None:
    """Write the kit's own programs into the first directory of PATH."""
    if docker:
        import ecrlab.docker

        ecrlab.docker.install(bin_directory)
    if kubectl:
        import ecrlab.kubectl

        ecrlab.kubectl.install(bin_directory)


def _instant(at: datetime | str) -> datetime:
    if isinstance(at, datetime):
        return at
    try:
        return datetime.fromisoformat(at)
    except ValueError as error:
        raise EcrLabError(f"at must be an ISO 8601 instant such as 2026-10-01T09:00, got {at!r}") from error


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # deleted meanwhile
        return None


@atexit.register
def _stop_at_exit() -> None:
    if _running is not None:
        with contextlib.suppress(OSError):
            _running.stop()
