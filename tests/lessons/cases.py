"""Each exercise of each lesson, with ways to go wrong and right."""

from datetime import timedelta

from ecrlab.analysis.costs import storage
from ecrlab.lessons import catalogue
from tests.lessons import (
    access_cases,
    encryption_cases,
    lifecycle_cases,
    own_repository_cases,
    public_and_cache_cases,
    replication_cases,
    scanning_cases,
    who_pulls_cases,
)
from tests.lessons.case import HOST, LOGIN, Case


def untagged(lab):
    found = lab.client("ecr").describe_images(repositoryName="playground", filter={"tagStatus": "UNTAGGED"})
    return min(found["imageDetails"], key=lambda image: image["imagePushedAt"])["imageDigest"]


def deleted(lab):
    digest = untagged(lab)
    lab.client("ecr").batch_delete_image(repositoryName="playground", imageIds=[{"imageDigest": digest}])
    return digest


def child(lab):
    found = lab.client("ecr").describe_images(repositoryName="playground", filter={"tagStatus": "UNTAGGED"})
    return max(found["imageDetails"], key=lambda image: image["imagePushedAt"])["imageDigest"]


def tagged(lab):
    return lab.client("ecr").describe_images(repositoryName="playground", imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ][0]["imageDigest"]


def shop(mode, *filters):
    excluded = " ".join(f"filterType=WILDCARD,filter='{one}'" for one in filters)
    return f"""aws ecr create-repository --repository-name shop --image-tag-mutability {mode} \
        --image-tag-mutability-exclusion-filters {excluded}"""


A_YEAR = 'lab.load("a-year-of-ci", seed=7)\n'
RULES = """
import json

COUNT, AGE = "imageCountMoreThan", "sinceImagePushed"

def rule(priority, description, tags, count, number):
    chosen = {"tagStatus": "tagged", "tagPatternList": [tags]} if tags else {"tagStatus": "untagged"}
    days = {"countUnit": "days"} if count == AGE else {}
    selection = {**chosen, "countType": count, **days, "countNumber": number}
    return {"rulePriority": priority, "description": description, "selection": selection, "action": {"type": "expire"}}

def put(*rules):
    ecr.put_lifecycle_policy(repositoryName="bike/search", lifecyclePolicyText=json.dumps({"rules": rules}))
"""


def search(lab):
    return lab.storage("bike/search")


def policy(*rules, after=""):
    """Python that puts a policy; the check is there so that it is run as a cell."""
    return f"put({', '.join(rules)})\n{after}\nlab.check('save-and-break-nothing')"


def forecast(*rules):
    """Python that puts a policy on bike/forecast."""
    text = f'json.dumps({{"rules": [{", ".join(rules)}]}})'
    put = f'ecr.put_lifecycle_policy(repositoryName="bike/forecast", lifecyclePolicyText={text})'
    return f"{put}\nlab.check('bring-it-down')"


RELEASES = 'rule(1, "", "v*", AGE, 365)'
BUILDS = 'rule(2, "", "main-*", AGE, 30), rule(3, "", "pr-*", AGE, 14)'


OF_OTHER_FILES = (
    access_cases.CASES
    | encryption_cases.CASES
    | own_repository_cases.CASES
    | public_and_cache_cases.CASES
    | lifecycle_cases.CASES
    | scanning_cases.CASES
    | replication_cases.CASES
    | who_pulls_cases.CASES
)

