"""The environment of a lab's processes, in which AWS and Docker clients find the lab only.

Clients read settings from variables first, and then from files in the home directory. A lab removes every variable that
could name another AWS (`foreign_variables`), sets the variables that name itself (`lab_environment`), and points the
file settings at its own files (`write_files`), all inside one directory:

    directory/
      bin/                  the first programs in PATH (`ecrlab.machine.launchers`; `docker` and `kubectl` of the lab)
      home/                 their home directory: empty, so they neither read nor write the user's files
      aws/config            settings under which version 1 and 2 of the AWS CLI print the same
      aws/credentials       empty: the keys are in the environment; `write_profile` writes them for profiles
      docker/config.json    where `docker login` keeps its tokens
      registry-auth.json    the same for podman, skopeo and buildah

Sources: AWS CLI user guide, "Configuration and credential file settings" and "Environment variables";
botocore's credential chain; containers-auth.json(5).
"""

import configparser
import io
import os
import secrets
import shlex
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ecrlab.machine import launchers
from ecrlab.machine.launchers import NO_LAB

Docker = Literal["lab", "system"]

ACCESS_KEY_ID = "ECRLABLEARNER0000000"
SECRET_ACCESS_KEY = "not-a-secret"  # noqa: S105 - where no lab is private; real AWS accepts none like it
REGION = "us-east-1"

MEMBER_ROLE = "OrganizationAccountAccessRole"
"""The role that AWS Organizations creates in every member account for the organization's administrators. In the lab
every account has it, so the learner enters another account by assuming this role.
"""

# The endpoint of clients while no lab runs. Port 9 belongs to the discard service, which needs root and does not
# run; clients show the path in "could not connect to the endpoint URL".
DEAD_ENDPOINT = "http://127.0.0.1:9/no-lab-is-running"

# Shells differ in how they list variables by prefix.
_LIST_FOREIGN = r"env | sed -n -E 's/^((AWS|BOTO)_[A-Za-z0-9_]*)=.*/\1/p'"

LOOPBACK = ("127.0.0.1", "localhost", "::1")

AWS_CONFIG = f"""\
[default]
region = {REGION}
output = json
cli_timestamp_format = iso8601
cli_binary_format = raw-in-base64-out
cli_follow_urlparam = false
cli_history = disabled
cli_auto_prompt = off
cli_error_format = legacy
cli_pager =
retry_mode = standard
s3 =
    signature_version = s3v4
"""

# With no entry at all, `docker login` looks for the desktop's own password store and writes there instead.
CLIENT_LOGINS = '{"auths": {"no-login-yet.invalid": {}}}\n'


def new_secret() -> str:
    """Return a random secret access key for a private lab, 40 characters long as AWS's are."""
    return secrets.token_urlsafe(30)


def lab_environment(
    endpoint: str,
    directory: Path,
    *,
    base: Mapping[str, str],
    docker: Docker = "lab",
    secret: str = SECRET_ACCESS_KEY,
) -> dict[str, str]:
    """Return the variables with which clients use `endpoint` and store their files in `directory`.

    Args:
        endpoint: the simulator's address, such as `http://127.0.0.1:5000`, or `DEAD_ENDPOINT`.
        directory: the folder with the files of `write_files`.
        base: the environment to start from; its PATH and its hosts without proxy are extended.
        docker: "system" for the installed Docker.
        secret: the secret access key of a private lab.

    >>> lab_environment(DEAD_ENDPOINT, Path("/lab"), base={"NO_PROXY": "intranet"})["NO_PROXY"]
    'intranet,127.0.0.1,localhost,::1'
    """
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": str(directory / "aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "aws" / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_CONFIG": str(directory / "docker"),
        "REGISTRY_AUTH_FILE": str(directory / "registry-auth.json"),
        "NO_PROXY": _without_proxy(base.get("NO_PROXY") or base.get("no_proxy", "")),
        "no_proxy": _without_proxy(base.get("no_proxy") or base.get("NO_PROXY", "")),
        "TZ": "UTC",
        "PATH": _search_path(directory, base, docker),
        "ECRLAB_ENDPOINT": endpoint,
    }
    if endpoint == DEAD_ENDPOINT:
        variables["AWS_MAX_ATTEMPTS"] = "1"  # a second attempt would fail too
    return variables


