"""The exercises of lesson 05: policies that delete too much or too little, and digests that are not the one."""

import json

from tests.lessons.case import HOST, LOGIN, Case


def lifecycle(*rules, repository="my-app"):
    """A command that puts a policy; each rule is (what it selects, what it counts, how many)."""
    documents = []
    for number, (selection, count, bound) in enumerate(rules, 1):
        units = {} if count == "imageCountMoreThan" else {"countUnit": "days"}
        chosen = selection | {"countType": count, "countNumber": bound} | units
        documents.append({"rulePriority": number, "selection": chosen, "action": {"type": "expire"}})
    policy = json.dumps({"rules": documents})
    return f"aws ecr put-lifecycle-policy --repository-name {repository} --lifecycle-policy-text '{policy}'"


def web(*rules):
    return lifecycle(*rules, repository="web")


def beginning(*prefixes):
    return {"tagStatus": "tagged", "tagPrefixList": list(prefixes)}


STABLE, RELEASES, UNTAGGED, ANY = (
    {"tagStatus": "tagged", "tagPatternList": ["stable"]},
    {"tagStatus": "tagged", "tagPrefixList": ["v"]},
    {"tagStatus": "untagged"},
    {"tagStatus": "any"},
)
COUNT, PUSHED = "imageCountMoreThan", "sinceImagePushed"
AFTER_A_DAY = (UNTAGGED, PUSHED, 1)
CREATE = "aws ecr create-repository --repository-name web; "


def index_of(lab):
    found = lab.client("ecr").describe_images(repositoryName="my-app", imageIds=[{"imageTag": "multi"}])
    return found["imageDetails"][0]["imageDigest"]


def parts_of(lab):
    found = lab.client("ecr").describe_images(repositoryName="my-app", filter={"tagStatus": "UNTAGGED"})
    return [image["imageDigest"] for image in found["imageDetails"]]


LATEST, TWENTY, BUILDS, THREE_DAYS, REST = WEB = (
    (beginning("latest"), COUNT, 1),
    (beginning("release-"), COUNT, 20),
    (beginning("build-"), PUSHED, 14),
    (UNTAGGED, PUSHED, 3),
    (ANY, PUSHED, 60),
)

RULE = """
import json

def rule(priority, status, number, count="imageCountMoreThan", **more):
    selection = {"tagStatus": status, "countType": count, "countNumber": number, **more}
    if count != "imageCountMoreThan":
        selection["countUnit"] = "days"
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}
"""
COURSE = """
course = '''{"rules": [
    {"rulePriority": 1, "description": "Keep last 10 tagged images", "action": {"type": "expire"},
     "selection": {"tagStatus": "tagged", "tagPrefixList": ["v"],
                   "countType": "imageCountMoreThan", "countNumber": 10}},
    {"rulePriority": 2, "description": "Delete untagged after 1 day", "action": {"type": "expire"},
     "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}}
]}'''
"""
RUNS = 'runs = lab.trail("my-app", "PolicyExecutionEvent")'

