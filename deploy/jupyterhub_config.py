"""JupyterHub for a class on one machine; README.md beside this file says how to start it.

Each learner is a user of the machine, in the group `learners`. A server runs as its user, within the limits below, and
ends after half an hour without work; files stay.
"""

import sys
from pathlib import Path

from traitlets.config import get_config

START = Path(__file__).resolve().with_name("start.py")

STATE = Path("/var/lib/ecrlab-hub")
"""The hub's database and secrets, for root only."""

IDLE_SECONDS = 30 * 60

# Of one process, but --nproc: the processes and threads of one user (setrlimit(2)). The kernel's numbers are bytes.
LIMITS = {"data": 2 * 1024**3, "fsize": 2 * 1024**3, "nofile": 4096, "nproc": 400, "core": 0}

STATE.mkdir(mode=0o700, parents=True, exist_ok=True)

c = get_config()

# A web server in front of the hub speaks HTTPS with the learners.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

c.JupyterHub.authenticator_class = "pam"  # the passwords of the machine
c.PAMAuthenticator.allowed_groups = {"learners"}

c.JupyterHub.spawner_class = "localprocess"
c.Spawner.cmd = [
    "prlimit",
    *(f"--{name}={limit}" for name, limit in LIMITS.items()),
    sys.executable,
    str(START),
    "jupyterhub-singleuser",
]
c.Spawner.default_url = "/lab/tree/00-start-here.ipynb"

# A class arrives at once: ten servers start at a time, and later learners are asked to wait.
c.JupyterHub.concurrent_spawn_limit = 10
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
