"""What a pod says about its image: the words of kubelet and containerd, the pull policies, and the back-off."""

import json
from datetime import timedelta

import pytest

from ecrlab.registry import trail
from ecrlab.simulator.consumers.kubernetes import kubelet
from ecrlab.simulator.consumers.kubernetes.cluster import Cluster
from tests.simulator.accounts import ABROAD, HOME, document
from tests.simulator.client import OCI_INDEX, OCI_MANIFEST, Repository, digest_of
from tests.simulator.consumers.kubernetes.conftest import Kubernetes, pod

AMD = b'{"os": "linux", "architecture": "amd64"}'
ARM = b'{"os": "linux", "architecture": "arm64"}'


def unpack(ref: str) -> str:
    return f'failed to pull and unpack image "{ref}": '


def resolve(ref: str) -> str:
    return unpack(ref) + f'failed to resolve reference "{ref}": '


NOT_FOUND = "rpc error: code = NotFound desc = "


@pytest.mark.parametrize("name", ["app:none", "nope:v1", f"app@{digest_of(b'nothing')}"])
def test_what_does_not_exist_is_not_found(kubernetes, app, host, name):
    # A real sample of the first: kubernetes-sigs and containerd issue trackers, `… v9: not found`.
    ref = f"{host}/{name}"
    assert kubernetes.run(ref)["state"]["waiting"] == {
        "reason": "ErrImagePull",
        "message": f"{NOT_FOUND}{resolve(ref)}{ref}: not found",
    }


def role_of(kubernetes, world, home, *actions):
    """Let the node pull with a new role."""
    role = home.role(*(document(action, Resource="*") for action in actions))
    return Kubernetes(Cluster(world, lambda: role))


def test_a_node_that_gets_no_token_has_no_credentials(kubernetes, world, home, host):
    node = role_of(kubernetes, world, home, "ecr:BatchGetImage")
    text = "pull access denied, repository does not exist or may require authorization: authorization failed: "
    message = node.run(f"{host}/app:v1")["state"]["waiting"]["message"]
    assert message == resolve(f"{host}/app:v1") + text + "no basic auth credentials"


def test_a_node_that_may_not_read_the_manifest_is_forbidden(kubernetes, world, home, host):
    node = role_of(kubernetes, world, home, "ecr:GetAuthorizationToken")
    address = f"https://{host}/v2/app/manifests/v1"
    message = node.run(f"{host}/app:v1")["state"]["waiting"]["message"]
    assert message == f"{resolve(f'{host}/app:v1')}unexpected status from HEAD request to {address}: 403 Forbidden"


def test_a_node_that_may_not_read_layers_fails_to_copy(kubernetes, world, home, host):
    Repository(home.ecr, "app").push(b"x", tag="v1")
    node = role_of(kubernetes, world, home, "ecr:GetAuthorizationToken", "ecr:BatchGetImage")
    address = f"https://{host}/v2/app/blobs/{digest_of(b'x')}"
    copy = "failed to copy: httpReadSeeker: failed open: unexpected status code"
    message = node.run(f"{host}/app:v1")["state"]["waiting"]["message"]
    assert message == f"{unpack(f'{host}/app:v1')}{copy} {address}: 403 Forbidden"


def test_the_registry_of_another_account_must_allow_the_node(kubernetes, abroad, region):
    host = f"{ABROAD}.dkr.ecr.{region}.amazonaws.com"
    abroad.ecr.create_repository(repositoryName="app")
    kubernetes.run(f"{host}/app:v1")
    [_, _, failed, *_] = kubernetes.events()
    address = f"https://{host}/v2/app/manifests/v1"
    assert failed[:2] == (
        "Failed",
        f'Failed to pull image "{host}/app:v1": {resolve(f"{host}/app:v1")}'
        f"unexpected status from HEAD request to {address}: 403 Forbidden",
    )


def test_an_archived_image_is_not_found(kubernetes, app, host):
    app.push(b"x", tag="v1")
    app.update_image_storage_class(imageId={"imageTag": "v1"}, targetStorageClass="ARCHIVE")
    assert kubernetes.run(f"{host}/app:v1")["state"]["waiting"]["message"].endswith("/app:v1: not found")


def test_images_of_the_public_gallery_need_no_permission(world, kubernetes):
    node = Kubernetes(Cluster(world, lambda: f"arn:aws:iam::{HOME}:role/nobody"))
    alpine = "public.ecr.aws/docker/library/alpine"
    assert node.run(f"{alpine}:3.22.6")["imageID"].startswith(f"{alpine}@sha256:")
    assert node.run(f"{alpine}:9", "none")["state"]["waiting"]["message"].endswith(f"{alpine}:9: not found")


def test_another_registry_is_out_of_reach(kubernetes):
    address = "https://registry-1.docker.io/v2/library/nginx/manifests/1.29"
    assert kubernetes.run("nginx:1.29")["state"]["waiting"]["message"] == (
        f'{resolve("docker.io/library/nginx:1.29")}failed to do request: Head "{address}": '
        "dial tcp: lookup registry-1.docker.io: no such host"
    )


