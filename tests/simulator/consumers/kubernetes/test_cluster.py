"""Pods and deployments: manifests, rolling updates, and what a night of the registry does to them."""

import copy
import re

import pytest

from ecrlab.simulator.consumers.kubernetes.objects import Refused
from tests.simulator.consumers.kubernetes.conftest import deployment, pod


def refused(call, *arguments, **more):
    with pytest.raises(Refused) as caught:
        call(*arguments, **more)
    return caught.value.reason, caught.value.message


def changed(manifest, path, value):
    """The manifest with another value at a dotted path; None takes it away."""
    manifest = copy.deepcopy(manifest)
    *parents, last = [int(one) if one.isdigit() else one for one in path.split(".")]
    place = manifest
    for one in parents:
        place = place[one]
    place[last] = value
    return manifest


@pytest.mark.parametrize(
    ("path", "value", "reason", "text"),
    [
        ("metadata.name", "Web", "Invalid", 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must'),
        ("metadata.name", "", "Invalid", "metadata.name: Required value: name or generateName is required"),
        ("metadata.namespace", "prod", "NotFound", 'namespaces "prod" not found'),
        ("metadata.labels", {"a": 1}, "BadRequest", "metadata.labels must be of type map[string]string"),
        ("kind", "Service", "", "the lab's kubectl knows v1 Pod and apps/v1 Deployment, and this is v1 Service"),
        ("spec.containers", [], "Invalid", 'Pod "web" is invalid: spec.containers: Required value'),
        ("spec.containers.0.image", "", "Invalid", "spec.containers[0].image: Required value"),
        (
            "spec.containers.0.image",
            " app",
            "Invalid",
            'Invalid value: " app": must not have leading or trailing white',
        ),
        ("spec.containers.0.image", 5, "BadRequest", "spec.containers[0].image must be of type string"),
        ("spec.containers.0.name", "a.b", "Invalid", 'name: Invalid value: "a.b": a lowercase RFC 1123 label must'),
        (
            "spec.containers.0.imagePullPolicy",
            "Sometimes",
            "Invalid",
            'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
        ),
        ("spec.containers.0.imagepullPolicy", "x", "BadRequest", 'unknown field "spec.containers[0].imagepullPolicy"'),
        ("spec.containers.0", "app", "BadRequest", "spec.containers[0] must be of type v1.Container"),
        ("spec.initContainers", [{"name": "a"}], "", "the lab's kubectl lacks initContainers"),
        (
            "spec.nodeSelector",
            {"kubernetes.io/arch": "arm64"},
            "",
            "the lab's only node is kubernetes.io/os=linux, kubernetes.io/arch=amd64, and the nodeSelector wants "
            "kubernetes.io/arch=arm64",
        ),
        ("spec.restartPolicy", "Never", "", "the lab's kubectl lacks the restartPolicy Never; it has Always"),
        ("spec.imagePullSecrets", ["a"], "BadRequest", "spec.imagePullSecrets must be of type"),
        ("spec", [], "BadRequest", "spec must be of type object"),
    ],
)
def test_a_bad_manifest_of_a_pod_is_refused_and_changes_nothing(kubernetes, world, path, value, reason, text):
    before = world.clock.now()
    found = refused(kubernetes.cluster.put, changed(pod("web", "app"), path, value), may_exist=True)
    assert (found[0], text in found[1]) == (reason, True), found[1]
    assert (kubernetes.cluster.pods(), world.clock.now()) == ([], before)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("spec.replicas", -1, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ("spec.replicas", 1000, "at most 100 replicas, got 1000"),
        ("spec.replicas", True, "spec.replicas must be of type int32"),
        ("spec.selector", {}, 'Deployment "web" is invalid: spec.selector: Required value'),
        ("spec.selector.matchLabels", {"a": "b"}, '{"app":"web"}: `selector` does not match template `labels`'),
        ("spec.strategy", {"type": "Recreate"}, "the lab's kubectl has the strategy RollingUpdate, without settings"),
        ("spec.progressDeadlineSeconds", 0, "spec.progressDeadlineSeconds must be of type int32"),
        ("spec.template.spec.containers", None, "spec.template.spec.containers: Required value"),
        ("spec.paused", True, 'unknown field "spec.paused"'),
    ],
)
def test_a_bad_manifest_of_a_deployment_is_refused(kubernetes, path, value, text):
    _, message = refused(kubernetes.cluster.put, changed(deployment("web", "app"), path, value), may_exist=True)
    assert text in message
    assert kubernetes.cluster.deployments() == []


