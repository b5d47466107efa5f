"""Stand-ins for the registries that pull-through caches pull from. No real registry is ever contacted.

Each is the same: it has the images of the kit's gallery, as `library/NAME` (public.ecr.aws as `docker/library/NAME`).
One that needs a login accepts one made-up pair, which `StandIn.credentials` shows. Drills take a stand-in down, move
its tags, and limit its pulls; `ecr-public`, which also has the learner's public repositories, moves no tags.
"""

import threading
import weakref
from datetime import datetime, timedelta

from ecrlab import gallery
from ecrlab.errors import EcrLabError
from ecrlab.oci.manifest import Manifest
from ecrlab.registry import names, pull_through_cache
from ecrlab.registry.pull_through_errors import UpstreamAccessDenied, UpstreamTooManyRequests, UpstreamUnavailable
from ecrlab.registry.world import World

OFFICIAL = "docker/library/"
"""Where the gallery has Docker's official images."""


class UnknownUpstream(EcrLabError):
    """No upstream has that name."""


class StandIn:
    """A stand-in for an upstream registry, inside the lab. It has the gallery's images, and never the real ones.

    `lab.upstream("docker-hub")` returns that of Docker Hub.
    """

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.asked = 0
        """How often a cache has asked it for an image, or tried its login; also in vain."""
        self._world = weakref.ref(world)
        self._is_down = False
        self._moved: dict[tuple[str, str], str] = {}
        self._limit: tuple[int, timedelta] | None = None
        self._answered: list[datetime] = []

    @property
    def credentials(self) -> dict[str, str]:
        """The user name and the access token that it accepts: a made-up pair, for the value of a secret."""
        return {"username": "learner", "accessToken": f"lab-token-of-{self.name}"}

    def down(self) -> None:
        """Let it answer no request until `up`."""
        self._is_down = True

    def up(self) -> None:
        """Let it answer again."""
        self._is_down = False

    def limit(self, pulls: int | None, *, hours: float = 6) -> None:
        """Let it answer at most `pulls` requests for an image in `hours` of the lab's clock; None: any number.

        Raises `EcrLabError` for numbers that are not positive.
        """
        if pulls is not None and (pulls < 1 or not 0 < hours < 10_000):
            raise EcrLabError(f"limit() needs at least 1 pull and more than 0 hours, got {pulls} and {hours}")
        self._limit = None if pulls is None else (pulls, timedelta(hours=hours))
        self._answered = []

    def move_tag(self, repository: str, tag: str, *, to: str) -> None:
        """Let a tag of an upstream repository, new or old, point at the image of another tag or digest of it.

        Raises `EcrLabError` for an unknown repository or image, and for `ecr-public`, whose images are read only.
        """
        if self.name == "ecr-public":
            raise EcrLabError("the gallery of public.ecr.aws is read only; move a tag of your own public repository")
        found = self.manifest(repository, to)
        if found is None:
            known = gallery.tags(self.in_gallery(repository)) or self.repositories()
            raise EcrLabError(f"{self.name} has no {repository}:{to}; it has {', '.join(known)}")
        self._moved[repository, names.check_tag(tag)] = found.digest

    def repositories(self) -> list[str]:
        """Return the names of its repositories, sorted."""
        return ["library/" + one.removeprefix(OFFICIAL) for one in gallery.repositories()]

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest of a tag or digest, or None."""
        return gallery.manifest(self.in_gallery(repository), self._moved.get((repository, reference), reference))

    def in_gallery(self, repository: str) -> str:
        """Return the gallery's name of a repository; an unknown name for one that is not there."""
        if self.name == "ecr-public":
            return repository
        return OFFICIAL + repository.removeprefix("library/") if repository.startswith("library/") else ""

    def connect(self, credentials: dict[str, str] | None) -> None:
        """Log in. Raises `UpstreamUnavailable` while it is down, and `UpstreamAccessDenied` for wrong credentials."""
        self.asked += 1
        if self._is_down:
            raise UpstreamUnavailable
        if credentials is not None and credentials != self.credentials:
            raise UpstreamAccessDenied

    def count(self) -> None:
        """Count a request for an image. Raises `UpstreamTooManyRequests`."""
        world = self._world()
        if self._limit is None or world is None:
            return
        most, span = self._limit
        now = world.clock.now()
        self._answered = [instant for instant in self._answered if now - instant < span]
        if len(self._answered) >= most:
            raise UpstreamTooManyRequests
        self._answered.append(now)

    def __repr__(self) -> str:
        limit = "" if self._limit is None else f", {self._limit[0]} pulls in {self._limit[1]}"
        return f"<stand-in for {self.name}: {'down' if self._is_down else 'up'}{limit}>"


class Upstreams:
    """The upstreams of a world, and the lock that one import at a time holds."""

    def __init__(self, world: World) -> None:
        self.importing = threading.RLock()
        self._stand_ins = {name: StandIn(world, name) for name in pull_through_cache.NAMES}

    def __getitem__(self, name: str) -> StandIn:
        """Return an upstream by its name in the API, such as `docker-hub`. Raises `UnknownUpstream`."""
        try:
            return self._stand_ins[name]
        except KeyError:
            raise UnknownUpstream(f"there is no upstream {name!r}; there are {', '.join(self._stand_ins)}") from None


_of_worlds: "weakref.WeakKeyDictionary[World, Upstreams]" = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def of(world: World) -> Upstreams:
    """Return the upstreams of a world."""
    with _lock:
        if world not in _of_worlds:
            _of_worlds[world] = Upstreams(world)
        return _of_worlds[world]
