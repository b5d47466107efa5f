"""The commands: what each asks of the lab, and what it prints."""

import re
from collections.abc import Iterable
from typing import Any

from ecrlab.docker.terminal import say, warn
from ecrlab.kubectl import describing, lab, manifests, tables
from ecrlab.kubectl.errors import KubectlError
from ecrlab.kubectl.options import Options
from ecrlab.kubectl.targets import SHOWN, Target, chosen, not_found, selected, targets_of

OF_MANIFESTS = {"Pod": "pods", "Deployment": "deployments"}

WHAT_IT_IS = (
    "This is the lab's own kubectl. It talks to the lab's cluster of one node, whose pods pull images and run nothing."
)


def run(options: Options, arguments: list[str]) -> None:
    """`kubectl run NAME --image=IMAGE`."""
    if len(arguments) != 1:
        raise KubectlError("NAME is required for run")
    if not options.value("image"):
        raise KubectlError('required flag(s) "image" not set')
    policy, labels = options.value("image-pull-policy"), options.values("labels")
    _create(options, manifests.pod(arguments[0], options.value("image"), policy=policy, labels=labels))


def create_deployment(options: Options, arguments: list[str]) -> None:
    """`kubectl create deployment NAME --image=IMAGE`."""
    if len(arguments) != 1:
        raise KubectlError(f"exactly one NAME is required, got {len(arguments)}")
    if not options.value("image"):
        raise KubectlError('required flag(s) "image" not set')
    replicas = options.value("replicas", "1")
    if not re.fullmatch("-?[0-9]{1,9}", replicas):
        raise KubectlError(f'invalid argument "{replicas}" for "-r, --replicas" flag: invalid syntax')
    _create(options, manifests.deployment(arguments[0], options.values("image"), int(replicas)))


def apply(options: Options, arguments: list[str]) -> None:
    """`kubectl apply -f FILE`."""
    if arguments:
        raise KubectlError(f"Unexpected args: [{' '.join(arguments)}]")
    if not options.value("filename"):
        raise KubectlError("must specify one of -f and -k")
    failed = []
    for manifest in [one for name in options.values("filename") for one in manifests.read(name)]:
        kind = _kind_of(manifest)
        try:
            outcome = lab.create(kind, manifest, may_exist=True)
            say(f"{SHOWN[kind]}/{manifests.named(manifest)} {outcome}")
        except KubectlError as error:
            failed.append(str(error))
    if failed:
        raise KubectlError("\n".join(failed), prefix="")


def get(options: Options, arguments: list[str]) -> None:
    """`kubectl get KIND [NAME]`."""
    if options.flag("watch"):
        raise KubectlError("the lab's kubectl does not watch: move the lab's clock, and ask again")
    output = options.value("output")
    if output not in ("", "wide", "name", "json", "yaml"):
        raise KubectlError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats are: '
            "json,name,wide,yaml"
        )
    namespace = options.value("namespace", "default")
    found: dict[str, list[dict[str, Any]]] = {}
    now = None
    targets = targets_of(arguments)
    for kind, name in targets:
        items, now = lab.items(kind)
        if namespace != "default" and not options.flag("all-namespaces"):
            items = []
        found.setdefault(kind, []).extend(chosen(items, kind, name, options))
    everything = [one for items in found.values() for one in items]
    if output in ("json", "yaml"):
        is_one = len(targets) == 1 and targets[0][1] is not None
        document = everything[0] if is_one else _list(everything)
        say(manifests.as_json(document) if output == "json" else manifests.as_yaml(document).rstrip("\n"))
        return
    if not everything:
        where = "" if options.flag("all-namespaces") else f" in {namespace} namespace"
        warn(f"No resources found{where}.")
        return
    if output == "name":
        say("\n".join(f"{SHOWN[kind]}/{one['metadata']['name']}" for kind, items in found.items() for one in items))
        return
    assert now is not None
    shown = []
    for kind, items in found.items():
        prefix = f"{SHOWN[kind]}/" if len(found) > 1 else ""
        lines = tables.table(kind, items, now, wide=output == "wide", prefix=prefix)
        if options.flag("show-labels"):
            labels = [tables.labels(one["metadata"].get("labels", {})) for one in items]
            lines = [[*line, label] for line, label in zip(lines, ["LABELS", *labels], strict=True)]
        if options.flag("all-namespaces"):
            lines = [[one, *line] for line, one in zip(lines, ["NAMESPACE", *["default"] * len(items)], strict=True)]
        lines = lines[1:] if options.flag("no-headers") else lines
        shown.append("\n".join(tables.columns(lines, padding=3, least=6)))
    say("\n\n".join(shown))


def describe(options: Options, arguments: list[str]) -> None:
    """`kubectl describe pod [NAME]`: a name also means the pods whose names begin with it."""
    targets = targets_of(arguments)
    _in_default(options)
    if any(kind != "pods" for kind, _ in targets):
        raise KubectlError("the lab's kubectl describes pods; kubectl get -o yaml shows the rest")
    pods, now = lab.items("pods")
    events, _ = lab.items("events")
    texts = []
    for _, name in targets:
        exact = [pod for pod in pods if pod["metadata"]["name"] == name]
        found = exact or [pod for pod in pods if pod["metadata"]["name"].startswith(name or "")]
        if name is not None and not found:
            raise not_found("pods", name)
        for pod in selected(found, options.value("selector")):
            about = [one for one in events if one["involvedObject"].get("uid") == pod["metadata"]["uid"]]
            texts.append(describing.describe_pod(pod, about, now))
    if not texts:
        warn("No resources found in default namespace.")
    else:
        say("\n\n\n".join(texts))


