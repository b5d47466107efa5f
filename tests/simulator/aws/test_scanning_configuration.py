"""Which repositories a registry scans, and how often."""

from typing import Any

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of, refusal
from tests.simulator.scanned import OLD, configure, findings_of


@pytest.mark.operation("ecr:GetRegistryScanningConfiguration")
def test_a_new_registry_scans_the_basic_way_and_nothing_by_itself(ecr: Any) -> None:
    answer = ecr.get_registry_scanning_configuration()
    assert answer["registryId"] == "123456789012"
    assert answer["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


@pytest.mark.operation("ecr:PutRegistryScanningConfiguration")
def test_a_rule_of_the_registry_has_images_scanned_on_push(ecr: Any, app: Repository) -> None:
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "ap", "filterType": "WILDCARD"}]}]
    put = ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)
    assert put["registryScanningConfiguration"] == {"scanType": "BASIC", "rules": rules}
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": rules}
    other = Repository(ecr, "other")
    ecr.create_repository(repositoryName="other")

    app.push(OLD, tag="v1")
    other.push(OLD, tag="v1")

    assert findings_of(app)["imageScanStatus"]["status"] == "COMPLETE"
    assert refusal(findings_of, repository=other)[0] == "ScanNotFoundException"


def test_configurations_that_aws_does_not_take(ecr: Any) -> None:
    def rule(frequency: str, wildcard: str = "*") -> dict[str, Any]:
        return {
            "scanFrequency": frequency,
            "repositoryFilters": [{"filter": wildcard, "filterType": "WILDCARD"}],
        }

    for scan_type, rules in (
        ("BASIC", [rule("CONTINUOUS_SCAN")]),
        ("ENHANCED", [rule("MANUAL")]),
        ("BASIC", [rule("SCAN_ON_PUSH"), rule("SCAN_ON_PUSH", "x")]),
        ("BASIC", [rule("SCAN_ON_PUSH"), rule("MANUAL"), rule("SCAN_ON_PUSH")]),
        ("BASIC", [rule("SCAN_ON_PUSH", "-a")]),
        ("BASIC", [{"scanFrequency": "SCAN_ON_PUSH"}]),
        ("FANCY", []),
    ):
        code, _ = refusal(ecr.put_registry_scanning_configuration, scanType=scan_type, rules=rules)
        assert code == "InvalidParameterException", (scan_type, rules)
    lead = "Invalid parameter failed to satisfy constraint: "
    for rules, text in (
        ([rule("CONTINUOUS_SCAN")], "Invalid scan frequency for scanType BASIC: CONTINUOUS_SCAN"),
        ([rule("MANUAL")] * 2, "Invalid input. Contains duplicate scan frequencies: [MANUAL]"),
    ):
        _, message = refusal(ecr.put_registry_scanning_configuration, scanType="BASIC", rules=rules)
        assert message == f"{lead}'{text}'"
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"]["rules"] == []


@pytest.mark.operation("ecr:BatchGetRepositoryScanningConfiguration")
def test_how_each_repository_is_scanned_and_why(ecr: Any, region: str) -> None:
    for name, on_push in (("prod-app", False), ("dev-app", True), ("misc", False)):
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": on_push})
    configure(ecr, "BASIC", "SCAN_ON_PUSH", "prod", "*-app")
    ecr.put_registry_scanning_configuration(
        scanType="BASIC",
        rules=[
            {
                "scanFrequency": "SCAN_ON_PUSH",
                "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"} for one in ("prod", "prod-*")],
            }
        ],
    )

    answer = ecr.batch_get_repository_scanning_configuration(
        repositoryNames=["prod-app", "dev-app", "misc", "gone"],
    )

    filters = [{"filter": one, "filterType": "WILDCARD"} for one in ("prod", "prod-*")]
    shown = [
        (one["repositoryName"], one["scanOnPush"], one["scanFrequency"], one["appliedScanFilters"])
        for one in answer["scanningConfigurations"]
    ]
    assert shown == [
        ("prod-app", True, "SCAN_ON_PUSH", filters),
        ("dev-app", True, "SCAN_ON_PUSH", []),
        ("misc", False, "MANUAL", []),
    ]
    assert answer["scanningConfigurations"][2]["repositoryArn"] == f"arn:aws:ecr:{region}:123456789012:repository/misc"
    assert answer["failures"] == [
        {"repositoryName": "gone", "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": "REPOSITORY_NOT_FOUND"}
    ]


@pytest.mark.parametrize(
    ("wildcard", "passing"),
    [
        ("prod", ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"]),
        ("*prod", ["prod", "repo-prod"]),
        ("prod*", ["prod", "prod-repo", "prodrepo"]),
        ("*prod*", ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"]),
        ("prod*repo", ["prod-repo", "prodrepo"]),
    ],
)
def test_filters_pass_what_the_user_guide_says(ecr: Any, wildcard: str, passing: list[str]) -> None:
    names = ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"]
    for name in names:
        ecr.create_repository(repositoryName=name)
    configure(ecr, "BASIC", "SCAN_ON_PUSH", wildcard)

    answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=names)

    assert [
        one["repositoryName"] for one in answer["scanningConfigurations"] if one["scanFrequency"] == "SCAN_ON_PUSH"
    ] == passing


def test_a_kept_registry_knows_its_scans_and_its_rules(tmp_path: Any) -> None:
    answers = []
    for _ in range(2):
        world = World(tmp_path / "state", seed="kept")
        server = Server(world)
        ecr = client_of(server.endpoint)
        repository = Repository(ecr, "app")
        if not answers:
            configure(ecr, "BASIC", "SCAN_ON_PUSH", "app")
            ecr.create_repository(repositoryName="app")
            repository.push(OLD, tag="v1")
        how = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
        answers.append((findings_of(repository)["imageScanFindings"], how))
        server.stop()
        world.close()

    assert answers[0] == answers[1]
