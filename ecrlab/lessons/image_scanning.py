"""Exercises and cards of 04-image-scanning."""

import json
import urllib.request
from typing import Any, BinaryIO

from ecrlab.lessons.exercises import Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.oci import manifest
from ecrlab.registry.scan_rules import CONTINUOUS_SCAN, ENHANCED, passes
from ecrlab.scanning import layers_of, take_inventory

WATCHED = ("prod", "prod-api", "prod/web", "shop")
LEFT_ALONE = ("reproduce", "my-prod", "workshop", "test", "museum")
JUDGED = ("COMPLETE", "ACTIVE")
"""What the status of a scan that has judged its image can be: of a basic scan, or of one that was made on push; of a
continuous one."""


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
    return "all that begins with shop or prod is watched, and nothing else"


def _is_continuous(rule: dict[str, Any]) -> bool:
    return bool(rule["scanFrequency"] == CONTINUOUS_SCAN)


def _own(view: View) -> str:
    tags = view.tags("shop")
    view.require("v1" in tags, "shop has no image tagged v1; run the cells above first")
    view.require("clean" in tags, f"shop has no tag clean, only {', '.join(sorted(tags))}")
    view.require(tags["clean"] != tags["v1"], "clean is the very image v1: change the packages, then build again")
    base = [_manifest(view, "shop", tag)["layers"][0]["digest"] for tag in ("v1", "clean")]
    view.require(base[0] == base[1], "clean stands on another base than v1; the base stays the old one this time")
    gone = sorted(_python_packages(view, "v1") - _python_packages(view, "clean"))
    view.require(not gone, f"clean no longer has {', '.join(gone)}: keep every package, in a version that is fixed")
    found = _findings(view, "shop", "clean")
    view.require("findings" not in found, "the registry scans the BASIC way, which does not look at Python packages")
    enhanced = found.get("enhancedFindings", [])
    own = sorted({_package(one) for one in enhanced if _manager(one) != "OS"})
    view.require(not own, f"clean still has findings about {', '.join(own)}")
    return f"all packages are there and fixed; the {len(enhanced)} findings of the base remain"


def _manifest(view: View, repository: str, tag: str) -> dict[str, Any]:
    answer = view.ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    document: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"])
    view.require(document.get("layers"), f"{repository}:{tag} is an index of several platforms, not one image")
    return document


def _python_packages(view: View, tag: str) -> set[str]:
    """The names of the Python packages in an image of the shop, whatever their versions."""

    def open_blob(digest: str) -> BinaryIO:
        url = view.ecr.get_download_url_for_layer(repositoryName="shop", layerDigest=digest)["downloadUrl"]
        # Never through a proxy: the lab is on this machine.
        opened: BinaryIO = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60)
        return opened

    body = json.dumps(_manifest(view, "shop", tag)).encode()
    inventory = take_inventory(layers_of(manifest.read(body, by_members=True), open_blob))
    return {package.name for package in inventory.packages if package.ecosystem == "PyPI"}


def _findings(view: View, repository: str, tag: str) -> dict[str, Any]:
    """The findings on an image that a scan has judged, as DescribeImageScanFindings shows them."""
    asked = {"repositoryName": repository, "imageId": {"imageTag": tag}, "maxResults": 1000}
    try:
        answer = view.ecr.describe_image_scan_findings(**asked)
    except view.ecr.exceptions.ScanNotFoundException:
        raise NotYet(f"{tag} was never scanned: {_why_not(view, repository, tag)}") from None
    status = answer["imageScanStatus"]["status"]
    view.require(status in JUDGED, f"the scan of {tag} ended as {status}, so nothing is known of it")
    found: dict[str, Any] = answer["imageScanFindings"]
    return found


def _why_not(view: View, repository: str, tag: str) -> str:
    """Why an image has no scan."""
    how = view.ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    filters = [one["filter"] for rule in how["rules"] for one in rule["repositoryFilters"]]
    named = any(passes(repository, one) for one in filters)
    if how["scanType"] != ENHANCED:
        return "start it with start-image-scan"
    if named:
        return f"{tag} was pushed before the rule; push a changed image, or scan continuously"
    return f"no rule of the registry names {repository}; add its name to the filters of one"