def delete(options: Options, arguments: list[str]) -> None:
    """`kubectl delete KIND NAME …`, or what a file describes."""
    _in_default(options)
    if names := options.values("filename"):
        found = [one for name in names for one in manifests.read(name)]
        targets: list[Target] = [(_kind_of(one), manifests.named(one)) for one in found]
    else:
        targets = targets_of(arguments)
        for kind, called in list(targets):
            if called is None:
                if not options.flag("all") and not options.value("selector"):
                    raise KubectlError("resource(s) were provided, but no name was specified")
                targets.remove((kind, called))
                items = selected(lab.items(kind)[0], options.value("selector"))
                targets += [(kind, one["metadata"]["name"]) for one in items]
    failed = []
    for kind, called in targets:
        try:
            if kind == "events":
                raise KubectlError("the lab's kubectl does not delete events")
            lab.change(kind, str(called), "delete")
            say(f'{SHOWN[kind]} "{called}" deleted')
        except KubectlError as error:
            if not (options.flag("ignore-not-found") and "(NotFound)" in str(error)):
                failed.append(str(error))
    if failed:
        raise KubectlError("\n".join(failed), prefix="")
    if not targets:
        warn("No resources found")


def set_image(options: Options, arguments: list[str]) -> None:
    """`kubectl set image KIND/NAME CONTAINER=IMAGE …`."""
    _in_default(options)
    images = [one for one in arguments if "=" in one]
    targets = targets_of([one for one in arguments if "=" not in one])
    if not images:
        raise KubectlError("at least one image update is required")
    for kind, name in targets:
        if name is None or kind == "events":
            raise KubectlError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        if lab.change(kind, name, "images", manifests.pairs(images)) == "updated":
            say(f"{SHOWN[kind]}/{name} image updated")


def rollout_restart(options: Options, arguments: list[str]) -> None:
    """`kubectl rollout restart deployment NAME`."""
    _in_default(options)
    for name in _deployments(arguments, "restart"):
        lab.change("deployments", name, "restart")
        say(f"deployment.apps/{name} restarted")


def rollout_status(options: Options, arguments: list[str]) -> None:
    """`kubectl rollout status deployment NAME`; it does not wait, because the lab's clock stands still."""
    _in_default(options)
    items, _ = lab.items("deployments")
    for name in _deployments(arguments, "status"):
        [deployment] = chosen(items, "deployments", name, Options())
        told, wanted = deployment["status"], deployment["spec"]["replicas"]
        if any(one.get("reason") == "ProgressDeadlineExceeded" for one in told["conditions"]):
            raise KubectlError(f'deployment "{name}" exceeded its progress deadline')
        left = ""
        if told["updatedReplicas"] < wanted:
            left = f"{told['updatedReplicas']} out of {wanted} new replicas have been updated"
        elif told["replicas"] > told["updatedReplicas"]:
            left = f"{told['replicas'] - told['updatedReplicas']} old replicas are pending termination"
        elif told["availableReplicas"] < told["updatedReplicas"]:
            left = f"{told['availableReplicas']} of {told['updatedReplicas']} updated replicas are available"
        if not left:
            say(f'deployment "{name}" successfully rolled out')
            continue
        say(f'Waiting for deployment "{name}" rollout to finish: {left}...')
        if options.value("watch", "true") != "false":
            raise KubectlError("the lab's kubectl does not wait: move the lab's clock, and ask again")


def version(options: Options, arguments: list[str]) -> None:
    """`kubectl version --client`."""
    from ecrlab import __version__

    del options, arguments
    say(f"Client Version: ecrlab {__version__}\n{WHAT_IT_IS}")


def _create(options: Options, manifest: dict[str, Any]) -> None:
    kind, name = OF_MANIFESTS[manifest["kind"]], manifest["metadata"]["name"]
    rehearsal = options.value("dry-run", "none")
    if rehearsal not in ("none", "client"):
        raise KubectlError(f'the lab\'s kubectl has --dry-run=client, got "{rehearsal}"')
    output = options.value("output")
    if output not in ("", "yaml", "json", "name"):
        raise KubectlError(f'unable to match a printer suitable for the output format "{output}"')
    if rehearsal == "none":
        _in_default(options)
        lab.create(kind, manifest)
    if output in ("yaml", "json"):
        say(manifests.as_json(manifest) if output == "json" else manifests.as_yaml(manifest).rstrip("\n"))
    elif output == "name":
        say(f"{SHOWN[kind]}/{name}")
    else:
        say(f"{SHOWN[kind]}/{name} created" + (" (dry run)" if rehearsal == "client" else ""))


def _kind_of(manifest: dict[str, Any]) -> str:
    kind, api = manifest["kind"], manifest["apiVersion"]
    if kind not in OF_MANIFESTS:
        raise KubectlError(
            f'resource mapping not found for kind "{kind}" in version "{api}": the lab\'s kubectl knows v1 Pod and '
            "apps/v1 Deployment"
        )
    return OF_MANIFESTS[kind]


def _deployments(arguments: list[str], verb: str) -> list[str]:
    """Return the names of deployments in a command of `rollout`."""
    targets = targets_of(arguments)
    if any(kind != "deployments" for kind, _ in targets):
        raise KubectlError(f"the lab's kubectl can {verb} the rollout of deployments")
    return (
        [one["metadata"]["name"] for one in lab.items("deployments")[0]]
        if targets[0][1] is None
        else [str(name) for _, name in targets]
    )


def _in_default(options: Options) -> None:
    if (namespace := options.value("namespace", "default")) != "default":
        raise KubectlError(f'namespaces "{namespace}" not found', prefix="Error from server (NotFound): ")


def _list(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {"resourceVersion": ""}}
