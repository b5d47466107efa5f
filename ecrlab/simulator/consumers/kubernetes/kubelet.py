"""The words of a Kubernetes node about images: the kubelet's events and states, and containerd's errors under them.

    Pulling ─► Pulled ─► Created ─► Started
       └─────► Failed: ErrImagePull ─► BackOff: ImagePullBackOff ─► Pulling …    10 s, 20 s, 40 s … 300 s later

Pure: values in, texts out. Sources: kubelet of Kubernetes 1.34 (pkg/kubelet/images/image_manager.go,
pkg/kubelet/events/event.go, kuberuntime), its CRI client (cri-client/pkg/remote_image.go), and containerd 2.1
(core/remotes/docker).
"""

import http
from dataclasses import dataclass
from datetime import timedelta

from ecrlab.docker import references
from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import Reference
from ecrlab.simulator.consumers.pulling import CannotPull, Kind

BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=10), timedelta(seconds=300)
"""How long the kubelet waits after the first failed pull of an image for a pod, and at most. It doubles each time."""

# UNSURE: 10 to 15 seconds on a real node, by chance; here 12, and the first look comes a second after a failure.
LOOK = timedelta(seconds=12)
"""How often the kubelet looks at a pod that waits."""

BYTES_PER_SECOND = 50_000_000
"""The lab's own speed of a pull, so that "Successfully pulled image … in 1.234s" is the same in every run."""

_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Event:
    """What the kubelet tells about a pod: a type (`Normal`, `Warning`), a reason and a message."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a container waits: `containerStatuses[].state.waiting`."""

    reason: str
    message: str


def pull_policy(image: str) -> str:
    """Return the `imagePullPolicy` of a container that names none.

    It is Always for the tag `latest` and for an image without tag and digest; see pkg/apis/core/v1/defaults.go.

    >>> pull_policy("my-app"), pull_policy("my-app:v1"), pull_policy(f"my-app@sha256:{'0' * 64}")
    ('Always', 'IfNotPresent', 'IfNotPresent')
    """
    try:
        return "Always" if references.parse(image).with_tag().tag == "latest" else "IfNotPresent"
    except DockerError:
        return "IfNotPresent"


def invalid_name(image: str) -> str:
    """Return the message about an image whose name is malformed; empty for a name.

    >>> print(invalid_name("https://my-app"))
    Failed to apply default image tag "https://my-app": couldn't parse image name "https://my-app": invalid reference
    format
    """
    try:
        references.parse(image)
    except DockerError as error:
        return f"Failed to apply default image tag {quoted(image)}: couldn't parse image name {quoted(image)}: {error}"
    return ""


def runtime_error(error: CannotPull) -> str:
    """Return containerd's error for a pull that failed, as the kubelet shows it.

    The kubelet keeps gRPC's code in front of the text, unless it is Unknown.
    """
    reference = error.reference
    assert reference is not None, "the kubelet does not pull an invalid name"
    name = full_name(reference)
    unpack = f'failed to pull and unpack image "{name}": '
    resolve = f'{unpack}failed to resolve reference "{name}": '
    not_found = "rpc error: code = NotFound desc = "
    manifest = f"/v2/{reference.path}/manifests/{reference.digest or reference.tag}"
    path = error.path or manifest
    address = f"https://{reference.domain}{path}"
    if error.kind == Kind.NO_PLATFORM:
        return f"{not_found}{unpack}no match for platform in manifest: not found"
    if error.kind == Kind.NOT_ECR:
        host = _HUB_HOST if reference.domain == references.HUB else reference.domain
        address = f"https://{host}{manifest}"
        # UNSURE: which error of the network a node without a way to that registry prints.
        return f'{resolve}failed to do request: Head "{address}": dial tcp: lookup {host}: no such host'
    if error.kind == Kind.NO_TOKEN:
        # The credential provider fails, and the kubelet pulls without credentials.
        return (
            f"{resolve}pull access denied, repository does not exist or may require authorization: "
            "authorization failed: no basic auth credentials"
        )
    if path != manifest:
        copy = f"{unpack}failed to copy: httpReadSeeker: failed open: "
        if error.status == 404:
            return f"{not_found}{copy}content at {address} not found: not found"
        return f"{copy}unexpected status code {address}: {_status(error.status)}"
    if error.status == 404:
        return f"{not_found}{resolve}{name}: not found"
    return f"{resolve}unexpected status from HEAD request to {address}: {_status(error.status)}"


def full_name(reference: Reference) -> str:
    """Return a reference as containerd writes it: with its host; a digest replaces the tag."""
    return (
        f"{reference.repository}@{reference.digest}" if reference.digest else f"{reference.repository}:{reference.tag}"
    )


