"""The exercises of lesson 05: policies that delete too much or too little, and digests that are not the one."""

import json

from tests.lessons.case import HOST, LOGIN, Case


def lifecycle(*rules):
    """A command that gives my-app a policy; each rule is (what it selects, what it counts, how many)."""
    documents = []
    for number, (selection, count, bound) in enumerate(rules, 1):
        units = {} if count == "imageCountMoreThan" else {"countUnit": "days"}
        chosen = selection | {"countType": count, "countNumber": bound} | units
        documents.append({"rulePriority": number, "selection": chosen, "action": {"type": "expire"}})
    policy = json.dumps({"rules": documents})
    return f"aws ecr put-lifecycle-policy --repository-name my-app --lifecycle-policy-text '{policy}'"


STABLE, RELEASES, UNTAGGED, ANY = (
    {"tagStatus": "tagged", "tagPatternList": ["stable"]},
    {"tagStatus": "tagged", "tagPrefixList": ["v"]},
    {"tagStatus": "untagged"},
    {"tagStatus": "any"},
)
COUNT, PUSHED = "imageCountMoreThan", "sinceImagePushed"
AFTER_A_DAY = (UNTAGGED, PUSHED, 1)


def index_of(lab):
    found = lab.client("ecr").describe_images(repositoryName="my-app", imageIds=[{"imageTag": "multi"}])
    return found["imageDetails"][0]["imageDigest"]


def parts_of(lab):
    found = lab.client("ecr").describe_images(repositoryName="my-app", filter={"tagStatus": "UNTAGGED"})
    return [image["imageDigest"] for image in found["imageDetails"]]


CASES = {
    "keep-what-runs": Case(
        scene="aws ecr create-repository --repository-name my-app",
        wrong={
            "my-app has no lifecycle policy": "true",
            "it would keep an image tagged v2.3, pushed 6 days ago. Kept, for no rule": lifecycle(AFTER_A_DAY),
            "it would delete an image tagged v1.0 and stable": lifecycle((RELEASES, COUNT, 5), AFTER_A_DAY),
            "it would delete an image tagged nightly, pushed 90 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, COUNT, 5), AFTER_A_DAY, (ANY, PUSHED, 30)
            ),
            "it would keep an untagged image, pushed 3 days ago": lifecycle((STABLE, COUNT, 1), (RELEASES, COUNT, 5)),
            "it would archive an image tagged v1.0 and stable": lifecycle(
                (STABLE, "sinceImagePulled", 90), (RELEASES, COUNT, 5), AFTER_A_DAY
            ).replace('"expire"', '"transition", "targetStorageClass": "archive"', 1),
            "it would delete an image tagged v2.8, pushed 10 days ago": lifecycle(
                (STABLE, COUNT, 1), (RELEASES, PUSHED, 5), AFTER_A_DAY
            ),
            "it would keep an image tagged v2.3, pushed 6 days ago. Kept by rule 1": lifecycle(
                (RELEASES, COUNT, 500), (STABLE, COUNT, 1), AFTER_A_DAY
            ),
        },
        right=(
            lifecycle((STABLE, PUSHED, 5000), AFTER_A_DAY, (RELEASES, COUNT, 5)),
            lifecycle((STABLE, COUNT, 1), ({"tagStatus": "tagged", "tagPatternList": ["v*"]}, COUNT, 5), AFTER_A_DAY),
        ),
    ),
    "what-could-not-go": Case(
        app="my-app",
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
}
