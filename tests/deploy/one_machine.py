"""A class on a hub: the configuration of `deploy/`, real users, their browsers' requests, and what became of them.

    unshare --mount --net --pid --fork --kill-child --mount-proc python -m tests.deploy.one_machine 3   (ALONE, below)

Run as root in namespaces of its own, it hides the machine's users, homes and ports behind others, starts the hub, lets
everybody log in at once and work in a lab, and prints what it saw as JSON.
"""

import concurrent.futures
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import websocket

from ecrlab.machine.requirements import CHECKOUT

HUB = "http://127.0.0.1:8000"
ALONE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
FIRST_UID = 61001
STATE = Path("/var/lib/ecrlab-hub")
PLANNED_MIB = 512
"""The memory of a learner at work that deploy/README.md counts with."""

NEW_USER = "useradd --create-home --key HOME_MODE=0700 --groups learners --shell /bin/bash {name}"
PASSWORD = "open sesame"  # of users that exist only in here

AT_WORK = """
import json, os, subprocess
import ecrlab
from ecrlab.machine import running
lab = ecrlab.start()
ecr = lab.client("ecr")
ecr.create_repository(repositoryName=os.environ["JUPYTERHUB_USER"])
print(json.dumps({
    "uid": os.getuid(),
    "folder": os.getcwd(),
    "lessons": sorted(name for name in os.listdir() if name.endswith(".ipynb")),
    "repositories": [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]],
    "cli": subprocess.check_output(
        "aws ecr describe-repositories --query repositories[].repositoryName --output text", shell=True, text=True
    ).strip(),
    "labs": [one.endpoint for one in running.find()] == [lab.endpoint],
}))
"""

TOO_MUCH = """
import json, os, signal, threading
seen = {}
try:
    bytearray(3 * 1024**3)
except MemoryError:
    seen["memory"] = "refused"
go, threads = threading.Event(), []
try:
    while len(threads) < 1000:
        threads.append(threading.Thread(target=go.wait))
        threads[-1].start()
except RuntimeError:
    seen["threads"] = "refused"
go.set()
for folder in OTHERS:
    try:
        os.listdir(folder)
    except PermissionError:
        seen[folder] = "refused"
try:
    os.kill(OTHER, signal.SIGKILL)
except PermissionError:
    seen["kill"] = "refused"
print(json.dumps(seen))
"""