CASES = OF_OTHER_FILES | {
    "push-a-second-tag": Case(
        scene=f"""{LOGIN}aws ecr create-repository --repository-name hello
            docker build -q -t {HOST}/hello:v1 . && docker push -q {HOST}/hello:v1""",
        wrong={
            "none called stable": f"docker tag {HOST}/hello:v1 {HOST}/hello:Stable && docker push {HOST}/hello:Stable",
            "two different images": f"""echo 'LABEL other=1' >> Dockerfile && docker build -q -t {HOST}/hello:stable .
                docker push {HOST}/hello:stable""",
            "hello has no image tagged v1": f"""docker tag {HOST}/hello:v1 {HOST}/hello:stable
                docker push {HOST}/hello:stable
                aws ecr batch-delete-image --repository-name hello --image-ids imageTag=v1""",
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
            "there is no answer yet": lambda lab: ...,
            "twelve": lambda lab: lab.clock.now().replace(hour=lab.clock.now().hour + 1),
            "no datetime": lambda lab: "tomorrow",
            "lab's past": lambda lab: "2020-01-01T00:00",
            "a length of time": lambda lab: timedelta(hours=12),
            "expected a time, got 'dict'": lambda lab: lab.client("ecr").get_authorization_token(),
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
            "missing or cannot be read": "echo [] > $DOCKER_CONFIG/config.json",
            "eu-west-1.* is no password that ECR gave": f"""cat > $DOCKER_CONFIG/config.json <<< '{{"auths":
                {{"{HOST.replace("us-east-1", "eu-west-1")}": {{"auth": "%"}}}}}}'""",
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
            "app.py in v1.2.5 names another version": f"""docker build -q -t {HOST}/my-app:v1.2.5 .
                docker push {HOST}/my-app:v1.2.5""",
            "the tag is 1.2.5, not v1.2.5": f"""docker build -q -t {HOST}/my-app:1.2.5 .
                docker push {HOST}/my-app:1.2.5""",
            "shares no layer": f"""printf 'FROM scratch\\nCOPY app.py /\\n' > Dockerfile
                docker build -q -t {HOST}/my-app:v1.2.5 . && docker push {HOST}/my-app:v1.2.5""",
            "delete it with aws ecr batch-delete-image": f"""
                aws ecr put-image-tag-mutability --repository-name my-app --image-tag-mutability IMMUTABLE
                docker tag {HOST}/my-app:v1.2.3 {HOST}/my-app:v1.2.5 && docker push {HOST}/my-app:v1.2.5""",
            "has no image tagged v1.2.3": f"""docker build -q -t {HOST}/my-app:v1.2.5 .
                docker push {HOST}/my-app:v1.2.5
                aws ecr batch-delete-image --repository-name my-app --image-ids imageTag=v1.2.3""",
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
            "there is no answer yet": lambda lab: ...,
            "no image that lost its tag": deleted,
            "never had a tag": child,
            "the one tagged v1": tagged,
            "is no digest": lambda lab: "v1",
            "that digest is not whole": lambda lab: untagged(lab)[:19],
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
            "zz7 may move": shop("IMMUTABLE_WITH_EXCLUSION", "latest", "dev-*", "zz*"),
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
        right=(
            f"docker tag web:monday {HOST}/web:latest; docker push {HOST}/web:latest",
            """manifest=$(aws ecr batch-get-image --repository-name web --image-ids imageDigest=$(
                aws ecr describe-images --repository-name web --output text \
                --query 'sort_by(imageDetails, &imagePushedAt)[0].imageDigest') \
                --query 'images[0].imageManifest' --output text)
               aws ecr put-image --repository-name web --image-tag latest --image-manifest "$manifest" """,
        ),
        cells="""
def point(tag, digest, repository="my-app"):
    found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    ecr.put_image(repositoryName=repository, imageManifest=found["images"][0]["imageManifest"], imageTag=tag)

images = ecr.describe_images(repositoryName="web")["imageDetails"]
monday = min(images, key=lambda image: image["imagePushedAt"])["imageDigest"]
""",
    ),
    "count-the-layers": Case(
        scene="true",
        cells=A_YEAR,
        wrong={
            "the sum of imageSizeInBytes": lambda lab: sum(one.size_in_bytes for one in search(lab).images),
            "the sum without the indexes": lambda lab: sum(
                one.size_in_bytes for one in search(lab).images if not one.is_index
            ),
            "what the images hold alone": lambda lab: sum(storage.own(search(lab)).values()),
            "not what its layers come to": lambda lab: 1,
            "expected a whole number of bytes, got 'str'": lambda lab: "21 GB",
        },
        right=(lambda lab: storage.stored(search(lab)).least,),
    ),
    "save-and-break-nothing": Case(
        scene="true",
        cells=A_YEAR + RULES,
        wrong={
            "bike/search has no lifecycle policy": "true",
            "deletes v2.23.0, which runs as .*/bike/search:v2.23.0": policy('rule(1, "", "v*", COUNT, 20)', BUILDS),
            "deletes the untagged [0-9a-f]{12}, which was pulled in the last seven days": policy(
                RELEASES, BUILDS, 'rule(4, "", None, AGE, 1)'
            ),
            "it deletes v[0-9.]*, one of the newest 10 releases": policy(
                'rule(1, "", "v2.23.0", COUNT, 1), rule(2, "", "v*", COUNT, 9)',
                'rule(3, "", "main-*", AGE, 60), rule(4, "", "pr-*", AGE, 21), rule(5, "", None, AGE, 7)',
            ),
            "it leaves 22 GB of 22 GB; at most 5.0 GB should stay": policy('rule(1, "", "v*", AGE, 400)'),
            "bike/search:v2.23.0 runs, and its image is gone already": policy(
                'rule(1, "", "v*", COUNT, 20)', after="lab.clock.advance(days=1)"
            ),
        },
        right=(
            policy(
                'rule(1, "", "v2.23.0", COUNT, 1), rule(2, "", "v*", COUNT, 20)',
                'rule(3, "", "main-*", AGE, 60), rule(4, "", "pr-*", AGE, 21), rule(5, "", None, AGE, 7)',
            ),
            policy(RELEASES, BUILDS, 'rule(4, "", None, AGE, 14)', after="lab.clock.advance(days=3)"),
        ),
    ),
    "bring-it-down": Case(
        scene="true",
        cells=A_YEAR + RULES,
        wrong={
            "bike/forecast has no lifecycle policy": "true",
            "there is no repository named bike/forecast": "aws ecr delete-repository --force "
            "--repository-name bike/forecast",
            "it leaves 19 GB of 79 GB; at most 16 GB should stay": forecast(  # the policy of the lesson
                'rule(1, "", "demo-*", COUNT, 10), rule(2, "", "v*", COUNT, 20), rule(3, "", "main-*", AGE, 30)',
                'rule(4, "", "pr-*", AGE, 14), rule(5, "", "nightly-*", AGE, 14), rule(6, "", None, AGE, 7)',
            ),
            "it deletes v[0-9.]*, one of the newest 10 releases": forecast('rule(1, "", "v*", COUNT, 9)', BUILDS),
            "at most 16 GB should stay": forecast('rule(1, "", "v*", COUNT, 10)', 'rule(4, "", None, AGE, 7)'),
            "which runs as .*/bike/forecast:v": forecast('rule(1, "", "*", AGE, 1)', 'rule(2, "", None, AGE, 1)'),
        },
        right=(forecast('rule(1, "", "v*", COUNT, 12)', BUILDS, 'rule(4, "", None, AGE, 10)'),),
    ),
}

ALL = {exercise.id: exercise for lesson in catalogue.lessons() for exercise in lesson.EXERCISES}