def _package(finding: dict[str, Any]) -> str:
    name: str = finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"]
    return name


def _manager(finding: dict[str, Any]) -> str:
    manager: str = finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["packageManager"]
    return manager


def _kiosk(view: View) -> str:
    tags = view.tags("kiosk")
    view.require("v1" in tags, "kiosk has no image tagged v1")
    for other in view.repositories():
        known = other != "kiosk" and tags["v1"] in view.tags(other).values()
        view.require(not known, f"v1 is an image that {other} has too; build one of your own")
    _manifest(view, "kiosk", "v1")
    counts = _findings(view, "kiosk", "v1").get("findingSeverityCounts", {})
    grave = [f"{counts[severity]} {severity}" for severity in ("CRITICAL", "HIGH") if counts.get(severity)]
    view.require(not grave, f"the scan of v1 found {' and '.join(grave)}; build it on a newer base")
    lower = sum(counts.values())
    return f"the scan has judged kiosk:v1, and found {f'{lower} of lower severity' if lower else 'nothing'}"


EXERCISES = (
    Exercise(
        id="scan-prod-and-shop",
        task="Have all repositories whose names begin with shop or prod watched continuously, but not reproduce, "
        "workshop or test.",
        judge=_watched,
        hints=(
            "A filter without * passes every name that contains it; with one it has to fit the whole name.",
            'A rule is {"scanFrequency": …, "repositoryFilters": [{"filter": …, "filterType": "WILDCARD"}]}.',
        ),
        solution="""
begins = [{"filter": name, "filterType": "WILDCARD"} for name in ("prod*", "shop*")]
rule = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": begins}
ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
lab.check("scan-prod-and-shop")
""",
    ),
    Exercise(
        id="clean-your-own",
        task="Push shop:clean on the old base, with all its Python packages, and no finding about any of them.",
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
cd .. && sh publish.sh clean
""",
    ),
    Exercise(
        id="scan-your-own",
        task="Push an image of your own to kiosk as v1; its scan has judged it, and found nothing CRITICAL or HIGH.",
        judge=_kiosk,
        hints=(
            "A scan needs an operating system that it knows: a current base, such as that of my-app.",
            "put-registry-scanning-configuration replaces all rules; a pushed image is scanned if one names kiosk.",
        ),
        solution="""
host=123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr put-registry-scanning-configuration --scan-type ENHANCED --rules \\
  'scanFrequency=CONTINUOUS_SCAN,repositoryFilters=[{filter=kiosk*,filterType=WILDCARD}]'
aws ecr create-repository --repository-name kiosk
aws ecr get-login-password | docker login --username AWS --password-stdin $host
mkdir -p kiosk && cd kiosk && echo welcome > welcome.txt
printf 'FROM public.ecr.aws/docker/library/python:3.12-slim-bookworm\\nCOPY welcome.txt /\\n' > Dockerfile
docker build -t $host/kiosk:v1 . && docker push $host/kiosk:v1
""",
    ),
)

QUESTIONS = (
    Question(
        id="what-clean-means",
        question="A scan reports no finding. What do you have to know before you call the image clean?",
        model="Whether the scan could read the image at all (its status), which kinds of packages it looks at, and "
        "whose advisories it used, of which day.",
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
            Choice(
                "The scan on push is still running",
                "Then its status would be IN_PROGRESS, and the error would read the same.",
            ),
        ),
    ),
    Card(
        id="image-scanning/whose",
        question="An image has 42 findings, 34 of them in its two lowest layers. What helps most?",
        choices=(
            Choice("Deleting the packages in a layer above", "Then no scan reports them, but they are still shipped."),
            Choice("Scanning again tomorrow", "The image does not change; there may be more findings, not fewer."),
            Choice(
                "Building again on a current base",
                "The low layers are the base's, and those findings go. The current base may bring a few of its own.",
                right=True,
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
