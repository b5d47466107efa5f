"""skopeo and podman at public.ecr.aws, through the lab as a proxy: with a login, without one, and with a stale one."""

import base64
import itertools

import pytest

from tests.simulator.client import client_of

HOST = "public.ecr.aws"
CLIENTS = [pytest.param(name, marks=pytest.mark.client(name)) for name in ("skopeo", "podman")]
ALPINE = f"docker://{HOST}/docker/library/alpine:3.22.6"

pytestmark = pytest.mark.parametrize("shell", ["proxy"], indirect=True)
_names = itertools.count(1)


@pytest.fixture
def api(endpoint):
    return client_of(endpoint, "ecr-public")


@pytest.fixture
def uri(api):
    """A new public repository, by its name for Docker clients."""
    return api.create_repository(repositoryName=f"clients/repo-{next(_names)}")["repository"]["repositoryUri"]


def log_in(shell, program, password):
    arguments = ("login", "--tls-verify=false", "--username=AWS", "--password-stdin", HOST)
    return shell.attempt(program, *arguments, stdin=password)


def password(api):
    token = api.get_authorization_token()["authorizationData"]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


@pytest.mark.client("skopeo")
def test_skopeo_publishes_and_everybody_pulls(shell, api, uri, layout):
    def copy(*arguments):
        return shell.attempt("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", *arguments)

    push = (f"oci:{layout}:v1", f"docker://{uri}:v1")
    assert "authentication required" in copy(*push).stderr
    assert "Login Succeeded" in log_in(shell, "skopeo", password(api)).stdout
    assert copy(*push).returncode == 0
    back, alpine = shell.home / "back", shell.home / "alpine"
    assert copy(f"docker://{uri}:v1", f"oci:{back}:v1").returncode == 0
    shell.run("skopeo", "logout", HOST)
    assert copy(f"docker://{uri}:v1", f"dir:{shell.home / 'anonymous'}").returncode == 0
    assert copy(ALPINE, f"oci:{alpine}:v1").returncode == 0
    assert shell.skopeo("list-tags", "--tls-verify=false", f"docker://{uri}").count('"v1"') == 1


@pytest.mark.client("podman")
def test_podman_pulls_with_a_login_and_without(shell, api):
    podman = shell.storage("podman")
    image = ALPINE.removeprefix("docker://")
    (shell.home / "auth.json").write_text("{}")  # podman insists on the file that REGISTRY_AUTH_FILE names
    shell.run(*podman, "pull", "--tls-verify=false", image)
    assert "Login Succeeded" in log_in(shell, "podman", password(api)).stdout
    shell.run(*podman, "rmi", image)
    shell.run(*podman, "pull", "--tls-verify=false", image)


@pytest.mark.parametrize("program", CLIENTS)
def test_a_login_of_a_private_registry_is_no_login(shell, program):
    done = log_in(shell, program, shell.password())
    assert done.returncode != 0
    assert "Login Succeeded" not in done.stdout
