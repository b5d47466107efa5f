"""A small kubectl for the lab's cluster of one node: pods and deployments that pull images, and run nothing.

    kubectl apply -f pod.yaml ──► manifests ──► the lab's own API ──► tables, descriptions, JSON, YAML

Commands and messages are Kubernetes's. It knows Pods, Deployments and Events in the namespace `default`, and talks only
to the lab that the environment names (ECRLAB_ENDPOINT), never to a cluster. It reads no kubeconfig. It runs as
`python -m ecrlab.kubectl`; `install` writes a script named `kubectl` into a directory of PATH.
"""

import shlex
import sys
from pathlib import Path

__all__ = ["install"]


def install(bin_directory: Path) -> Path:
    """Write the `kubectl` script into `bin_directory`, which must exist; it runs this command with this Python.

    Like the lab's docker it starts without site-packages, which take time; YAML, which needs them, adds them.
    """
    root = Path(__file__).resolve().parents[2]
    script = bin_directory / "kubectl"
    script.write_text(
        "#!/bin/sh\n"
        "# The kubectl of the lab: no cluster but the lab's. `kubectl version --client` says more.\n"
        f'PYTHONPATH={shlex.quote(str(root))} exec {shlex.quote(sys.executable)} -P -S -m ecrlab.kubectl "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o700)
    return script