def test_an_index_without_the_platform_has_no_match(kubernetes, app, host):
    arm = {"mediaType": OCI_MANIFEST, "digest": app.push(b"x", config=ARM), "size": 1}
    arm["platform"] = {"os": "linux", "architecture": "arm64"}
    app.put(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [arm]}), "v1")
    message = kubernetes.run(f"{host}/app:v1")["state"]["waiting"]["message"]
    assert message == f"{NOT_FOUND}{unpack(f'{host}/app:v1')}no match for platform in manifest: not found"


def test_a_pod_is_pulled_started_and_told_by_its_digest(kubernetes, app, host):
    digest = app.push(b"x" * 2_500_000, tag="v1", config=AMD)
    status = kubernetes.run(f"{host}/app:v1")
    assert (status["imageID"], status["ready"], [*status["state"]]) == (f"{host}/app@{digest}", True, ["running"])
    # The form of a real `kubectl describe`: "Successfully pulled image … in 1.893s (1.893s including waiting). Image …"
    assert kubernetes.events() == [
        ("Scheduled", "Successfully assigned default/web to ip-10-0-1-23.ec2.internal", 1),
        ("Pulling", f'Pulling image "{host}/app:v1"', 1),
        (
            "Pulled",
            f'Successfully pulled image "{host}/app:v1" in 200ms (200ms including waiting). Image size: 2500040 bytes.',
            1,
        ),
        ("Created", "Created container: web", 1),
        ("Started", "Started container web", 1),
    ]


def test_failed_pulls_back_off_from_ten_seconds_to_five_minutes(kubernetes, world, app, host):
    ref = f"{host}/app:none"
    text = kubernetes.run(ref)["state"]["waiting"]["message"]
    world.clock.advance(seconds=1)
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{ref}": ErrImagePull: {text}'}
    assert kubernetes.container()["state"]["waiting"] == waiting
    pulls = []
    for seconds in (8, 1, 20, 40, 80, 160, 300, 300):  # on the whole after 9, 10, 30, 70, 150, 310, 610 and 910 s
        world.clock.advance(seconds=seconds)
        pulls.append(kubernetes.events()[1][2])
    assert pulls == [1, 2, 3, 4, 5, 6, 7, 8]
    assert kubernetes.state() == "ErrImagePull"
    assert [(reason, message) for reason, message, _ in kubernetes.events()] == [
        ("Scheduled", "Successfully assigned default/web to ip-10-0-1-23.ec2.internal"),
        ("Pulling", f'Pulling image "{ref}"'),
        ("Failed", f'Failed to pull image "{ref}": {text}'),
        ("Failed", "Error: ErrImagePull"),
        ("BackOff", f'Back-off pulling image "{ref}"'),
        ("Failed", "Error: ImagePullBackOff"),
    ]


@pytest.mark.parametrize("image", ["{host}/app:none", "{host}/app:arm", "My-App"])
def test_a_pod_that_is_looked_at_once_is_as_if_somebody_had_watched_it(kubernetes, world, app, host, image):
    app.push(b"x", tag="arm", config=ARM)
    watched = Kubernetes(Cluster(world, kubernetes.cluster._node.role_arn))
    watched.run(image.format(host=host))
    kubernetes.run(image.format(host=host))
    for seconds in [1, 9, 9, 12, 35, 70, 300, 0.5, 1799.5, 10, 1]:
        world.clock.advance(seconds=seconds)
        watched.events()
    seen, told = watched.cluster.events(), kubernetes.cluster.events()
    assert [one["message"] for one in seen][1:] == [one["message"] for one in told][1:] != []
    # One of the pods is a second older.
    assert all(abs(one["count"] - other["count"]) <= 1 for one, other in zip(seen, told, strict=True))
    assert abs(watched.container()["restartCount"] - kubernetes.container()["restartCount"]) <= 1


def test_a_year_of_back_off_is_counted_at_once(kubernetes, world, app, host):
    kubernetes.run(f"{host}/app:none")
    world.clock.advance(days=365)
    pulls = kubernetes.events()[0]
    assert pulls[0] == "Pulling"  # the event of the scheduler is forgotten after an hour
    assert pulls[2] == 1 + 5 + (365 * 86400 - 310) // 300


