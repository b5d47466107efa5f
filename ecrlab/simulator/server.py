"""The server of a lab: one port on 127.0.0.1 that carries every face."""

from pathlib import Path
from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT
from ecrlab.simulator.access.judging import authorize
from ecrlab.simulator.access.signatures import Wall
from ecrlab.simulator.aws.face import AwsFace
from ecrlab.simulator.consumers import roles
from ecrlab.simulator.consumers.kubernetes.cluster import Cluster
from ecrlab.simulator.consumers.kubernetes.face import KubernetesFace
from ecrlab.simulator.control import Control
from ecrlab.simulator.dispatch import Dispatcher, Moto
from ecrlab.simulator.http.listener import Listener
from ecrlab.simulator.proxy import ProxyGate
from ecrlab.simulator.recorder import Recorder
from ecrlab.simulator.v2 import DockerFace, PublicFace
from ecrlab.simulator.v2.pull_limit import PullLimit
from ecrlab.simulator.web_pages import WebPageWall
from ecrlab.simulator.wiring import wire


def application(
    world: World,
    aws: AwsFace | None = None,
    *,
    moto: Moto | None = None,
    quirks: bool = False,
    pull_limit: PullLimit | None = None,
    node_role: str | None = None,
    secret: str | None = None,
) -> Any:
    """The WSGI application that shows a world to AWS clients and to Docker clients; see `Server` for the options."""
    # First: its pods retry their pulls before the other jobs of a night change the registry.
    cluster = Cluster(world, lambda: roles.named(world, DEFAULT_ACCOUNT, node_role, roles.NODE))
    world.nights.add(cluster.before_night)
    world.time_passes.add(cluster.catch_up)
    wire(world)
    docker = DockerFace(world, authorize=authorize, quirks=quirks)
    public = PublicFace(world, authorize=authorize, limit=pull_limit)
    control = Control(world, KubernetesFace(world, cluster))
    wall = Wall(world, secret)
    dispatcher = Dispatcher(wall, aws or AwsFace(world), docker, public, control, moto or Moto(world))
    return ProxyGate(WebPageWall(dispatcher))


class Server:
    """A lab's server, from creation until `stop`. It runs in threads of this process and prints nothing."""

    def __init__(
        self,
        world: World,
        *,
        port: int = 0,
        quirks: bool = False,
        log_into: Path | None = None,
        node_role: str | None = None,
        secret: str | None = None,
    ) -> None:
        """Listen on `port` (0: any free one); `log_into` keeps a log of moto's requests, with states of the
        registry in that folder. Raises `PortTaken`.

        `node_role` is the role of the Kubernetes node, by name or ARN; the lab makes one unless it is named. `secret`
        is the learner's, and makes the lab private; without one, any access key is accepted.
        """
        self.aws = AwsFace(world)
        self.moto = Moto(world, log_into)
        self.pull_limit = PullLimit()
        shown = application(
            world,
            self.aws,
            moto=self.moto,
            quirks=quirks,
            pull_limit=self.pull_limit,
            node_role=node_role,
            secret=secret,
        )
        self.recorder = Recorder(shown)
        self._listener = Listener(self.recorder, port=port)
        self.endpoint = self._listener.endpoint
        """The server's URL."""

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()