def test_what_exists_is_created_once_and_applied_often(kubernetes, app, host):
    app.push(b"x", tag="v1")
    manifest = pod("web", f"{host}/app:v1")
    assert kubernetes.cluster.put(manifest, may_exist=True) == "created"
    assert kubernetes.cluster.put(manifest, may_exist=True) == "unchanged"
    assert refused(kubernetes.cluster.put, manifest, may_exist=False) == ("AlreadyExists", 'pods "web" already exists')
    other = changed(manifest, "spec.containers.0.imagePullPolicy", "Always")
    assert refused(kubernetes.cluster.put, other, may_exist=True)[0] == "Invalid"
    newest = changed(manifest, "spec.containers.0.image", f"{host}/app:latest")
    assert kubernetes.cluster.put(newest, may_exist=True) == "configured"
    [found] = kubernetes.cluster.pods()
    assert found["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"  # as it was
    assert kubernetes.state() == "ErrImagePull"
    assert ("Killing", "Container web definition changed, will be restarted", 1) in kubernetes.events()


def pods_of(kubernetes):
    """The states of the pods of each replica set."""
    found: dict[str, list[str]] = {}
    for name, state in kubernetes.states().items():
        found.setdefault(name.rpartition("-")[0], []).append(state)
    return found


def test_a_deployment_names_its_pods_as_kubernetes_does(kubernetes, app, host):
    app.push(b"x", tag="v1")
    kubernetes.cluster.put(deployment("web", f"{host}/app:v1", 3), may_exist=False)
    names = sorted(kubernetes.states())
    form = "web-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
    assert len(names) == 3 and all(re.fullmatch(form, name) for name in names)
    [set_name] = pods_of(kubernetes)
    assert kubernetes.events("web") == [("ScalingReplicaSet", f"Scaled up replica set {set_name} from 0 to 3", 1)]
    [first, *_] = kubernetes.cluster.pods()
    assert first["metadata"]["labels"] == {"app": "web", "pod-template-hash": set_name.removeprefix("web-")}


def test_a_version_that_cannot_be_pulled_leaves_the_old_one_running(kubernetes, world, app, host):
    app.push(b"x", tag="v1")
    kubernetes.cluster.put(deployment("web", f"{host}/app:v1", 4), may_exist=False)
    [old] = pods_of(kubernetes)
    assert kubernetes.cluster.set_images("deployments", "web", {"web": f"{host}/app:v2"})
    found = pods_of(kubernetes)
    [new] = found.keys() - {old}
    # A quarter more and a quarter fewer pods than wanted.
    assert found == {old: ["Running"] * 3, new: ["ErrImagePull"] * 2}
    world.clock.advance(seconds=601)
    [late] = kubernetes.cluster.deployments()
    assert late["status"]["conditions"][1]["reason"] == "ProgressDeadlineExceeded"
    app.push(b"y", tag="v2")
    world.clock.advance(seconds=300)
    assert pods_of(kubernetes) == {new: ["Running"] * 4}


def test_undoing_a_change_returns_to_the_replica_set_of_before(kubernetes, app, host):
    app.push(b"x", tag="v1")
    kubernetes.cluster.put(deployment("web", f"{host}/app:v1", 2), may_exist=False)
    before = sorted(kubernetes.states())
    kubernetes.cluster.set_images("deployments", "web", {"*": f"{host}/app:v2"})
    kubernetes.cluster.set_images("deployments", "web", {"web": f"{host}/app:v1"})
    assert sorted(kubernetes.states()) == before
    assert refused(kubernetes.cluster.set_images, "deployments", "web", {"nope": "x"})[1] == (
        'unable to find container named "nope"'
    )


def test_a_restart_pulls_a_moved_tag_only_with_the_policy_always(kubernetes, app, host):
    old = app.push(b"old", tag="v1")
    for name, policy in (("lazy", "IfNotPresent"), ("eager", "Always")):
        kubernetes.cluster.put(deployment(name, f"{host}/app:v1", imagePullPolicy=policy), may_exist=False)
    new = app.push(b"new", tag="v1")
    before = set(kubernetes.states())
    for name in ("lazy", "eager"):
        kubernetes.cluster.restart(name)
    assert before.isdisjoint(kubernetes.states())
    ids = {name.split("-")[0]: kubernetes.container(name)["imageID"].split("@")[1] for name in kubernetes.states()}
    assert ids == {"lazy": old, "eager": new}
    # Applying the manifest again does not undo the restart.
    again = deployment("lazy", f"{host}/app:v1", imagePullPolicy="IfNotPresent")
    assert kubernetes.cluster.put(again, may_exist=True) == "unchanged"


def test_a_deleted_pod_of_a_deployment_is_replaced(kubernetes, app, host):
    app.push(b"x", tag="v1")
    kubernetes.cluster.put(deployment("web", f"{host}/app:v1", 2), may_exist=False)
    gone, kept = sorted(kubernetes.states())
    kubernetes.cluster.delete("pods", gone)
    assert len(kubernetes.states()) == 2 and kept in kubernetes.states() and gone not in kubernetes.states()
    assert kubernetes.events(gone)[-1][:2] == ("Killing", "Stopping container web")
    kubernetes.cluster.delete("deployments", "web")
    assert kubernetes.states() == {}
    assert refused(kubernetes.cluster.delete, "pods", kept) == ("NotFound", f'pods "{kept}" not found')
    assert refused(kubernetes.cluster.restart, "web") == ("NotFound", 'deployments.apps "web" not found')