def test_a_retry_finds_what_was_pushed_meanwhile(kubernetes, world, app, host):
    created = kubernetes.run(f"{host}/app:v1")
    assert created["ready"] is False
    app.push(b"x", tag="v1")
    assert kubernetes.state() == "ImagePullBackOff"
    begun = world.clock.now()
    world.clock.advance(minutes=30)
    assert kubernetes.state() == "Running"
    started = kubernetes.container()["state"]["running"]["startedAt"]
    assert started < (begun + timedelta(seconds=10)).isoformat()


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("host:5000/app", "Always"),
        ("app:v1", "IfNotPresent"),
        (f"app@{digest_of(b'')}", "IfNotPresent"),
        (f"app:latest@{digest_of(b'')}", "Always"),
        ("APP:latest", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag_when_none_is_named(image, policy):
    assert kubelet.pull_policy(image) == policy


def test_a_moved_tag_reaches_only_pods_that_always_pull(kubernetes, app, host):
    old = app.push(b"old", tag="v1")
    assert kubernetes.run(f"{host}/app:v1", "a")["imageID"].endswith(old)
    new = app.push(b"new", tag="v1")
    assert kubernetes.run(f"{host}/app:v1", "b")["imageID"].endswith(old)
    assert kubernetes.run(f"{host}/app:v1", "c", imagePullPolicy="Always")["imageID"].endswith(new)
    assert kubernetes.container("a")["imageID"].endswith(old)  # it runs on
    assert kubernetes.events("b")[1] == ("Pulled", f'Container image "{host}/app:v1" already present on machine', 1)


def test_a_deleted_image_runs_on_until_a_pod_must_pull_it(kubernetes, app, host):
    app.push(b"x", tag="v1")
    kubernetes.run(f"{host}/app:v1", "a")
    app.batch_delete_image(imageIds=[{"imageTag": "v1"}])
    kubernetes.run(f"{host}/app:v1", "b")
    kubernetes.run(f"{host}/app:v1", "c", imagePullPolicy="Always")
    assert kubernetes.states() == {"a": "Running", "b": "Running", "c": "ErrImagePull"}


def test_an_absent_image_is_never_pulled_with_the_policy_never(kubernetes, world, app, host):
    app.push(b"x", tag="v1")
    text = f'Container image "{host}/app:v1" is not present with pull policy of Never'
    status = kubernetes.run(f"{host}/app:v1", imagePullPolicy="Never")
    assert status["state"]["waiting"] == {"reason": "ErrImageNeverPull", "message": text}
    world.clock.advance(seconds=24)
    assert kubernetes.events()[1:] == [("ErrImageNeverPull", text, 3), ("Failed", "Error: ErrImageNeverPull", 3)]
    kubernetes.run(f"{host}/app:v1", "other")  # brings it to the node
    world.clock.advance(seconds=12)
    assert kubernetes.state() == "Running"


@pytest.mark.parametrize(
    ("image", "why"),
    [
        # Real samples: "DUMMY_IMAGE:TEST" and "registry.hub.docker.com/library//nginx:latest".
        ("My-App:v1", "invalid reference format: repository name (library/My-App) must be lowercase"),
        ("registry.hub.docker.com/library//nginx:latest", "invalid reference format"),
        ("https://123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1", "invalid reference format"),
    ],
)
def test_a_malformed_name_is_refused_by_the_kubelet(kubernetes, world, image, why):
    text = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'
    assert kubernetes.run(image)["state"]["waiting"] == {"reason": "InvalidImageName", "message": text}
    world.clock.advance(seconds=12)
    assert kubernetes.events()[1:] == [("InspectFailed", text, 2), ("Failed", "Error: InvalidImageName", 2)]


def test_missing_pull_secrets_are_told_and_the_node_pulls_with_its_role(kubernetes, app, host):
    app.push(b"x", tag="v1")
    manifest = pod("web", f"{host}/app:v1")
    manifest["spec"]["imagePullSecrets"] = [{"name": "regcred"}]
    kubernetes.cluster.put(manifest, may_exist=False)
    # Kubernetes documentation, "Pull an Image from a Private Registry".
    text = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed."
    assert kubernetes.events()[1] == ("FailedToRetrieveImagePullSecret", text, 1)
    assert kubernetes.state() == "Running"


def test_an_image_for_another_processor_is_pulled_and_crashes(kubernetes, world, app, host):
    app.push(b"x", tag="v1", config=ARM)
    status = kubernetes.run(f"{host}/app:v1", imagePullPolicy="Always")
    assert status["state"]["terminated"]["exitCode"] == 255
    world.clock.advance(seconds=3)
    status = kubernetes.container()
    assert status["restartCount"] == 1
    [uid] = [one["metadata"]["uid"] for one in kubernetes.cluster.pods()]
    assert status["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 10s restarting failed container=web pod=web_default({uid})",
    }
    world.clock.advance(seconds=8 + 20 + 40)
    assert kubernetes.container()["restartCount"] == 4
    fixed = app.push(b"x", tag="v1", config=AMD)
    world.clock.advance(seconds=80)
    status = kubernetes.container()
    assert (status["imageID"], status["restartCount"], status["ready"]) == (f"{host}/app@{fixed}", 5, True)
    assert status["lastState"]["terminated"]["reason"] == "Error"


def test_the_trail_names_the_node_as_the_puller(kubernetes, world, app, host, region):
    app.push(b"x", tag="v1")
    kubernetes.run(f"{host}/app:v1")
    told = trail.of(world.registry(HOME, region), "app", "GetDownloadUrlForLayer")[0]
    assert told["userIdentity"]["arn"] == f"arn:aws:sts::{HOME}:assumed-role/AmazonEKSNodeRole/i-0c1a5e7b9d2f43608"
    assert told["userAgent"].startswith("containerd/")
