"""Exercises and cards of 04-image-scanning."""

import json
from typing import Any

from ecrlab.lessons.exercises import Exercise, NotYet, View
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.registry.scan_rules import CONTINUOUS_SCAN, ENHANCED, passes

WATCHED, LEFT_ALONE = ("prod", "prod-api", "prod/web", "shop"), ("reproduce", "my-prod", "test", "museum")


def _watched(view: View) -> str:
    how = view.ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    view.require(how["scanType"] == ENHANCED, "the registry scans the BASIC way, which watches nothing")
    rules: list[dict[str, Any]] = how["rules"]
    filters = [one["filter"] for rule in rules for one in rule["repositoryFilters"] if _is_continuous(rule)]
    view.require(filters, "no rule has the frequency CONTINUOUS_SCAN")
    said = f"the filters of CONTINUOUS_SCAN are {', '.join(filters)}"
    for name in WATCHED:
        view.require(any(passes(name, one) for one in filters), f"a repository named {name} is not watched ({said})")
    for name in LEFT_ALONE:
        view.require(not any(passes(name, one) for one in filters), f"a repository named {name} is watched ({said})")
    return "shop and what begins with prod is watched, and nothing else"


def _is_continuous(rule: dict[str, Any]) -> bool:
    return bool(rule["scanFrequency"] == CONTINUOUS_SCAN)


def _own(view: View) -> str:
    tags = view.tags("shop")
    view.require("v1" in tags, "shop has no image tagged v1; run the cells above first")
    view.require("v2" in tags, f"shop has no tag v2, only {', '.join(sorted(tags))}")
    view.require(tags["v2"] != tags["v1"], "v2 is the very image v1: change the packages, then build again")
    base = [_lowest_layer(view, tag) for tag in ("v1", "v2")]
    view.require(base[0] == base[1], "v2 stands on another base than v1; the base stays the old one this time")
    found = _findings(view)
    own = sorted({_package(one) for one in found if _manager(one) != "OS"})
    view.require(not own, f"v2 still has findings about {', '.join(own)}")
    return f"v2 has no findings of its own left; the {len(found)} of the base remain"


def _lowest_layer(view: View, tag: str) -> str:
    answer = view.ecr.batch_get_image(repositoryName="shop", imageIds=[{"imageTag": tag}])
    manifest = json.loads(answer["images"][0]["imageManifest"])
    view.require(manifest.get("layers"), f"{tag} is an index of several platforms, not one image")
    lowest: str = manifest["layers"][0]["digest"]
    return lowest


def _findings(view: View) -> list[dict[str, Any]]:
    asked = {"repositoryName": "shop", "imageId": {"imageTag": "v2"}, "maxResults": 1000}
    try:
        answer = view.ecr.describe_image_scan_findings(**asked)
    except view.ecr.exceptions.ScanNotFoundException:
        raise NotYet("v2 was never scanned: which rule of the registry names shop?") from None
    status = answer["imageScanStatus"]["status"]
    view.require("imageScanFindings" in answer, f"the scan of v2 ended as {status}, so nothing is known of it")
    found: list[dict[str, Any]] = answer["imageScanFindings"].get("enhancedFindings", [])
    basic = answer["imageScanFindings"].get("findings", [])
    view.require(not basic, "the registry scans the BASIC way, which does not look at Python packages")
    return found


def _package(finding: dict[str, Any]) -> str:
    name: str = finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"]
    return name


def _manager(finding: dict[str, Any]) -> str:
    manager: str = finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["packageManager"]
    return manager


