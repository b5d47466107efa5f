"""Each exercise of each lesson: unsolved it helps, a plausible mistake is named, every right way passes."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

import ecrlab
from ecrlab.lessons import catalogue, exercises
from ecrlab.lessons.exercises import NotYet

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
APPS = Path(ecrlab.__file__).parents[1] / "notebooks" / "apps"
LOGIN = f"aws ecr get-login-password | docker login --username AWS --password-stdin {HOST}\n"


@dataclass(frozen=True)
class Case:
    """An exercise, what the lesson did before it, and ways to go wrong and right (shell commands, or answers)."""

    scene: str
    wrong: dict[str, object]
    right: tuple[object, ...] = ()
    app: str = "hello"
    given: dict[str, str] = field(default_factory=dict)


def untagged(lab):
    found = lab.client("ecr").describe_images(repositoryName="playground", filter={"tagStatus": "UNTAGGED"})
    return min(found["imageDetails"], key=lambda image: image["imagePushedAt"])["imageDigest"]


def child(lab):
    found = lab.client("ecr").describe_images(repositoryName="playground", filter={"tagStatus": "UNTAGGED"})
    return max(found["imageDetails"], key=lambda image: image["imagePushedAt"])["imageDigest"]


def tagged(lab):
    return lab.client("ecr").describe_images(repositoryName="playground", imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ][0]["imageDigest"]


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


def shop(mode, *filters):
    excluded = " ".join(f"filterType=WILDCARD,filter='{one}'" for one in filters)
    return f"""aws ecr create-repository --repository-name shop --image-tag-mutability {mode} \
        --image-tag-mutability-exclusion-filters {excluded}"""


CASES = {
    "push-a-second-tag": Case(
        scene=f"""{LOGIN}aws ecr create-repository --repository-name hello
            docker build -q -t hello:v1 . && docker tag hello:v1 {HOST}/hello:v1 && docker push -q {HOST}/hello:v1""",
        wrong={
            "none called stable": f"docker tag hello:v1 {HOST}/hello:Stable && docker push {HOST}/hello:Stable",
            "two different images": f"""echo 'LABEL other=1' >> Dockerfile && docker build -q -t {HOST}/hello:stable .
                docker push {HOST}/hello:stable""",
        },
        right=(
            f"""docker pull {HOST}/hello:v1; docker tag {HOST}/hello:v1 {HOST}/hello:stable
                docker push {HOST}/hello:stable""",
            """aws ecr put-image --repository-name hello --image-tag stable --image-manifest "$(
               aws ecr batch-get-image --repository-name hello --image-ids imageTag=v1 \
               --query 'images[0].imageManifest' --output text)" """,
        ),
    ),
    "expiry-of-a-token": Case(
        scene="true",
        wrong={
            "twelve": lambda lab: lab.clock.now().replace(hour=lab.clock.now().hour + 1),
            "no datetime": lambda lab: "tomorrow",
            "lab's past": lambda lab: "2020-01-01T00:00",
            "a length of time": lambda lab: timedelta(hours=12),
            "authorizationData.* … is no datetime": lambda lab: lab.client("ecr").get_authorization_token(),
        },
        right=(
            lambda lab: lab.client("ecr").get_authorization_token()["authorizationData"][0]["expiresAt"],
            lambda lab: "2026-10-01T21:00:00",
        ),
    ),
    "log-in-to-ireland": Case(
        scene="true",
        wrong={
            "Docker has a password for " + HOST: LOGIN,
            "config.json is missing or cannot be read": "rm $DOCKER_CONFIG/config.json",
            "is no password that ECR gave": f"""cat > $DOCKER_CONFIG/config.json <<< '{{"auths":
                {{"{HOST.replace("us-east-1", "eu-west-1")}": {{"auth": "'$(printf AWS:guess | base64)'"}}}}}}'""",
        },
        right=(
            LOGIN.replace("us-east-1", "eu-west-1").replace(
                "get-login-password", "get-login-password --region eu-west-1"
            ),
        ),
    ),
    "push-a-patch": Case(
        app="my-app",
        scene=f"""{LOGIN}aws ecr create-repository --repository-name my-app
            docker build -q -t {HOST}/my-app:v1.2.3 . && docker push -q {HOST}/my-app:v1.2.3
            sed -i.old s/1.2.3/1.2.4/ app.py""",
        wrong={
            "the same image as v1.2.3": f"""docker tag {HOST}/my-app:v1.2.3 {HOST}/my-app:v1.2.5
                docker push {HOST}/my-app:v1.2.5""",
            "the tag is 1.2.5, not v1.2.5": f"""docker build -q -t {HOST}/my-app:1.2.5 .
                docker push {HOST}/my-app:1.2.5""",
            "shares no layer": f"""printf 'FROM scratch\\nCOPY app.py /\\n' > Dockerfile
                docker build -q -t {HOST}/my-app:v1.2.5 . && docker push {HOST}/my-app:v1.2.5""",
            "delete it with aws ecr batch-delete-image": f"""
                aws ecr put-image-tag-mutability --repository-name my-app --image-tag-mutability IMMUTABLE
                docker tag {HOST}/my-app:v1.2.3 {HOST}/my-app:v1.2.5 && docker push {HOST}/my-app:v1.2.5""",
            "is an index": f"""docker build -q --platform linux/amd64,linux/arm64 -t {HOST}/my-app:v1.2.5 .
                docker push {HOST}/my-app:v1.2.5""",
        },
        right=(
            f"""sed -i.old s/1.2.4/1.2.5/ app.py
                docker build -q -t {HOST}/my-app:1.2.5 . && docker push {HOST}/my-app:1.2.5
                docker tag {HOST}/my-app:1.2.5 {HOST}/my-app:v1.2.5 && docker push {HOST}/my-app:v1.2.5""",
        ),
    ),
    "find-the-ghost": Case(
        app="my-app",
        scene=f"""{LOGIN}aws ecr create-repository --repository-name playground
            docker build -q -t {HOST}/playground:v1 . && docker push -q {HOST}/playground:v1
            sed -i.old s/1.2.3/1.2.4/ app.py
            docker build -q -t {HOST}/playground:v1 . && docker push -q {HOST}/playground:v1
            docker build -q --platform linux/amd64,linux/arm64 -t {HOST}/playground:multi .
            docker push -q {HOST}/playground:multi""",
        wrong={
            "never had a tag": child,
            "the one tagged v1": tagged,
            "is no digest": lambda lab: "v1",
            "no image of that digest": lambda lab: "sha256:" + "0" * 64,
        },
        right=(untagged, lambda lab: f"{HOST}/playground@{untagged(lab)}"),
    ),
    "let-some-tags-move": Case(
        scene="true",
        wrong={
            "there is no repository named shop; there is shoop": "aws ecr create-repository --repository-name shoop",
            "v1.2.3 may move in shop": "aws ecr create-repository --repository-name shop",
            "latest may not move": """aws ecr create-repository --repository-name shop \
                --image-tag-mutability IMMUTABLE""",
            "latest-7 may move": shop("IMMUTABLE_WITH_EXCLUSION", "latest*", "dev-*"),
            "develop may move": shop("IMMUTABLE_WITH_EXCLUSION", "latest", "dev*"),
            "dev-7 may not move": shop("IMMUTABLE_WITH_EXCLUSION", "latest"),
            "v1.2.3 may move": shop("MUTABLE_WITH_EXCLUSION", "latest", "dev-*"),
        },
        right=(
            "aws ecr create-repository --repository-name shop; "
            + shop("IMMUTABLE_WITH_EXCLUSION", "dev-*", "latest").replace(
                "create-repository", "put-image-tag-mutability"
            ),
        ),
    ),
    "roll-back": Case(
        app="my-app",
        scene=f"""{LOGIN}aws ecr create-repository --repository-name web
            docker build -q -t web:monday .
            docker tag web:monday {HOST}/web:latest && docker push -q {HOST}/web:latest
            sed -i.old s/1.2.3/1.2.4/ app.py
            docker build -q -t {HOST}/web:latest . && docker push -q {HOST}/web:latest""",
        wrong={
            "still Tuesday's image": f"docker tag web:monday {HOST}/web:monday; docker push {HOST}/web:monday",
            "a third image": f"""sed -i.old s/1.2.4/1.2.5/ app.py && docker build -q -t {HOST}/web:latest .
                docker push {HOST}/web:latest""",
            "web has no tag latest": f"""docker tag web:monday {HOST}/web:monday; docker push {HOST}/web:monday
                docker tag {HOST}/web:latest {HOST}/web:tuesday; docker push {HOST}/web:tuesday
                aws ecr batch-delete-image --repository-name web --image-ids imageTag=latest""",
            "no second image yet": "aws ecr batch-delete-image --repository-name web --image-ids imageTag=latest",
        },
        right=(f"docker tag web:monday {HOST}/web:latest; docker push {HOST}/web:latest",),
    ),
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
            "hand in a digest": lambda lab: None,
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

