"""A lab for the docker command: a real registry on a free port, and the command run in this process."""

import io
import sys
from dataclasses import dataclass
from functools import cached_property

import pytest

from ecrlab import gallery
from ecrlab.docker import credentials
from ecrlab.docker.__main__ import main
from ecrlab.docker.store import Store
from ecrlab.registry import images, repositories, settings, tokens
from ecrlab.registry.world import World
from ecrlab.simulator.http.listener import Listener
from ecrlab.simulator.v2 import DockerFace, PublicFace
from ecrlab.simulator.v2.pull_limit import PullLimit

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
ADA = "arn:aws:iam::123456789012:user/ada"


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    out: str
    err: str
    status: int


class Recorder:
    """A WSGI application, and which requests it got, but for the gallery's own."""

    def __init__(self, app):
        self.app = self.public = app
        self.requests = []

    def __call__(self, environ, start_response):
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""

        def start(status, headers, *more):
            self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"] + query, int(status[:3])))
            return start_response(status, headers, *more)

        app = self.public if environ["HTTP_HOST"] == gallery.HOST else self.app
        return app(environ, start)


class Lab:
    """The world behind the registry, and `docker` as a learner types it."""

    def __init__(self, folder, recorder, capsys, monkeypatch):
        self._folder = folder
        self.recorder = recorder
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.limit = PullLimit()

    def docker(self, *arguments, stdin=""):
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        status = main(list(arguments))
        captured = self._capsys.readouterr()
        return Ran(captured.out, captured.err, status)

    def ok(self, *arguments, stdin=""):
        """The output of a command that must succeed."""
        ran = self.docker(*arguments, stdin=stdin)
        assert ran.status == 0, ran.err
        return ran.out

    def fails(self, *arguments, stdin=""):
        """What a command that must fail says."""
        ran = self.docker(*arguments, stdin=stdin)
        assert ran.status == 1, ran.out
        return ran.err.rstrip("\n")

    def requests(self):
        """Method, path and status of each request since the last time."""
        seen = list(self.recorder.requests)
        self.recorder.requests.clear()
        return seen

    @cached_property
    def world(self):
        world = World(self._folder / "state", seed="test", durable=False)
        settings.put_account_setting(world.registry("123456789012", "us-east-1"), "BLOB_MOUNTING", "ENABLED")
        return world

    @property
    def store(self):
        return Store.from_environment()

    @property
    def registry(self):
        return self.world.registry("123456789012", "us-east-1")

    def create(self, *names, **settings):
        for name in names:
            repositories.create(self.registry, name, repositories.Settings(**settings))

    def images(self, repository):
        return images.describe(self.registry, repository)

    def password(self, region="us-east-1"):
        return tokens.issue(self.world, "123456789012", region, ADA, "AKIAADA")[0]

    def login(self):
        credentials.keep(ECR, credentials.encode("AWS", self.password()))


@pytest.fixture(scope="session")
def server():
    """One server for all tests; what it answers is each test's own."""
    recorder = Recorder(None)
    listener = Listener(recorder)
    yield listener.endpoint, recorder
    listener.stop()


@pytest.fixture
def lab(server, tmp_path, monkeypatch, capsys):
    """A lab with an empty registry; the working directory is an empty folder `app`."""
    endpoint, recorder = server
    lab = Lab(tmp_path, recorder, capsys, monkeypatch)
    recorder.requests.clear()
    recorder.app = lambda environ, start_response: DockerFace(lab.world)(environ, start_response)
    recorder.public = lambda environ, start_response: PublicFace(lab.world, limit=lab.limit)(environ, start_response)
    monkeypatch.setenv("ECRLAB_ENDPOINT", endpoint)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    for name in ("ECRLAB_DOCKER_ROOT", "DOCKER_DEFAULT_PLATFORM", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    yield lab
    if "world" in vars(lab):
        lab.world.close()


@pytest.fixture
def app(lab, tmp_path):
    """A small app in the working directory, with a Dockerfile."""
    folder = tmp_path / "app"
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "Dockerfile").write_text('FROM scratch\nWORKDIR /app\nCOPY app.py .\nCMD ["python", "app.py"]\n')
    return folder
