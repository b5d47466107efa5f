"""Manifests of pods and deployments: what the API server of Kubernetes accepts, with its defaults and its errors.

A field that has no meaning for images is kept and has no effect. What would change which images are pulled, and the lab
lacks, is rejected. Source of the texts: the API machinery of Kubernetes (pkg/apis/core/validation, util/validation).
"""

import copy
import re
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.simulator.consumers.kubernetes import kubelet

NODE_LABELS = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}

POLICIES = ("Always", "IfNotPresent", "Never")

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a pod template that `kubectl rollout restart` sets."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_NAME}')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)

_TOP = {"apiVersion", "kind", "metadata", "spec", "status"}
_POD_SPEC = {
    *("containers", "imagePullSecrets", "restartPolicy", "serviceAccountName", "serviceAccount", "nodeSelector"),
    *("tolerations", "affinity", "terminationGracePeriodSeconds", "volumes", "securityContext", "dnsPolicy"),
    *("hostNetwork", "automountServiceAccountToken", "priorityClassName", "topologySpreadConstraints"),
    *("schedulerName", "enableServiceLinks"),
}
_CONTAINER = {
    *("name", "image", "imagePullPolicy", "command", "args", "workingDir", "ports", "env", "envFrom", "resources"),
    *("volumeMounts", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "securityContext", "stdin"),
    *("stdinOnce", "tty", "terminationMessagePath", "terminationMessagePolicy"),
}
_DEPLOYMENT_SPEC = {
    *("replicas", "selector", "template", "strategy", "minReadySeconds", "revisionHistoryLimit"),
    "progressDeadlineSeconds",
}


class Refused(EcrLabError):
    """The API refuses a request. `reason` is its word (`NotFound`, `Invalid`), empty for an error of the lab's own."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def checked(sent: Any) -> dict[str, Any]:
    """Return a manifest of a Pod or Deployment with its defaults. Raises `Refused`."""
    if not isinstance(sent, dict):
        raise Refused("BadRequest", "the manifest is no object")
    manifest: dict[str, Any] = copy.deepcopy(sent)
    kind, version = str(manifest.get("kind")), manifest.get("apiVersion")
    if (version, kind) not in (("v1", "Pod"), ("apps/v1", "Deployment")):
        raise Refused(
            "", f"the lab's kubectl knows v1 Pod and apps/v1 Deployment, and this is {version or 'no version'} {kind}"
        )
    _known(kind, manifest, _TOP, "")
    metadata = _object(kind, manifest, "metadata", "metadata")
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        raise _invalid(kind, "", "metadata.name", "Required value: name or generateName is required")
    if not re.fullmatch(_NAME, name) or len(name) > 253:
        raise _invalid(kind, name, "metadata.name", f"Invalid value: {_shown(name)}: {_NAME_RULE}")
    if metadata.get("namespace", "default") != "default":
        raise Refused("NotFound", f"namespaces {_shown(metadata['namespace'])} not found")
    _texts(kind, metadata, "metadata")
    spec = _object(kind, manifest, "spec", "spec")
    manifest.pop("status", None)
    if kind == "Pod":
        _check_pod(kind, name, spec, "spec")
    else:
        _check_deployment(name, spec)
    return manifest


def kept_policies(manifest: Any, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a pod's checked manifest, as it was sent, with the pull policies that it does not name as they are.

    `kubectl apply` changes only what a manifest names: a policy that was IfNotPresent by default stays when the tag
    becomes `latest`.
    """
    policies = {one["name"]: one["imagePullPolicy"] for one in spec["containers"]}
    sent: dict[str, Any] = copy.deepcopy(manifest)
    for one in sent["spec"]["containers"]:
        if one["name"] in policies:
            one.setdefault("imagePullPolicy", policies[one["name"]])
    return sent


def merged(manifest: Any, live: dict[str, Any]) -> dict[str, Any]:
    """Return a deployment's checked manifest, as it was sent, with what it does not name as it is.

    That is the pull policies, the number of replicas, and when `kubectl rollout restart` was called.
    """
    sent: dict[str, Any] = copy.deepcopy(manifest)
    was = live["spec"]["template"]
    sent["spec"].setdefault("replicas", live["spec"]["replicas"])
    template = sent["spec"]["template"] = kept_policies(sent["spec"]["template"], was["spec"])
    if restarted := was["metadata"].get("annotations", {}).get(RESTARTED_AT):
        metadata = template["metadata"]
        metadata["annotations"] = {RESTARTED_AT: restarted} | (metadata.get("annotations") or {})
    return sent


