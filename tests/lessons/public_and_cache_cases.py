"""Cases of the exercises on public repositories and caches."""

import json

from tests.lessons.case import HOST, Case

PUBLIC_LOGIN = (
    "aws ecr-public get-login-password --region us-east-1 | "
    "docker login --username AWS --password-stdin public.ecr.aws\n"
)
TEXTS = {"description": "Says its version.", "usageText": "docker run IMAGE"}


def public(name="which-version", **texts):
    """Create a public repository; the shell variable `public` holds its URI."""
    return f"""{PUBLIC_LOGIN}public=$(aws ecr-public create-repository --region us-east-1 --repository-name {name} \\
        --catalog-data '{json.dumps(texts)}' --query repository.repositoryUri --output text)
"""


def pushed(*tags):
    return "docker build -q -t it . \n" + "".join(
        f"docker tag it $public:{tag}; docker push -q $public:{tag}\n" for tag in tags
    )


CELLS = """
import json
import subprocess

hub = lab.upstream("docker-hub")
secret = lab.client("secretsmanager").create_secret(
    Name="ecr-pullthroughcache/docker-hub", SecretString=json.dumps(hub.credentials)
)
ecr.create_pull_through_cache_rule(
    ecrRepositoryPrefix="docker-hub", upstreamRegistryUrl="registry-1.docker.io", credentialArn=secret["ARN"]
)


def pull(when, image="alpine:3.22.6"):
    name, _, tag = image.partition(":")
    ecr.batch_get_image(repositoryName=f"docker-hub/library/{name}", imageIds=[{"imageTag": tag}])


def template(prefix="pinned", days=90, **settings):
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days},
        "action": {"type": "expire"},
    }
    policy = {"lifecyclePolicy": json.dumps({"rules": [rule]})} if days else {}
    wanted = {"appliedFor": ["PULL_THROUGH_CACHE"], "imageTagMutability": "IMMUTABLE", **policy}
    ecr.create_repository_creation_template(prefix=prefix, **wanted | settings)


def cache(url="public.ecr.aws"):
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="pinned", upstreamRegistryUrl=url)


def python(name="docker/library/python"):
    image = {"imageTag": "3.12-slim-bookworm"}
    ecr.batch_get_image(repositoryName="pinned/" + name, imageIds=[image])
"""

NGINX, PYTHON = "pull('now', 'nginx:1.23.3-alpine-slim')", "pull('now', 'python:3.12-slim-bookworm')"


def ready(*lines):
    return "\n".join([*lines, "lab.check('ready-for-an-outage')"])


def pinned(*lines):
    return "\n".join([*lines, "lab.check('a-cache-that-stays')"])


CASES = {
    "publish-a-tool": Case(
        app="my-app",
        scene=public("my-app") + pushed("v1.2.3"),
        wrong={
            "no public repository which-version; there is my-app": "aws ecr create-repository "
            "--repository-name which-version",
            "which-version has no description": public(usageText="docker run") + pushed("v1", "latest"),
            "which-version has no usageText": public(description="It says") + pushed("v1", "latest"),
            "which-version has no tag v1; its tags: none": public(**TEXTS),
            "which-version has no tag latest; its tags: v1": public(**TEXTS) + pushed("v1"),
            "v1 and latest of which-version are two images": public(**TEXTS)
            + pushed("v1")
            + "echo '#' >> app.py\n"
            + pushed("latest"),
            "v1 of which-version is another image than v1.2.3 of my-app": public(**TEXTS)
            + "echo '#' >> app.py\n"
            + pushed("v1", "latest"),
            "no image v1.2.3 to compare with": "aws ecr-public batch-delete-image --region us-east-1 "
            "--repository-name my-app --image-ids imageTag=v1.2.3\n" + public(**TEXTS) + pushed("v1", "latest"),
        },
        right=(
            public()
            + pushed("latest", "v1")
            + "aws ecr-public put-repository-catalog-data --region us-east-1 --repository-name which-version "
            + f"--catalog-data '{json.dumps(TEXTS)}'",
        ),
    ),
    "ready-for-an-outage": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "nothing of library/nginx is cached": ready(PYTHON),
            "nothing of library/python is cached": ready(NGINX),
            "docker-hub/library/nginx has no image tagged 1.23.3-alpine-slim; its tags: slim": ready(
                "hub.move_tag('library/nginx', 'slim', to='1.23.3-alpine-slim')", "pull('now', 'nginx:slim')"
            ),
            "1.23.3-alpine-slim of docker-hub/library/nginx is not the image of Docker Hub": f"""
                aws ecr get-login-password | docker login -u AWS --password-stdin {HOST}
                aws ecr create-repository --repository-name docker-hub/library/nginx
                docker build -q -t {HOST}/docker-hub/library/nginx:1.23.3-alpine-slim .
                docker push {HOST}/docker-hub/library/nginx:1.23.3-alpine-slim""",
        },
        right=(
            f"""aws ecr get-login-password | docker login -u AWS --password-stdin {HOST}
                docker pull {HOST}/docker-hub/library/python:3.12-slim-bookworm
                docker pull {HOST}/docker-hub/library/nginx:1.23.3-alpine-slim""",
        ),
    ),
    "a-cache-that-stays": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "no cache rule has the prefix pinned; prefixes: docker-hub": "true",
            "pinned is a cache of quay.io": pinned("cache('quay.io')"),
            "no creation template for PULL_THROUGH_CACHE fits pinned/docker/library/python": pinned(
                "cache()", "template(appliedFor=['REPLICATION'])", "template('pinned/quay')"
            ),
            "there is no repository named pinned/docker/library/python": pinned("cache()", "template()"),
            "tags of .* can move .MUTABLE.; a template acts only when": pinned("cache()", "python()", "template()"),
            "has no lifecycle policy": pinned("cache()", "template(days=0)", "python()"),
            "expires any image 90 days after its push": pinned("cache()", "template(days=30)", "python()"),
        },
        right=(
            pinned("template('ROOT', appliedFor=['CREATE_ON_PUSH', 'PULL_THROUGH_CACHE'])", "cache()", "python()"),
            pinned("template('pinned/docker')", "cache()", "python()"),
        ),
    ),
}
