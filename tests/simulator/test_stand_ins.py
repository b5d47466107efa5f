"""The stand-ins for registries on the internet: what each has, its login, and the drills."""

from collections.abc import Iterator

import pytest

from ecrlab import gallery
from ecrlab.errors import EcrLabError
from ecrlab.registry.pull_through_errors import UpstreamAccessDenied
from ecrlab.simulator import stand_ins
from ecrlab.simulator.stand_ins import StandIn
from tests.simulator.cached import Caches

NEW = gallery.manifest("docker/library/alpine", "3.22.6")
assert NEW is not None
OPEN = {"public.ecr.aws": "ecr-public", "registry.k8s.io": "k8s", "quay.io": "quay"}
WITH_LOGIN = {
    "registry-1.docker.io": "docker-hub",
    "ghcr.io": "github-container-registry",
    "registry.gitlab.com": "gitlab-container-registry",
    "cgr.dev": "chainguard",
    "my-team.azurecr.io": "azure-container-registry",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caches]:
    lab = Caches(tmp_path_factory.mktemp("upstreams") / "state")
    yield lab
    lab.close()


@pytest.fixture
def hub(lab: Caches) -> Iterator[StandIn]:
    yield lab.hub
    lab.hub.up()
    lab.hub.limit(None)


@pytest.mark.parametrize(("url", "name"), (OPEN | WITH_LOGIN).items())
def test_each_has_the_images_of_the_gallery(lab: Caches, url: str, name: str) -> None:
    login = {}
    if url in WITH_LOGIN:
        secret = lab.secret(stand_ins.of(lab.world)[name].credentials, f"ecr-pullthroughcache/{name}")
        login = {"credentialArn": secret}
    lab.rule(name[:30], url, **login)
    folder = "docker/library" if name == "ecr-public" else "library"
    assert lab.pull(f"{name}/{folder}/alpine", "3.22.6") == (200, NEW.digest)


def test_no_stand_in_accepts_the_login_of_another(hub: StandIn, lab: Caches) -> None:
    hub.connect(hub.credentials)
    for name in set(WITH_LOGIN.values()) - {"docker-hub"}:
        with pytest.raises(UpstreamAccessDenied):
            hub.connect(stand_ins.of(lab.world)[name].credentials)


def test_an_unknown_upstream_is_named_with_those_there_are(lab: Caches) -> None:
    with pytest.raises(EcrLabError, match=r"there is no upstream 'dockerhub'; there are .*docker-hub"):
        stand_ins.of(lab.world)["dockerhub"]


@pytest.mark.parametrize(
    ("repository", "to", "said"),
    [
        ("library/alpine", "9.9", r"docker-hub has no library/alpine:9.9; it has 3.14.8"),
        ("library/alpine", "sha256:" + "0" * 64, r"docker-hub has no library/alpine:sha256"),
        ("alpine", "3.22.6", r"docker-hub has no alpine:3.22.6; it has library/alpine, library/debian"),
    ],
)
def test_a_tag_moves_only_to_an_image_of_its_repository(hub: StandIn, repository: str, to: str, said: str) -> None:
    with pytest.raises(EcrLabError, match=said):
        hub.move_tag(repository, "latest", to=to)
    assert hub.manifest("library/alpine", "latest") is None


def test_a_tag_moves_to_a_tag_or_a_digest_and_has_a_valid_name(hub: StandIn) -> None:
    hub.move_tag("library/alpine", "edge", to="3.22.6")
    assert hub.manifest("library/alpine", "edge") == NEW
    hub.move_tag("library/alpine", "edge", to=NEW.children[0].digest)
    moved = hub.manifest("library/alpine", "edge")
    assert moved is not None and moved.digest == NEW.children[0].digest
    with pytest.raises(EcrLabError):
        hub.move_tag("library/alpine", "no tag", to="3.22.6")


def test_the_gallery_cannot_be_changed(lab: Caches) -> None:
    with pytest.raises(EcrLabError, match="read only"):
        stand_ins.of(lab.world)["ecr-public"].move_tag("docker/library/alpine", "latest", to="3.22.6")


@pytest.mark.parametrize(("pulls", "hours"), [(0, 6), (-1, 6), (5, 0), (5, -1), (5, float("nan"))])
def test_a_limit_is_a_number_of_pulls_in_some_hours(hub: StandIn, pulls: int, hours: float) -> None:
    with pytest.raises(EcrLabError, match="needs at least 1 pull"):
        hub.limit(pulls, hours=hours)


def test_a_stand_in_says_what_it_is(hub: StandIn) -> None:
    assert repr(hub) == "<stand-in for docker-hub: up>"
    hub.down()
    hub.limit(100)
    assert repr(hub) == "<stand-in for docker-hub: down, 100 pulls in 6:00:00>"
