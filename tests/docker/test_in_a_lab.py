"""The chapter's commands, word for word, in a lab: the aws CLI, a pipe, and docker on PATH."""

import os
import subprocess

import pytest

import ecrlab

PUSH = r"""
set -e -o pipefail
aws ecr get-login-password --region us-east-1 | \
  docker login --username AWS --password-stdin \
  123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr create-repository \
  --repository-name my-app \
  --image-scanning-configuration scanOnPush=true \
  --encryption-configuration encryptionType=KMS \
  --image-tag-mutability IMMUTABLE > /dev/null
docker build -t my-app:v1.2.3 .
docker tag my-app:v1.2.3 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3
aws ecr describe-images --repository-name my-app --query 'imageDetails[*].[imageTags[0],imageDigest]' --output text
"""


@pytest.mark.client("aws")
def test_the_commands_of_the_chapter_work_verbatim(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM public.ecr.aws/docker/library/python:3.12-slim-bookworm\nWORKDIR /app\nCOPY app.py .\n"
    )
    (tmp_path / "app.py").write_text("print('hello')\n")
    with ecrlab.start():
        ran = subprocess.run(
            ["bash", "-c", PUSH], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Login Succeeded\n")
    pushed, listed = ran.stdout.splitlines()[-2:]
    assert pushed.startswith("v1.2.3: digest: sha256:")
    assert listed.split() == ["v1.2.3", pushed.split()[2]]