CASES = {
    "keep-what-runs": Case(
        scene="aws ecr create-repository --repository-name my-app",
        cells=COURSE,
        wrong={
            "my-app has no lifecycle policy": "true",
            "it would keep an image tagged v2.3, pushed 6 days ago. Kept, for no rule": lifecycle(AFTER_A_DAY),
            "it would delete an image tagged v1.0 and stable": lifecycle((RELEASES, COUNT, 5), AFTER_A_DAY),
            "it would delete an image tagged nightly, pushed 90 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5), AFTER_A_DAY, (ANY, PUSHED, 30)
            ),
            "it would keep an untagged image, pushed 3 days ago. Kept, for": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5)
            ),
            "it would archive an image tagged v1.0 and stable": lifecycle(
                (STABLE, "sinceImagePulled", 90), (RELEASES, COUNT, 5), AFTER_A_DAY
            ).replace('"expire"', '"transition", "targetStorageClass": "archive"', 1),
            "it would delete an image tagged v2.8, pushed 10 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, PUSHED, 5), AFTER_A_DAY
            ),
            "it would keep an image tagged v2.3, pushed 6 days ago. Kept by rule 1": lifecycle(
                (RELEASES, COUNT, 500), (STABLE, COUNT, 1), AFTER_A_DAY
            ),
            "it would keep an untagged image, pushed 1.5 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5), (UNTAGGED, PUSHED, 2)
            ),
            "it would delete an untagged image, pushed 0.9 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5), (UNTAGGED, COUNT, 1)
            ),
            "it would keep an untagged image, pushed 3 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5), (UNTAGGED, COUNT, 2)
            ),
            "v1.0 and stable, pushed 400 days ago. Expired by rule 1 (tagged s*": lifecycle(
                (beginning("s"), COUNT, 1), (RELEASES, COUNT, 5), AFTER_A_DAY
            ),
            "v1.0 and stable, pushed 400 days ago. Expired by rule 1 (tagged .stable": lifecycle(
                ({"tagStatus": "tagged", "tagPatternList": ["*stable*"]}, COUNT, 1), (RELEASES, COUNT, 5), AFTER_A_DAY
            ),
        },
        right=(
            lifecycle((STABLE, PUSHED, 5000), AFTER_A_DAY, (RELEASES, COUNT, 5)),
            lifecycle((STABLE, COUNT, 1), ({"tagStatus": "tagged", "tagPatternList": ["v*"]}, COUNT, 5), AFTER_A_DAY),
        ),
    ),
    "what-could-not-go": Case(
        app="my-app",
        cells=RUNS,
        scene=f"""{LOGIN}aws ecr create-repository --repository-name my-app
            docker build -q --platform linux/amd64,linux/arm64 -t {HOST}/my-app:multi .
            docker push -q {HOST}/my-app:multi
            {lifecycle(AFTER_A_DAY)}
            python3 -m ecrlab clock --endpoint $AWS_ENDPOINT_URL advance 3d""",
        wrong={
            "there is no answer yet; expected a digest": lambda lab: None,
            "that is the index": index_of,
            "is no digest": lambda lab: "multi",
            "no run failed to delete the image of that digest": lambda lab: "sha256:" + "0" * 64,
        },
        right=(
            lambda lab: parts_of(lab)[0],
            lambda lab: f"{HOST}/my-app@{parts_of(lab)[-1]}",
        ),
    ),
    "tidy-up-web": Case(
        scene="true",
        cells=RULE,
        wrong={
            "there is no repository named web": "true",
            "web has no lifecycle policy": CREATE,
            "it would delete an image tagged release-21, pushed 80 days ago": CREATE + web(LATEST, BUILDS, REST),
            "it would delete an image tagged latest, pushed 600 days ago": CREATE + web(TWENTY, BUILDS, REST),
            "it would delete an image tagged latest and release-0": CREATE + web(TWENTY, LATEST, *WEB[2:]),
            "it would delete an image tagged build-0 and latest": CREATE + web(BUILDS, LATEST, TWENTY, *WEB[3:]),
            "it would keep an image tagged build-15": CREATE + web(LATEST, TWENTY, THREE_DAYS, REST),
            "it would keep an untagged image, pushed 5 days ago": CREATE + web(LATEST, TWENTY, BUILDS, REST),
            "it would keep an image tagged try-that": CREATE + web(*WEB[:-1]),
            "it would keep an image tagged build-15, pushed 15 days ago. Kept by rule 4": CREATE
            + web(LATEST, TWENTY, (beginning("build-", "ci-"), PUSHED, 14), REST),
            "it would delete an untagged image, pushed 2.5 days ago. Expired by rule 4 (untagged: pushed": CREATE
            + web(*WEB[:3], (UNTAGGED, PUSHED, 2), REST),
            "it would keep an untagged image, pushed 3.5 days ago": CREATE + web(*WEB[:3], (UNTAGGED, PUSHED, 4), REST),
            "it would delete an untagged image, pushed 2.5 days ago. Expired by rule 4 (untagged: keep": CREATE
            + web(*WEB[:3], (UNTAGGED, COUNT, 1), REST),
            "it would delete an image tagged build-13, pushed 13.5 days ago": CREATE
            + web(LATEST, TWENTY, (beginning("build-"), PUSHED, 13), THREE_DAYS, REST),
            "it would keep an image tagged try-that, pushed 60.5 days ago": CREATE + web(*WEB[:4], (ANY, PUSHED, 61)),
            "it would delete an image tagged try-this, pushed 59.5 days ago": CREATE + web(*WEB[:4], (ANY, PUSHED, 59)),
            "it would delete an image tagged release-11, pushed 420 days ago": CREATE
            + web(LATEST, (beginning("release-"), PUSHED, 400), *WEB[2:]),
        },
        right=(
            CREATE + web((beginning("latest"), PUSHED, 9000), THREE_DAYS, TWENTY, BUILDS, REST),
            CREATE + web(LATEST, ({"tagStatus": "tagged", "tagPatternList": ["release-*"]}, COUNT, 20), *WEB[2:]),
        ),
    ),
}