ALL = {exercise.id: exercise for lesson in catalogue.lessons() for exercise in lesson.EXERCISES}


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def scene(monkeypatch, tmp_path):
    def prepare(case):
        folder = tmp_path / "app"
        shell(f"cp -r {APPS / case.app} {folder}")
        monkeypatch.chdir(folder)
        shell(case.scene)

    return prepare


def shell(command):
    subprocess.run(["bash", "-c", command], check=False, capture_output=True)


def attempt(lab, way):
    """Do it, or give the answer; a solution in Python is run as the learner would run it in a cell."""
    if isinstance(way, Callable):
        return way(lab)
    if "lab.check" in way:
        names = {"ecr": boto3.client("ecr"), "lab": lab}
        exec(way, names)
        return names.get("answer", names.get("ghost"))
    shell(way)
    return None


def test_every_exercise_has_a_case():
    assert set(CASES) == set(ALL)


@pytest.mark.parametrize("exercise", ALL)
def test_unsolved_says_what_is_missing(lab, exercise, capsys):
    lab.check(exercise)

    assert capsys.readouterr().out.startswith("✗ Not yet: ")


@pytest.mark.parametrize(
    ("exercise", "named"), [(exercise, named) for exercise, case in CASES.items() for named in case.wrong]
)
def test_a_plausible_mistake_is_named(lab, scene, exercise, named):
    case = CASES[exercise]
    scene(case)
    answer = attempt(lab, case.wrong[named])

    with pytest.raises(NotYet, match=named.replace("(", r"\(")):
        lab.check(exercise, answer, strict=True)


@pytest.mark.parametrize(
    ("exercise", "way"),
    [(exercise, number) for exercise, case in CASES.items() for number in range(-1, len(case.right))],
)
def test_every_right_way_passes(lab, scene, exercise, way):
    case = CASES[exercise]
    scene(case)
    answer = attempt(lab, case.right[way] if way >= 0 else exercises.find(exercise).solution)

    lab.check(exercise, answer, strict=True)
