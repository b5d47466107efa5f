"""public.ecr.aws with the lab's docker: with a login, with a wrong one, and without."""

import pytest

from ecrlab.registry import names, repositories

HOST = "public.ecr.aws"
ALIAS = names.default_alias("123456789012")
WEB = f"{HOST}/{ALIAS}/web"
ALPINE = f"{HOST}/docker/library/alpine:3.22.6"
STALE = "denied: Your authorization token has expired. Reauthenticate and try again."


@pytest.fixture
def public(lab):
    """A lab with the public repository `web`."""
    repositories.create(lab.world.registry("123456789012", names.PUBLIC), "web")
    return lab


def log_in(lab, password=None, user="AWS", host=HOST):
    password = lab.password(names.PUBLIC) if password is None else password
    return lab.docker("login", "--username", user, "--password-stdin", host, stdin=password)


def test_the_owner_publishes_and_everybody_pulls(public, app):
    assert log_in(public, host=f"{HOST}/{ALIAS}").out == "Login Succeeded\n"
    public.ok("build", "--tag", f"{WEB}:v1", ".")
    public.ok("push", f"{WEB}:v1")
    public.ok("logout", HOST)
    public.ok("rmi", "--force", f"{WEB}:v1")
    assert f"Status: Downloaded newer image for {WEB}:v1" in public.ok("pull", f"{WEB}:v1")
    assert "NAME_UNKNOWN" not in public.fails("pull", f"{WEB}:v2")
    assert "gallery" not in public.fails("pull", f"{WEB}:v2")


def test_without_a_login_nothing_is_pushed(public, app):
    public.ok("build", "--tag", f"{WEB}:v1", ".")
    assert public.fails("push", f"{WEB}:v1") == "unauthorized: authentication required"


@pytest.mark.parametrize("password", ["of a private registry", "nonsense"])
def test_a_wrong_password_is_no_login(public, password):
    ran = log_in(public, public.password() if password == "of a private registry" else password)
    assert ran.status == 1
    said = f"login attempt to https://{HOST}/v2/ failed with status: 400 Bad Request"
    assert ran.err == f"Error response from daemon: {said}\n"
    public.ok("pull", ALPINE)


def test_a_wrong_user_is_no_login(public):
    ran = log_in(public, user="ada")
    assert ran.err == f'Error response from daemon: Get "https://{HOST}/v2/": denied: Not Authorized\n'


def test_a_stale_login_stops_pulls_until_it_is_removed(public, app):
    log_in(public)
    public.ok("build", "--tag", f"{WEB}:v1", ".")
    public.world.clock.advance(hours=13)
    access = f"pull access denied for {ALPINE.rpartition(':')[0]}, repository does not exist or may require"
    assert public.fails("pull", ALPINE) == f"Error response from daemon: {access} 'docker login': {STALE}"
    assert public.fails("push", f"{WEB}:v1") == STALE
    public.ok("logout", HOST)
    public.ok("pull", ALPINE)


def test_the_limit_is_told_as_docker_tells_it(public):
    public.limit.per_second = 1
    public.ok("pull", ALPINE)
    public.ok("rmi", ALPINE)
    assert public.fails("pull", ALPINE) == "Error response from daemon: toomanyrequests: Rate exceeded"
    public.world.clock.advance(seconds=2)
    public.ok("pull", ALPINE)
    log_in(public)
    for _ in range(3):
        public.ok("pull", ALPINE)