def pulling(image: str) -> Event:
    """Return the event before a pull."""
    return Event("Normal", "Pulling", f"Pulling image {quoted(image)}")


def pulled(image: str, size_in_bytes: int, *, cached: bool) -> Event:
    """Return the event after a pull; a `cached` image is only compared with the registry's."""
    seconds = 0.15 + (0 if cached else size_in_bytes / BYTES_PER_SECOND)
    took = f"{round(seconds * 1000)}ms" if seconds < 1 else f"{round(seconds, 3):g}s"
    return Event(
        "Normal",
        "Pulled",
        f"Successfully pulled image {quoted(image)} in {took} ({took} including waiting). "
        f"Image size: {size_in_bytes} bytes.",
    )


def present(image: str) -> Event:
    """Return the event instead of a pull, for an image that the node has."""
    return Event("Normal", "Pulled", f"Container image {quoted(image)} already present on machine")


def failed(image: str, text: str) -> list[Event]:
    """Return the events of a failed pull; `text` is that of `runtime_error`."""
    return [Event("Warning", "Failed", f"Failed to pull image {quoted(image)}: {text}"), _error("ErrImagePull")]


def backing_off(image: str) -> list[Event]:
    """Return the events of a look at a container whose pull is not due yet."""
    return [Event("Normal", "BackOff", f"Back-off pulling image {quoted(image)}"), _error("ImagePullBackOff")]


def name_refused(message: str) -> list[Event]:
    """Return the events of a look at a container whose image has the malformed name of `invalid_name`."""
    return [Event("Warning", "InspectFailed", message), _error("InvalidImageName")]


def never_pulled(image: str) -> list[Event]:
    """Return the events of a look at a container that may not pull its absent image."""
    return [Event("Warning", "ErrImageNeverPull", not_present(image)), _error("ErrImageNeverPull")]


def not_present(image: str) -> str:
    """Return the message about an absent image with the policy Never."""
    return f"Container image {quoted(image)} is not present with pull policy of Never"


def secrets_missing(names: list[str]) -> Event:
    """Return the event about `imagePullSecrets` that do not exist; the pull goes on without them."""
    return Event(
        "Warning",
        "FailedToRetrieveImagePullSecret",
        f"Unable to retrieve some image pull secrets ({', '.join(names)}); "
        "attempting to pull the image may not succeed.",
    )


def started(container: str) -> list[Event]:
    """Return the events of a container that starts."""
    return [
        Event("Normal", "Created", f"Created container: {container}"),
        Event("Normal", "Started", f"Started container {container}"),
    ]


def pull_failed(text: str) -> Waiting:
    """Return the state of a container right after a failed pull."""
    return Waiting("ErrImagePull", text)


def pull_backed_off(image: str, text: str) -> Waiting:
    """Return the state of a container between two pulls."""
    return Waiting("ImagePullBackOff", f"Back-off pulling image {quoted(image)}: ErrImagePull: {text}")


def crashed(container: str, pod: str, uid: str, wait: timedelta) -> Waiting:
    """Return the state of a container between two starts of a program that ends at once."""
    told = "5m0s" if wait == LONGEST_BACK_OFF else _minutes(wait)
    return Waiting(
        "CrashLoopBackOff", f"back-off {told} restarting failed container={container} pod={pod}_default({uid})"
    )


def restart_backed_off(container: str, pod: str, uid: str) -> Event:
    """Return the event of a look at a container whose restart is not due yet."""
    return Event("Warning", "BackOff", f"Back-off restarting failed container {container} in pod {pod}_default({uid})")


def longer(wait: timedelta) -> timedelta:
    """Return the back-off after one that was in vain."""
    return min(wait * 2, LONGEST_BACK_OFF)


def looks(passed: timedelta) -> int:
    """Return how often the kubelet has looked at a pod since a failed pull: after a second, and then every `LOOK`.

    >>> [looks(timedelta(seconds=seconds)) for seconds in (0, 1, 12, 13, 299)]
    [0, 1, 1, 2, 25]
    """
    return (passed - timedelta(seconds=1)) // LOOK + 1 if passed >= timedelta(seconds=1) else 0


def quoted(text: str) -> str:
    """Return a text in double quotes, as Go's `%q` prints it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def _error(reason: str) -> Event:
    return Event("Warning", "Failed", f"Error: {reason}")


def _minutes(wait: timedelta) -> str:
    minutes, seconds = divmod(int(wait.total_seconds()), 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def _status(status: int) -> str:
    return f"{status} {http.HTTPStatus(status).phrase}"
