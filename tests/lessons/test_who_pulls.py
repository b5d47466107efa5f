"""The exercises on the services that pull, step by step in one lab, which takes seconds to start ECS."""

import pytest

import ecrlab
from ecrlab.lessons.exercises import NotYet
from tests.lessons.case import HOST, Case, prepare
from tests.lessons.who_pulls_cases import CELLS, DEFINED, DEPLOYED, GONE, NIGHT, ROLE, V1, V2

FUNCTION_OF = "functions.update_function_code(FunctionName='{}', ImageUri=f'{}')"

OTHER = """
trusted("pulls", "ecs-tasks.amazonaws.com")
allow("*", name="pulls")
deploy(f"{app}@{old}", "pulls")
"""
EVERYWHERE = """
trusted("web-pulls", "ecs-tasks.amazonaws.com")
allow("Batch*Image", "Get*ForLayer", resource="*")
deploy(f"{app}@{old}", "web-pulls")
"""
A_ROLE = [
    ("", "the running task of web has the execution role ecsTaskExecutionRole"),
    (OTHER, "the running task of web has the execution role pulls"),
    (EVERYWHERE, "may also call ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on payroll"),
    ("allow('Batch*Image', 'Get*ForLayer', 'PutImage')", "may also call ecr:PutImage on my-app"),
    ("allow('Batch*Image')", "may not call ecr:GetDownloadUrlForLayer on my-app"),
    ("allow('Batch*Image', 'Get*ForLayer')", None),
]

ANY_ONE = """
rules = [
    {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
     "countNumber": 1}, "action": {"type": "expire"}},
    {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
     "action": {"type": "expire"}},
]
ecr.put_lifecycle_policy(repositoryName="jobs", lifecyclePolicyText=json.dumps({"rules": rules}))
"""
BY_DIGEST = [
    ("", "there is no repository named jobs; there is my-app"),
    ("ecr.create_repository(repositoryName='jobs')", "jobs has no image"),
    (V1, "the tags of jobs can be moved"),
    (
        "ecr.put_image_tag_mutability(repositoryName='jobs', imageTagMutability='IMMUTABLE')",
        "there is no task definition nightly",
    ),
    (f"define('{HOST}/jobs:v1', family='nightly')", "the task definition nightly names .*/jobs:v1"),
    (DEFINED, "there is no function nightly"),
    (f"{V2}\nfunction('nightly', '{HOST}/jobs:v2')", "the function nightly has another image than v1"),
    (FUNCTION_OF.format("nightly", f"{HOST}/jobs:v1"), "the function nightly names .*/jobs:v1, a tag"),
    (FUNCTION_OF.format("nightly", f"{HOST}/jobs@{{old}}"), "jobs has no lifecycle policy"),
    (NIGHT.replace("countNumber=1", "countNumber=30"), "no rule of jobs deletes what is untagged for a day"),
    (ANY_ONE, "rule 2 .* deletes what nightly runs"),
    (NIGHT, None),
]

UNTAGGED = "push((f'{app}:latest', f'{app}:v1.2.3'))\n"
BACK = [
    ("", "no night has taken an image yet"),
    (GONE, "the service web runs no task"),
    ("deploy(f'{app}:latest')", "the function web is Failed: The function is trying to use a deleted image"),
    (FUNCTION_OF.format("web", "{app}:latest"), "both run what latest names now"),
    ("push(('my-app:v1.2.3', f'{app}:v1.2.3'))\ndeploy(f'{app}@{old}')", "run different images"),
    (UNTAGGED + FUNCTION_OF.format("web", "{app}@{old}"), "the image has no tag"),
    ("push(('my-app:v1.2.3', f'{app}:v1.2.3'))", None),
]


EXERCISES = {"a-role-of-its-own": A_ROLE, "nightly-by-digest": BY_DIGEST, "bring-it-back": BACK}


@pytest.mark.slow
def test_each_step_says_what_is_missing_and_the_last_solves(tmp_path, monkeypatch):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))
    scene = Case(app="my-app", scene="true", wrong={}, cells=CELLS + DEPLOYED + ROLE)
    with ecrlab.start() as lab:
        names = prepare(lab, scene, tmp_path / "app", monkeypatch)
        for exercise, steps in EXERCISES.items():
            for step, missing in steps:
                exec(step, names)
                if missing is None:
                    lab.check(exercise, strict=True)
                else:
                    with pytest.raises(NotYet, match=missing):
                        lab.check(exercise, strict=True)