def _check_deployment(name: str, spec: dict[str, Any]) -> None:
    _known("Deployment", spec, _DEPLOYMENT_SPEC, "spec.")
    replicas = spec.setdefault("replicas", 1)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise _not_a("Deployment", "spec.replicas", "int32")
    if replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise _invalid("Deployment", name, "spec.replicas", text)
    if replicas > 100:
        raise Refused("", f"the lab's cluster has one node, which runs at most 100 replicas, got {replicas}")
    deadline = spec.setdefault("progressDeadlineSeconds", 600)
    if not isinstance(deadline, int) or isinstance(deadline, bool) or deadline < 1:
        raise _not_a("Deployment", "spec.progressDeadlineSeconds", "int32")
    if spec.setdefault("strategy", {"type": "RollingUpdate"}) != {"type": "RollingUpdate"}:
        raise Refused("", "the lab's kubectl has the strategy RollingUpdate, without settings of its own")
    template = _object("Deployment", spec, "template", "spec.template")
    metadata = _object("Deployment", template, "metadata", "spec.template.metadata")
    _texts("Deployment", metadata, "spec.template.metadata")
    selector = _object("Deployment", spec, "selector", "spec.selector")
    wanted = selector.get("matchLabels")
    if "matchExpressions" in selector:
        raise Refused("", "the lab's kubectl lacks selector.matchExpressions; it has matchLabels")
    if not isinstance(wanted, dict) or not wanted:
        raise _invalid("Deployment", name, "spec.selector", "Required value")
    labels = metadata.get("labels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        shown = "{" + ",".join(f'"{key}":"{value}"' for key, value in sorted(labels.items())) + "}"
        text = f"Invalid value: {shown}: `selector` does not match template `labels`"
        raise _invalid("Deployment", name, "spec.template.metadata.labels", text)
    _check_pod("Deployment", name, _object("Deployment", template, "spec", "spec.template.spec"), "spec.template.spec")


def _check_pod(kind: str, name: str, spec: dict[str, Any], where: str) -> None:
    for lacking in ("initContainers", "ephemeralContainers", "affinity"):
        if spec.get(lacking):
            raise Refused("", f"the lab's kubectl lacks {lacking}")
    if "nodeSelector" in spec:
        _object(kind, spec, "nodeSelector", f"{where}.nodeSelector")
    for label in spec.get("nodeSelector", {}).items():
        if label not in NODE_LABELS.items():
            told = ", ".join(f"{key}={value}" for key, value in NODE_LABELS.items())
            raise Refused("", f"the lab's only node is {told}, and the nodeSelector wants {label[0]}={label[1]}")
    _known(kind, spec, _POD_SPEC, f"{where}.")
    if spec.setdefault("restartPolicy", "Always") != "Always":
        raise Refused("", f"the lab's kubectl lacks the restartPolicy {spec['restartPolicy']}; it has Always")
    containers = spec.get("containers")
    if not isinstance(containers, list) or not containers:
        raise _invalid(kind, name, f"{where}.containers", "Required value")
    secrets = spec.get("imagePullSecrets", [])
    if not isinstance(secrets, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in secrets
    ):
        raise _not_a(kind, f"{where}.imagePullSecrets", "[]v1.LocalObjectReference")
    seen: set[str] = set()
    for number, container in enumerate(containers):
        _check_container(kind, name, container, f"{where}.containers[{number}]", seen)


def _check_container(kind: str, name: str, container: Any, where: str, seen: set[str]) -> None:
    if not isinstance(container, dict):
        raise _not_a(kind, where, "v1.Container")
    _known(kind, container, _CONTAINER, f"{where}.")
    for key in ("name", "image", "imagePullPolicy"):
        if key in container and not isinstance(container[key], str):
            raise _not_a(kind, f"{where}.{key}", "string")
    called, image = container.get("name", ""), container.get("image", "")
    if not called:
        raise _invalid(kind, name, f"{where}.name", "Required value")
    if not re.fullmatch(_LABEL, called) or len(called) > 63:
        raise _invalid(kind, name, f"{where}.name", f"Invalid value: {_shown(called)}: {_LABEL_RULE}")
    if called in seen:
        raise _invalid(kind, name, f"{where}.name", f"Duplicate value: {_shown(called)}")
    seen.add(called)
    check_image(kind, name, image, f"{where}.image")
    policy = container.setdefault("imagePullPolicy", kubelet.pull_policy(image))
    if policy not in POLICIES:
        supported = ", ".join(_shown(one) for one in POLICIES)
        text = f"Unsupported value: {_shown(policy)}: supported values: {supported}"
        raise _invalid(kind, name, f"{where}.imagePullPolicy", text)


def check_image(kind: str, name: str, image: str, where: str) -> None:
    """Check what the API checks of an image's name; the kubelet checks the rest. Raises `Refused`."""
    if not image:
        raise _invalid(kind, name, where, "Required value")
    if image != image.strip():
        text = f"Invalid value: {_shown(image)}: must not have leading or trailing whitespace"
        raise _invalid(kind, name, where, text)


def _object(kind: str, parent: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = parent.setdefault(key, {})
    if not isinstance(value, dict):
        raise _not_a(kind, where, "object")
    return value


def _texts(kind: str, metadata: dict[str, Any], where: str) -> None:
    for key in ("labels", "annotations"):
        value = metadata.get(key)
        if value is None:
            metadata.pop(key, None)
        elif not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
            raise _not_a(kind, f"{where}.{key}", "map[string]string")


def _known(kind: str, value: dict[str, Any], known: set[str], where: str) -> None:
    """Refuse a field that Kubernetes does not have there, as it refuses one with a typing mistake."""
    for key in value:
        if key not in known:
            raise Refused(
                "BadRequest",
                f'{kind} in version "{"v1" if kind == "Pod" else "apps/v1"}" cannot be handled as a {kind}: '
                f"strict decoding error: unknown field {_shown(f'{where}{key}')}",
            )


def _not_a(kind: str, where: str, wanted: str) -> Refused:
    # UNSURE: the text; the API's names Go types and repeats the whole value.
    return Refused("BadRequest", f"{kind} cannot be handled as a {kind}: {where} must be of type {wanted}")


def _invalid(kind: str, name: str, where: str, text: str) -> Refused:
    return Refused("Invalid", f'{kind} "{name}" is invalid: {where}: {text}')


def _shown(text: object) -> str:
    return kubelet.quoted(str(text))
