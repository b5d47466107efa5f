"""Cases of the exercises on the services that pull: a service of ECS, a function, and an image that a night took."""

from tests.lessons.case import HOST, LOGIN, Case

APP = f"{HOST}/my-app"

CELLS = f"""
import json
import subprocess

ecs, iam, functions = (lab.client(name) for name in ("ecs", "iam", "lambda"))
subnets = [one["SubnetId"] for one in lab.client("ec2").describe_subnets()["Subnets"][:1]]
fargate = {{"cluster": "shop", "launchType": "FARGATE"}}
fargate["networkConfiguration"] = {{"awsvpcConfiguration": {{"subnets": subnets}}}}

def document(*statements):
    return json.dumps({{"Version": "2012-10-17", "Statement": statements}})

def trusted(name, service):
    assumed = {{"Effect": "Allow", "Principal": {{"Service": service}}, "Action": "sts:AssumeRole"}}
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(assumed))["Role"]["Arn"]

def define(image, role="ecsTaskExecutionRole", family="web"):
    answer = ecs.register_task_definition(
        family=family, executionRoleArn=role, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
        memory="512", containerDefinitions=[{{"name": family, "image": image}}])
    return answer["taskDefinition"]["taskDefinitionArn"]

def deploy(image, role="ecsTaskExecutionRole"):
    ecs.update_service(cluster="shop", service="web", taskDefinition=define(image, role))

def function(name, image):
    functions.create_function(
        FunctionName=name, PackageType="Image", Role=trusted(name, "lambda.amazonaws.com"), Code={{"ImageUri": image}})

def push(*names):
    for source, name in names:
        subprocess.run(["docker", "tag", source, name])
        subprocess.run(["docker", "push", "-q", name], capture_output=True)

def policy(repository, **selection):
    rule = {{"rulePriority": 1, "selection": selection, "action": {{"type": "expire"}}}}
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({{"rules": [rule]}}))

app = "{APP}"
"""

DEPLOYED = f"""
ecs.create_cluster(clusterName="shop")
old = ecr.describe_images(repositoryName="my-app", imageIds=[{{"imageTag": "old"}}])["imageDetails"][0]["imageDigest"]
ecs.create_service(serviceName="web", taskDefinition=define(f"{APP}@{{old}}"), desiredCount=1, **fargate)
function("web", f"{APP}@{{old}}")
"""
GONE = """
ecr.batch_delete_image(repositoryName="my-app", imageIds=[{"imageDigest": old}])
for task in ecs.list_tasks(cluster="shop", serviceName="web")["taskArns"]:
    ecs.stop_task(cluster="shop", task=task)
"""
IMAGES = f"""{LOGIN}for name in my-app payroll; do aws ecr create-repository --repository-name $name; done
docker build -q -t my-app:v1.2.3 . && docker tag my-app:v1.2.3 {APP}:old && docker push -q {APP}:old
sed -i.old s/1.2.3/1.2.4/ app.py && docker build -q -t {APP}:latest . && docker push -q {APP}:latest
"""


def cell(exercise, *lines):
    """A cell of Python that ends with the check."""
    return "\n".join([*lines, f"lab.check({exercise!r})"])


def back(*lines):
    return cell("bring-it-back", *lines)


AGAIN = "push(('my-app:v1.2.3', f'{app}:v1.2.3'))\ndeploy(f'{app}@{old}')"


def role(*lines, name="web-pulls", actions=("BatchGetImage", "GetDownloadUrlForLayer"), resource="repository/my-app"):
    """A role that may do some actions to a resource, and get a token; the service pulls with it."""
    named = [f"ecr:{action}" for action in actions]
    arn = resource if resource == "*" else f"arn:aws:ecr:us-east-1:123456789012:{resource}"
    allowed = {"Effect": "Allow", "Action": named, "Resource": arn}
    token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    put = f"iam.put_role_policy(RoleName={name!r}, PolicyName='p', PolicyDocument=document({token}, {allowed}))"
    made = [f"trusted({name!r}, 'ecs-tasks.amazonaws.com')", put, f"deploy(f'{{app}}@{{old}}', {name!r})"]
    return cell("a-role-of-its-own", *made, *lines)


