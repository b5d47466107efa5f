"""Catalog data: what the gallery says about a repository and its registry."""

from typing import Any

import pytest

from ecrlab.registry import catalog
from ecrlab.registry.world import World
from tests.simulator.client import refusal
from tests.simulator.logos import png

DATA = {
    "description": "An app",
    "architectures": ["x86-64", "ARM 64", "Z80"],
    "operatingSystems": ["Linux"],
    "aboutText": "# About\n<script>",
    "usageText": "Run it",
}
LOGO = png()


@pytest.mark.operation("ecr-public:PutRepositoryCatalogData")
def test_catalog_data_is_replaced_as_a_whole(public: Any, own_world: World) -> None:
    made = public.create_repository(repositoryName="app", catalogData={**DATA, "logoImageBlob": LOGO})["catalogData"]
    logo_url = made.pop("logoUrl")
    assert made == DATA
    logo_id = logo_url.removeprefix("http://127.0.0.1:1/gallery/logo/").removesuffix(".png")
    assert catalog.logo(own_world, logo_id) == LOGO
    answer = public.put_repository_catalog_data(repositoryName="app", catalogData={"description": "New"})
    assert answer["catalogData"] == {"description": "New"}
    assert catalog.logo(own_world, logo_id) is None


@pytest.mark.operation("ecr-public:GetRepositoryCatalogData")
def test_catalog_data_is_returned(public: Any) -> None:
    public.create_repository(repositoryName="app")
    assert public.get_repository_catalog_data(repositoryName="app")["catalogData"] == {}
    public.put_repository_catalog_data(repositoryName="app", catalogData=DATA)
    assert public.get_repository_catalog_data(repositoryName="app")["catalogData"] == DATA
    assert refusal(public.get_repository_catalog_data, repositoryName="none")[0] == "RepositoryNotFoundException"
    assert refusal(public.put_repository_catalog_data, repositoryName="none", catalogData=DATA)[0] == (
        "RepositoryNotFoundException"
    )


def test_catalog_data_goes_with_its_repository(public: Any, own_world: World) -> None:
    made = public.create_repository(repositoryName="app", catalogData={**DATA, "logoImageBlob": LOGO})["catalogData"]
    public.delete_repository(repositoryName="app")
    public.create_repository(repositoryName="app")
    assert public.get_repository_catalog_data(repositoryName="app")["catalogData"] == {}
    assert catalog.logo(own_world, made["logoUrl"].rsplit("/", 1)[1].removesuffix(".png")) is None


@pytest.mark.operation("ecr-public:PutRegistryCatalogData")
def test_a_registry_gets_a_display_name(public: Any) -> None:
    answer = public.put_registry_catalog_data(displayName="Team A")
    assert answer["registryCatalogData"] == {"displayName": "Team A"}
    assert public.put_registry_catalog_data()["registryCatalogData"] == {}
    code, _ = refusal(public.put_registry_catalog_data, displayName="x" * 101)
    assert code == "InvalidParameterException"


@pytest.mark.operation("ecr-public:GetRegistryCatalogData")
def test_the_display_name_of_a_registry_is_its_own(client: Any, public: Any) -> None:
    assert public.get_registry_catalog_data()["registryCatalogData"] == {}
    public.put_registry_catalog_data(displayName="Team A")
    assert public.get_registry_catalog_data()["registryCatalogData"] == {"displayName": "Team A"}
    assert client(account="210987654321").get_registry_catalog_data()["registryCatalogData"] == {}


@pytest.mark.parametrize(
    "member",
    [
        {"description": "x" * 1025},
        {"aboutText": "x" * 25601},
        {"usageText": "x" * 25601},
        {"architectures": ["ARM"] * 51},
        {"architectures": [""]},
        {"operatingSystems": ["x" * 51]},
        {"logoImageBlob": png(body=b"x" * 512_000)},
        {"logoImageBlob": b"GIF89a"},
        {"logoImageBlob": b"\x89PNG\r\n\x1a\n"},
        {"logoImageBlob": LOGO[:-1]},
        {"logoImageBlob": LOGO + b"<script>"},
        {"logoImageBlob": LOGO.replace(b"IHDR", b"IHDX")},
        {"logoImageBlob": png(end=False)},
        {"logoImageBlob": png(59, 60)},
        {"logoImageBlob": png(60, 2049)},
    ],
    ids=lambda member: f"{next(iter(member))} {len(next(iter(member.values())))}",
)
def test_catalog_data_that_is_refused_leaves_the_old(public: Any, member: dict[str, Any]) -> None:
    public.create_repository(repositoryName="app", catalogData={"description": "old"})
    code, message = refusal(public.put_repository_catalog_data, repositoryName="app", catalogData={**DATA, **member})
    assert code == "InvalidParameterException"
    assert message.startswith(f"Invalid parameter at '{next(iter(member))}' failed to satisfy constraint")
    assert public.get_repository_catalog_data(repositoryName="app")["catalogData"] == {"description": "old"}
    assert refusal(public.create_repository, repositoryName="new", catalogData=member)[0] == code
    assert len(public.describe_repositories()["repositories"]) == 1


def test_the_largest_logo_that_is_accepted(public: Any) -> None:
    most = png(2048, 60)
    most = png(2048, 60, body=b"x" * (512_000 - len(most)))
    assert len(most) == 512_000
    assert public.create_repository(repositoryName="app", catalogData={"logoImageBlob": most})["catalogData"]["logoUrl"]


def test_cloudtrail_does_not_record_the_bytes_of_a_logo(client: Any, public: Any) -> None:
    public.create_repository(repositoryName="app", catalogData={"description": "x", "logoImageBlob": LOGO})
    [event] = client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateRepository"}]
    )["Events"]
    assert "PNG" not in event["CloudTrailEvent"]
    assert '"catalogData":{"description":"x"}' in event["CloudTrailEvent"]
