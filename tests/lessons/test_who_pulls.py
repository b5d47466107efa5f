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
FOR_LAMBDA = """
trusted("web-pulls", "lambda.amazonaws.com")
allow("BatchGetImage", "GetDownloadUrlForLayer")
deploy(f"{app}@{old}", "web-pulls")
"""
TRUSTED = """
for_tasks = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
iam.update_assume_role_policy(RoleName="web-pulls", PolicyDocument=document(for_tasks))
"""
DENIED = """
denied = {"Effect": "Deny", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/my-app?*"}
iam.put_role_policy(RoleName="web-pulls", PolicyName="d", PolicyDocument=document(denied))
"""
MANAGED = "{}_role_policy(RoleName='web-pulls', PolicyArn='arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly')"
ALIKE = "resource='arn:aws:ecr:us-east-1:123456789012:repository/my-app{}'"
PAIR = "'BatchGetImage', 'GetDownloadUrlForLayer'"
A_ROLE = [
    ("", "the service web has the execution role ecsTaskExecutionRole"),
    (OTHER, "the service web has the execution role pulls"),
    ("deploy(f'{app}@{old}', 'web-pulls')", "there is no role web-pulls"),
    (FOR_LAMBDA, "the trust policy of web-pulls does not let ecs-tasks.amazonaws.com assume it"),
    (TRUSTED, "the task that runs still has the role pulls"),
    (
        "lab.clock.advance(minutes=30)\nallow('Batch*Image')",
        "may also call ecr:BatchDeleteImage and ecr:BatchImport.* on my-app",
    ),
    ("allow('BatchGetImage')", "may not call ecr:GetDownloadUrlForLayer on my-app"),
    (f"allow({PAIR}, resource='*')", "may also call ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on payroll"),
    (f"allow({PAIR}, 'PutImage')", "may also call ecr:PutImage on my-app"),
    (f"allow({PAIR}, 'Delete*')", "call ecr:DeleteLifecyclePolicy, ecr:DeleteRepository and others on my-app"),
    (f"allow({PAIR}, {ALIKE.format('*')})", "on a repository my-app-2, if somebody makes one"),
    (f"allow({PAIR}, {ALIKE.format('?')})", "may not call ecr:BatchGetImage and .* on my-app"),
    (f"allow({PAIR})\niam.{MANAGED.format('attach')}", "may also call ecr:BatchImportUpstreamImage on my-app"),
    (f"iam.{MANAGED.format('detach')}", "the task that runs still has the role pulls; .* a new deployment tries again"),
    ("deploy(f'{app}@{old}', 'web-pulls')", None),
    (f"allow({PAIR}, {ALIKE.format('*')})\n{DENIED}", None),
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

AWAY = "ecr.batch_delete_image(repositoryName='my-app', imageIds=[{'imageDigest': old}])"
UNTAGGED = "push((f'{app}:latest', f'{app}:v1.2.3'))\n"
BACK = [
    ("", "no night has taken an image yet"),
    (GONE, "the service web runs no task"),
    (
        "push(('my-app:v1.2.3', f'{app}:v1.2.3'))",
        "the image is there, and the service web has not started a task since",
    ),
    (f"{AWAY}\ndeploy(f'{{app}}:latest')", "the function web is Failed: The function is trying to use a deleted image"),
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