MUTABLE = "ecr.create_repository(repositoryName='jobs')"
JOBS = "ecr.create_repository(repositoryName='jobs', imageTagMutability='IMMUTABLE')"
V1 = f"push(('my-app:v1.2.3', '{HOST}/jobs:v1'))"
NEW = f"push(('{APP}:latest', '{HOST}/jobs:v2'))"
DEFINED = f"define(f'{HOST}/jobs@{{old}}', family='nightly')"
FUNCTION = f"function('nightly', f'{HOST}/jobs@{{old}}')"
NIGHT = "policy('jobs', tagStatus='untagged', countType='sinceImagePushed', countUnit='days', countNumber=1)"


def nightly(*lines):
    return cell("nightly-by-digest", *lines)


CASES = {
    "bring-it-back": Case(
        app="my-app",
        scene=IMAGES,
        cells=CELLS + DEPLOYED + GONE,
        wrong={
            "the service web runs no task": "true",
            "the function web is Failed: The function is trying to use a deleted image": back(
                "deploy(f'{app}:latest')"
            ),
            "run different images": back(
                AGAIN, "functions.update_function_code(FunctionName='web', ImageUri=f'{app}:latest')"
            ),
            "both run what latest names now": back(
                "deploy(f'{app}:latest')",
                "functions.update_function_code(FunctionName='web', ImageUri=f'{app}:latest')",
            ),
            "the image has no tag": back(AGAIN, "push((f'{app}:latest', f'{app}:v1.2.3'))"),
        },
        right=(back(AGAIN, "functions.update_function_code(FunctionName='web', ImageUri=f'{app}:v1.2.3')"),),
    ),
    "a-role-of-its-own": Case(
        app="my-app",
        scene=IMAGES,
        cells=CELLS + DEPLOYED,
        wrong={
            "the running task of web has the execution role ecsTaskExecutionRole": "true",
            "the running task of web has the execution role pulls": role(name="pulls"),
            "web-pulls may also call .*GetDownloadUrlForLayer on payroll": role(resource="*"),
            "web-pulls may also call ecr:PutImage on my-app": role(
                actions=("BatchGetImage", "GetDownloadUrlForLayer", "PutImage")
            ),
            "the service web runs no task": role(
                "[task] = ecs.list_tasks(cluster='shop', serviceName='web')['taskArns']",
                "ecs.stop_task(cluster='shop', task=task)",
                actions=("BatchGetImage",),
            ),
        },
        right=(role(actions=("Batch*Image", "Get*ForLayer")),),
    ),
    "nightly-by-digest": Case(
        app="my-app",
        scene=IMAGES,
        cells=CELLS + DEPLOYED,
        wrong={
            "there is no repository named jobs; there is my-app": "true",
            "the tags of jobs can be moved": nightly(MUTABLE, V1, DEFINED, FUNCTION, NIGHT),
            "jobs has no image tagged v1": nightly(JOBS, NEW),
            "there is no task definition nightly": nightly(JOBS, V1, FUNCTION, NIGHT),
            "the task definition nightly names .*/jobs:v1": nightly(
                JOBS, V1, f"define('{HOST}/jobs:v1', family='nightly')", FUNCTION, NIGHT
            ),
            "there is no function nightly": nightly(JOBS, V1, DEFINED, NIGHT),
            "the function nightly has another image": nightly(
                JOBS, V1, NEW, DEFINED, f"function('nightly', '{HOST}/jobs:v2')", NIGHT
            ),
            "the function nightly names .*/jobs:v1, a tag": nightly(
                JOBS, V1, DEFINED, f"function('nightly', '{HOST}/jobs:v1')", NIGHT
            ),
            "jobs has no lifecycle policy": nightly(JOBS, V1, DEFINED, FUNCTION),
            "no rule of jobs deletes what is untagged for a day": nightly(
                JOBS, V1, DEFINED, FUNCTION, NIGHT.replace("countNumber=1", "countNumber=30")
            ),
            "rule 2 .* deletes what nightly runs": nightly(
                JOBS,
                V1,
                NEW,
                DEFINED,
                FUNCTION,
                "untagged = dict(tagStatus='untagged', countType='sinceImagePushed', countUnit='days', countNumber=1)",
                "newest = dict(tagStatus='any', countType='imageCountMoreThan', countNumber=1)",
                "rules = [dict(rulePriority=k, selection=one, action=dict(type='expire')) "
                "for k, one in enumerate((untagged, newest), 1)]",
                "ecr.put_lifecycle_policy(repositoryName='jobs', lifecyclePolicyText=json.dumps(dict(rules=rules)))",
            ),
        },
        right=(nightly(JOBS, V1, NEW, NIGHT, FUNCTION, DEFINED),),
    ),
}