EXERCISES = (
    Exercise(
        id="scan-prod-and-shop",
        task="Have shop and all repositories that begin with prod watched continuously, but not reproduce or test.",
        judge=_watched,
        hints=(
            "A filter without * passes every name that contains it: prod would let reproduce pass.",
            "One rule can have several filters; the frequency is CONTINUOUS_SCAN.",
        ),
        solution="""
aws ecr put-registry-scanning-configuration --scan-type ENHANCED --rules \\
  '[{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [
      {"filter": "prod*", "filterType": "WILDCARD"}, {"filter": "shop", "filterType": "WILDCARD"}]}]'
""",
    ),
    Exercise(
        id="clean-your-own",
        task="Push shop:v2 on the old base, without a finding about a Python package.",
        judge=_own,
        hints=(
            'What to raise, and how far, is in the columns "package" and "fixed in" of scans.findings().',
            "A package here is a folder like Jinja2-2.10.dist-info, with a METADATA file that names the version.",
        ),
        solution="""
cd site-packages
for new in Jinja2-3.1.6 PyYAML-6.0.2; do
  rm -rf ${new%-*}-*.dist-info && mkdir $new.dist-info
  printf 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' ${new%-*} ${new##*-} > $new.dist-info/METADATA
done
cd .. && sh publish.sh v2
""",
    ),
)

CARDS = (
    Card(
        id="image-scanning/what",
        question="What does ECR image scanning detect?",
        choices=(
            Choice(
                "Known vulnerabilities (CVEs) of the packages in the image's layers",
                "Basic scanning of the operating system's packages, enhanced scanning of programming languages', too.",
                right=True,
            ),
            Choice("Any weakness in your own code", "It compares package versions with advisories; it reads no code."),
            Choice(
                "Attacks on the running container",
                "It opens layers in the registry; what runs is for other services, such as GuardDuty.",
            ),
        ),
    ),
    Card(
        id="image-scanning/again",
        question="scanOnPush is on. start-image-scan an hour after the push answers LimitExceededException. Why?",
        choices=(
            Choice("Somebody used up the account's quota", "That quota is 100,000 a day; this one is the image's."),
            Choice(
                "An image is scanned once in 24 hours, and the push was that time",
                "The findings are there: ask for them with describe-image-scan-findings.",
                right=True,
            ),
            Choice("The scan on push is still running", "Then its status would be IN_PROGRESS, and the text the same."),
        ),
    ),
    Card(
        id="image-scanning/whose",
        question="An image has 42 findings, 34 of them in its two lowest layers. What helps most?",
        choices=(
            Choice("Deleting the packages in a layer above", "Then no scan reports them, but they are still shipped."),
            Choice("Scanning again tomorrow", "The image does not change; there may be more findings, not fewer."),
            Choice(
                "Building again on a current base", "The low layers are the base's; then look at the rest.", right=True
            ),
        ),
    ),
    Card(
        id="image-scanning/before-and-after",
        question="Nobody has pushed, and since this morning an image has two findings more. How can that be?",
        choices=(
            Choice(
                "Advisories appeared, and enhanced scanning judged the image again",
                "Continuous scanning does so for 14 days after the push or the last use.",
                right=True,
            ),
            Choice("Its packages became older", "Age by itself is no finding; somebody has to publish one."),
            Choice("A layer was changed", "It would have another digest, and be another image."),
        ),
    ),
    Card(
        id="image-scanning/gate",
        question="A gate counts CRITICAL findings and lets pass what has none. Which image passes that should not?",
        choices=(
            Choice("One whose only CRITICAL is accepted until 2020", "An exception that has expired counts no more."),
            Choice(
                "One whose scan ended as UNSUPPORTED_IMAGE",
                "No findings, because nobody could look. Ask for the status before you count.",
                right=True,
            ),
            Choice("One with fifty HIGH findings", "Perhaps it should not pass; but that is what was decided."),
        ),
    ),
    Card(
        id="image-scanning/backport",
        question="Upstream fixed a CVE in 1.1.1t. Debian's package is 1.1.1n-0+deb11u4. Is it vulnerable?",
        choices=(
            Choice("Yes, n comes before t", "Debian carries fixes back into the version that a release began with."),
            Choice("No, Debian's packages never are", "They are, until Debian has mended them."),
            Choice(
                "Ask in which version Debian 11 fixed it",
                "Only advisories of the distribution and release itself can tell.",
                right=True,
            ),
        ),
    ),
)