def foreign_variables(base: Mapping[str, str]) -> list[str]:
    """Return the variables of `base` that could lead a client to another AWS or to the user's own logins.

    >>> foreign_variables({"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_ECR": "https://…", "HOME": "/home/me"})
    ['AWS_ENDPOINT_URL_ECR', 'AWS_PROFILE']
    """
    return sorted(name for name in base if name.startswith(("AWS_", "BOTO_")) or name == "DOCKER_AUTH_CONFIG")


def inside_lab(
    endpoint: str,
    directory: Path,
    *,
    base: Mapping[str, str],
    docker: Docker = "lab",
    secret: str = SECRET_ACCESS_KEY,
) -> dict[str, str]:
    """Return all variables of a process inside the lab: `base` without the foreign ones, with the lab's."""
    foreign = set(foreign_variables(base))
    kept = {name: value for name, value in base.items() if name not in foreign}
    return kept | lab_environment(endpoint, directory, base=base, docker=docker, secret=secret)


def write_files(directory: Path, *, base: Mapping[str, str]) -> None:
    """Create the files that `lab_environment` names; existing logins stay.

    Args:
        directory: the lab's own folder; a missing one is created.
        base: the environment whose PATH may hold the AWS CLI.
    """
    for folder in ("aws", "bin", "docker", "home"):
        (directory / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(directory / "aws" / "config", AWS_CONFIG)
    write_private(directory / "aws" / "credentials", "")
    for logins in (directory / "docker" / "config.json", directory / "registry-auth.json"):
        if not logins.exists():
            write_private(logins, CLIENT_LOGINS)
    launchers.write_launchers(directory, search=os.pathsep.join(_others(base)))


def aws_cli(base: Mapping[str, str]) -> list[str] | None:
    """Return the command line of the AWS CLI that a lab started in `base` uses; None if there is none."""
    return launchers.aws_cli(os.pathsep.join(_others(base)))


def write_profile(directory: Path, name: str, role_arn: str | None, secret: str) -> None:
    """Write an AWS profile that acts as a role, or as the learner, into the files of `write_files`."""
    config, keys = directory / "aws" / "config", directory / "aws" / "credentials"
    file = configparser.ConfigParser(interpolation=None, default_section="")
    file.read(config, encoding="utf-8")
    learner = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": secret}
    role = {"role_arn": role_arn or "", "role_session_name": "learner", "source_profile": "learner"}
    file[f"profile {name}"] = dict(file["default"]) | (role if role_arn else learner)
    text = io.StringIO()
    file.write(text)
    write_private(keys, f"[learner]\naws_access_key_id = {ACCESS_KEY_ID}\naws_secret_access_key = {secret}\n")
    write_private(config, text.getvalue())


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, even in a shared folder."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def shell_lines(variables: Mapping[str, str]) -> str:
    """Return lines for bash, zsh or sh that remove foreign variables and aliases, and set `variables`.

    A shell reads them after the user's start-up files, which may name a profile or put other programs first.
    """
    lines = [
        f"for ecrlab_name in $({_LIST_FOREIGN}) DOCKER_AUTH_CONFIG; do unset $ecrlab_name; done",
        "unset ecrlab_name",
        "unalias aws docker kubectl python3 2>/dev/null || true",  # also under set -e
        "unset -f aws docker kubectl python3 2>/dev/null || true",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        "hash -r",
    ]
    return "\n".join(lines) + "\n"


def _search_path(directory: Path, base: Mapping[str, str], docker: Docker) -> str:
    """Return the PATH: the lab's programs, those that say that no lab runs, Python's, and the user's."""
    no_lab = [str(NO_LAB)] if docker == "lab" else []
    return os.pathsep.join([str(directory / "bin"), *no_lab, sysconfig.get_path("scripts"), *_others(base)])


def _others(base: Mapping[str, str]) -> list[str]:
    """Return the PATH of `base` without the folders that this module added before."""
    ours = {str(NO_LAB), sysconfig.get_path("scripts")}
    if "ECRLAB_ENDPOINT" in base and "DOCKER_CONFIG" in base:
        ours.add(str(Path(base["DOCKER_CONFIG"]).with_name("bin")))
    return [folder for folder in (base.get("PATH") or os.defpath).split(os.pathsep) if folder not in ours]


def _without_proxy(hosts: str) -> str:
    """Return the hosts that need no proxy, with the loopback hosts added; `*` already means all."""
    if hosts.strip() == "*":
        return hosts
    listed = [host.strip() for host in hosts.split(",") if host.strip()]
    return ",".join(listed + [host for host in LOOPBACK if host not in listed])