class Learner:
    """A browser, logged in at the hub."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.browser = requests.Session()
        self.server = f"{HUB}/user/{name}"
        self.kernel = ""

    def log_in(self, password: str = PASSWORD) -> str:
        """Fill in the form, and return the address that the hub leads to."""
        self.browser.get(f"{HUB}/hub/login")
        [token] = {cookie.value for cookie in self.browser.cookies if cookie.name == "_xsrf"}
        form = {"username": self.name, "password": password, "_xsrf": token}
        return self.browser.post(f"{HUB}/hub/login", data=form).url

    def await_server(self) -> str:
        """Wait for the server, and return the page that it opens."""
        # The hub starts a few servers at a time, and asks the others to come again.
        _until(lambda: self.browser.get(f"{HUB}/hub/spawn").status_code != 429, f"a place for {self.name}")
        return _until(self._page, f"the server of {self.name}")

    def _page(self) -> str | None:
        answer = self.browser.get(self.server)
        # While the proxy does not know a new server yet, the hub sends the browser there with `?redirects=1`.
        page = answer.url.partition("?")[0]
        return page if answer.ok and page.startswith(f"{self.server}/") else None

    def run(self, code: str) -> str:
        """Run a cell in the learner's kernel, and return what it printed; its error is raised."""
        if not self.kernel:
            [token] = {
                one.value for one in self.browser.cookies if one.name == "_xsrf" and one.path.startswith("/user/")
            }
            started = self.browser.post(f"{self.server}/api/kernels", headers={"X-XSRFToken": token}, json={})
            started.raise_for_status()
            self.kernel = started.json()["id"]
        wire = websocket.create_connection(
            f"{self.server}/api/kernels/{self.kernel}/channels?session_id=1".replace("http", "ws", 1),
            cookie="; ".join(f"{one.name}={one.value}" for one in self.browser.cookies),
            origin=HUB,
            timeout=300,
        )
        with contextlib.closing(wire):
            header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "1", "version": "5.3"}
            content = {"code": code, "silent": False, "allow_stdin": False}
            request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
            wire.send(json.dumps(request))
            printed = ""
            while True:
                message = json.loads(wire.recv())
                if message["parent_header"].get("msg_id") != header["msg_id"]:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "stream":
                    printed += content["text"]
                elif kind == "error":
                    raise RuntimeError("\n".join(content["traceback"]))
                elif kind == "status" and content["execution_state"] == "idle":
                    return printed

    def take(self, lesson: str) -> None:
        """Run the cells of a lesson; some fail on purpose."""
        cells = json.loads((CHECKOUT / "notebooks" / f"{lesson}.ipynb").read_text())["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                with contextlib.suppress(RuntimeError):
                    self.run("".join(cell["source"]))


def make_machine(names: list[str]) -> None:
    """Hide the users, homes and ports of this machine behind others; in the namespaces of this process only."""
    targets = list(dict.fromkeys(map(os.path.realpath, (CHECKOUT, sys.prefix, sys.base_prefix, shutil.which("node")))))
    lines = ["set -e", "mount --make-rprivate /", "ip link set lo up", "mount -t tmpfs -o mode=755 stash /mnt"]
    # Others may not enter root's home or a folder of mktemp: an empty folder in its place shows only what they need.
    hidden = {folder for target in targets if (folder := _closed(Path(target)))}
    shown = {at: f"/mnt/{number}" for number, at in enumerate(targets) if _closed(Path(at))}
    for at, stash in shown.items():
        make = "mkdir" if Path(at).is_dir() else "touch"
        lines += [f"{make} {stash}", f"mount --bind {shlex.quote(at)} {stash}"]
    lines += ["mkdir /mnt/etc", "cp -a /etc/. /mnt/etc/", "mount --bind /mnt/etc /etc"]
    lines += [f"mount -t tmpfs -o mode=755 hidden {shlex.quote(str(at))}" for at in ("/home", "/var/lib", *hidden)]
    for at, stash in shown.items():
        lines += [f"mkdir -p {shlex.quote(at)}", f"mount --bind {stash} {shlex.quote(at)}"]
    lines.append("groupadd learners")
    for number, name in enumerate(names):
        lines.append(f"{NEW_USER.format(name=name)} --uid {FIRST_UID + number} 2>&1")
        lines.append(f"echo '{name}:{PASSWORD}' | chpasswd")
    lines += ["useradd -m -u 61000 visitor 2>&1", f"echo 'visitor:{PASSWORD}' | chpasswd"]
    subprocess.run(["sh", "-c", "\n".join(lines)], stdout=subprocess.DEVNULL, check=True)


def _closed(path: Path) -> Path | None:
    """Return the first folder above `path` that others may not enter."""
    above = reversed(path.parents)
    return next((folder for folder in above if not folder.stat().st_mode & 0o001), None)


@contextlib.contextmanager
def hub(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the hub as its administrator does."""
    command = [sys.executable, "-m", "jupyterhub", "--config", str(CHECKOUT / "deploy" / "jupyterhub_config.py")]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd="/", stdout=file, stderr=file)
    try:
        _until(lambda: _answers(process), "the hub")
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _answers(process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError("the hub ended")
    try:
        return requests.get(f"{HUB}/hub/health").ok
    except requests.ConnectionError:
        return False


def _until(answer: Any, what: str, seconds: float = 200) -> Any:
    end = time.monotonic() + seconds
    while not (got := answer()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} is not there after {seconds:.0f} s")
        time.sleep(0.25)
    return got


def processes(uid: int) -> list[Path]:
    """Return the folders in /proc of a user's processes, but this one; those that ended have no command any more."""
    found = []
    for folder in set(Path("/proc").glob("[0-9]*")) - {Path("/proc", str(os.getpid()))}:
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == uid and (folder / "cmdline").read_bytes():
                found.append(folder)
    return found


def memory(uid: int) -> int:
    """Return the proportional memory (PSS) of a user's processes, in MiB."""
    total = 0
    for folder in processes(uid):
        with contextlib.suppress(OSError):
            total += int(re.search(r"^Pss:\s+(\d+) kB", (folder / "smaps_rollup").read_text(), re.MULTILINE)[1])
    return total // 1024


def cull(uids: list[int]) -> None:
    """End all servers with the token of the hub's own culler, as if their half hour had passed."""
    [service] = [
        folder
        for folder in processes(0)
        if b"jupyterhub_idle_culler" in (folder / "cmdline").read_bytes().replace(b"\0", b" ")
    ]
    told = dict(one.split("=", 1) for one in (service / "environ").read_text().split("\0") if "=" in one)
    command = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"]
    culler = subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: not any(map(processes, uids)), "the end of all servers", 120)
    finally:
        culler.terminate()
        culler.wait()


def main(count: int, lesson: str = "") -> dict[str, Any]:
    """Hold a class of `count` learners, who may run a whole lesson, and return what was seen."""
    names = [f"learner{number}" for number in range(1, count + 1)]
    uids = [FIRST_UID + number for number in range(count)]
    make_machine(names)
    learners = [Learner(name) for name in names]
    seen: dict[str, Any] = {}
    with tempfile.NamedTemporaryFile(suffix=".log") as log, concurrent.futures.ThreadPoolExecutor(count) as together:
        try:
            with hub(Path(log.name)):
                seen["strangers"] = [Learner("visitor").log_in(), Learner(names[0]).log_in("a guess")]
                started = time.monotonic()
                list(together.map(Learner.log_in, learners))
                seen["pages"] = list(together.map(Learner.await_server, learners))
                seen["seconds until all servers run"] = round(time.monotonic() - started, 1)
                seen["idle memory"] = list(map(memory, uids))
                seen["work"] = [json.loads(text) for text in together.map(lambda one: one.run(AT_WORK), learners)]
                seen["seconds until all have worked"] = round(time.monotonic() - started, 1)
                seen["memory"] = list(map(memory, uids))
                seen["memory of the hub"] = memory(0)
                if lesson:
                    list(together.map(lambda one: one.take(lesson), learners))
                    seen["seconds until all have done the lesson"] = round(time.monotonic() - started, 1)
                    seen["memory after the lesson"] = list(map(memory, uids))
                other = min(int(folder.name) for folder in processes(uids[1]))
                folders = [f"/home/{names[1]}", str(STATE)]
                code = TOO_MUCH.replace("OTHERS", repr(folders)).replace("OTHER", str(other))
                seen["too much"] = json.loads(learners[0].run(code))
                seen["still there"] = [one.run("print(lab.endpoint is not None)").strip() for one in learners]
                cull(uids)
                seen["left after culling"] = [len(processes(uid)) for uid in uids]
        except Exception:
            print(Path(log.name).read_text()[-6000:], file=sys.stderr)
            raise
    return seen


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), *sys.argv[2:]), indent=1))
