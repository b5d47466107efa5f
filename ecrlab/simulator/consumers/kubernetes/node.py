"""The node: an EC2 instance that pulls with its role, and keeps what it pulled."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ecrlab.docker import platforms
from ecrlab.registry.world import World
from ecrlab.simulator.consumers import pulling

# UNSURE: the version; it is the client in CloudTrail.
AGENT = "containerd/2.1.5"


@dataclass(frozen=True, slots=True)
class Stored:
    """An image on the node: its name with the digest, its size, and its platform (`linux/amd64`)."""

    id: str
    size_in_bytes: int
    platform: str


@dataclass
class Node:
    """The node: an EC2 instance that pulls with its role, and keeps what it pulled."""

    world: World
    role_arn: Callable[[], str]
    name: str = "ip-10-0-1-23.ec2.internal"
    address: str = "10.0.1.23"
    instance_id: str = "i-0c1a5e7b9d2f43608"
    platform: str = pulling.PLATFORM
    images: dict[str, Stored] = field(default_factory=dict)

    def pull(self, name: str) -> Stored:
        """Pull an image by its full name, and keep it. Raises `CannotPull`."""
        caller = pulling.role_session(self.role_arn(), self.instance_id)
        pulled = pulling.pull(self.world, name, caller, platform=self.platform, agent=AGENT)
        image_id = f"{pulled.reference.repository}@{pulled.digest}"
        self.images[name] = Stored(image_id, pulled.size_in_bytes, pulled.platform)
        return self.images[name]

    def runs(self, image: Stored) -> bool:
        """Tell whether the node's processor runs the programs of an image."""
        return not image.platform or platforms.suits(image.platform, self.platform)
