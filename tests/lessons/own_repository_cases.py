"""Cases of the third exercises of lessons 00 to 03, each on a repository of its own."""

import json

from ecrlab.lessons import exercises
from tests.lessons.case import HOST, LOGIN, Case

HELLO = f"""{LOGIN}aws ecr create-repository --repository-name hello
    docker build -q -t {HOST}/hello:v1 . && docker push -q {HOST}/hello:v1
    """


def nightly(*statements):
    """Commands that make the repository nightly and the role robot, which may do this."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    return f"""aws ecr create-repository --repository-name nightly
        aws iam create-role --role-name robot \
            --assume-role-policy-document '{json.dumps({"Version": "2012-10-17", "Statement": [trust]})}'
        aws iam put-role-policy --role-name robot --policy-name push --policy-document '{json.dumps(document)}'"""


TOKEN = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
NIGHTLY = "arn:aws:ecr:us-east-1:123456789012:repository/nightly"


def site(build):
    return f"""aws ecr create-repository --repository-name site
        docker build -q {build} -t {HOST}/site:v1 . && docker push {HOST}/site:v1"""


def catalog(mode="IMMUTABLE_WITH_EXCLUSION", excluded="latest", change="echo '#' >> app.py", latest="v1"):
    """Commands that make the repository catalog with v1, v2 and latest."""
    filters = f"--image-tag-mutability-exclusion-filters filterType=WILDCARD,filter='{excluded}'" if excluded else ""
    return f"""aws ecr create-repository --repository-name catalog --image-tag-mutability {mode} {filters}
        docker build -q -t {HOST}/catalog:v1 . ; {change}
        docker build -q -t {HOST}/catalog:v2 . ; docker tag {HOST}/catalog:{latest} {HOST}/catalog:latest
        for tag in v1 v2 latest; do docker push {HOST}/catalog:$tag; done"""


CASES = {
    "publish-your-own": Case(
        scene=HELLO,
        wrong={
            "there is no repository named mine": "true",
            "mine has no image tagged v1; its tags: none": "aws ecr create-repository --repository-name mine",
            "mine has no image tagged v1; its tags: 1": f"""aws ecr create-repository --repository-name mine
                docker tag {HOST}/hello:v1 {HOST}/mine:1 && docker push {HOST}/mine:1""",
            "is the image of hello, byte for byte": f"""aws ecr create-repository --repository-name mine
                docker tag {HOST}/hello:v1 {HOST}/mine:v1 && docker push {HOST}/mine:v1""",
            "v1 of mine has no file hello.sh": f"""aws ecr create-repository --repository-name mine
                printf 'FROM scratch\\nCOPY Dockerfile /\\n' > Dockerfile
                docker build -q -t {HOST}/mine:v1 . && docker push {HOST}/mine:v1""",
            "hello.sh in v1 of mine is the original one": f"""aws ecr create-repository --repository-name mine
                echo 'LABEL other=1' >> Dockerfile
                docker build -q -t {HOST}/mine:v1 . && docker push {HOST}/mine:v1""",
        },
        right=(
            f"""aws ecr create-repository --repository-name mine --image-tag-mutability IMMUTABLE
                sed -i.old s/echo/printf/ hello.sh
                docker build -q -t mine . && docker tag mine {HOST}/mine:v1 && docker push {HOST}/mine:v1""",
        ),
    ),
    "a-role-that-pushes": Case(
        scene=HELLO,
        wrong={
            "there is no repository named nightly": "true",
            "there is no role named robot": "aws ecr create-repository --repository-name nightly",
            "robot may not fetch a token": nightly({"Action": PUSH, "Resource": NIGHTLY}),
            "ecr:InitiateLayerUpload is missing": nightly(TOKEN, {"Action": [PUSH[0], *PUSH[2:]], "Resource": NIGHTLY}),
            "ecr:PutImage is missing": nightly(TOKEN, {"Action": PUSH[:-1], "Resource": NIGHTLY}),
            "ecr:BatchCheckLayerAvailability for hello": nightly({"Action": "ecr:*", "Resource": "*"}),
            "ecr:BatchCheckLayerAvailability for nightly-2": nightly(
                TOKEN, {"Action": PUSH, "Resource": NIGHTLY + "*"}
            ),
            "robot also has ecr:BatchDeleteImage for nightly": nightly(TOKEN, {"Action": "ecr:*", "Resource": NIGHTLY}),
            "robot also has ecr:DeleteRepository for nightly": nightly(
                TOKEN, {"Action": [*PUSH, "ecr:DeleteRepository"], "Resource": NIGHTLY}
            ),
        },
        right=(
            nightly({"Action": ["ecr:*Layer*", "ecr:PutImage"], "Resource": NIGHTLY}, TOKEN),
            exercises.find("a-role-that-pushes").solution + "aws ecr delete-repository --force --repository-name hello",
        ),
    ),
    "one-tag-two-processors": Case(
        app="my-app",
        scene=LOGIN,
        wrong={
            "there is no repository named site": "true",
            "v1 of site is one image": site(""),
            "has no image for linux/arm64": site("--platform linux/amd64 --provenance=true"),
            "linux/amd64 has no file app.py": "printf 'FROM scratch\\nCOPY Dockerfile /\\n' > Dockerfile\n"
            + site("--platform linux/amd64,linux/arm64"),
            "has an attestation": site("--platform linux/amd64,linux/arm64 --provenance=true"),
        },
        right=(site("--platform linux/arm64,linux/amd64"),),
    ),
    "a-catalog-of-releases": Case(
        app="my-app",
        scene=LOGIN,
        wrong={
            "there is no repository named catalog": "true",
            "v1 may move in catalog": catalog(mode="MUTABLE", excluded=""),
            "latest may not move in catalog": catalog(mode="IMMUTABLE", excluded=""),
            "latest-7 may move in catalog": catalog(excluded="latest*"),
            "catalog has no tag v2": catalog().replace("v1 v2 latest", "v1 latest"),
            "v1 and v2 are the same image": catalog(change="true"),
            "latest is not the image of v1": catalog(latest="v2"),
        },
        right=(
            catalog(latest="v2")
            + f"\ndocker tag {HOST}/catalog:v1 {HOST}/catalog:latest; docker push {HOST}/catalog:latest",
        ),
    ),
}
