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

IMAGES = f"""{LOGIN}docker build -q -t my-app:v1.2.3 . && docker tag my-app:v1.2.3 {APP}:old && docker push -q {APP}:old
sed -i.old s/1.2.3/1.2.4/ app.py && docker build -q -t {APP}:latest . && docker push -q {APP}:latest
"""

DEPLOYED = f"""
for name in ("my-app", "payroll"):
    ecr.create_repository(repositoryName=name)
subprocess.run(["bash", "-c", {IMAGES!r}], capture_output=True)
ecs.create_cluster(clusterName="shop")
old = ecr.describe_images(repositoryName="my-app", imageIds=[{{"imageTag": "old"}}])["imageDetails"][0]["imageDigest"]
ecs.create_service(serviceName="web", taskDefinition=define(f"{APP}@{{old}}"), desiredCount=1, **fargate)
function("web", f"{APP}@{{old}}")
"""
GONE = f"""
selected = dict(tagStatus="tagged", tagPrefixList=["old"])
policy("my-app", **selected, countType="sinceImagePushed", countUnit="days", countNumber=1)
lab.clock.advance(days=2)
subprocess.run(["bash", "-c", {LOGIN!r}], capture_output=True)
for task in ecs.list_tasks(cluster="shop", serviceName="web")["taskArns"]:
    ecs.stop_task(cluster="shop", task=task)
"""


AGAIN = """
push(("my-app:v1.2.3", f"{app}:v1.2.3"))
deploy(f"{app}@{old}")
functions.update_function_code(FunctionName="web", ImageUri=f"{app}:v1.2.3")
lab.check("bring-it-back")
"""

BACK = f"docker tag my-app:v1.2.3 {APP}:v1.2.3 && docker push -q {APP}:v1.2.3"

ROLE = """
def allow(*actions, name="web-pulls", resource="arn:aws:ecr:us-east-1:123456789012:repository/my-app"):
    token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    allowed = {"Effect": "Allow", "Action": [f"ecr:{action}" for action in actions], "Resource": resource}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(token, allowed))
"""
GIVEN = """
trusted("web-pulls", "ecs-tasks.amazonaws.com")
allow("BatchGetImage", "GetDownloadUrlForLayer")
deploy(f"{app}@{old}", "web-pulls")
lab.check("a-role-of-its-own")
"""

JOBS = "ecr.create_repository(repositoryName='jobs', imageTagMutability='IMMUTABLE')"
V1 = f"push(('my-app:v1.2.3', '{HOST}/jobs:v1'))"
V2 = f"push(('{APP}:latest', '{HOST}/jobs:v2'))"
DEFINED = f"define(f'{HOST}/jobs@{{old}}', family='nightly')"
FUNCTION = f"function('nightly', f'{HOST}/jobs@{{old}}')"
NIGHT = "policy('jobs', tagStatus='untagged', countType='sinceImagePushed', countUnit='days', countNumber=1)"

CASES = {
    "bring-it-back": Case(
        app="my-app",
        scene="true",
        cells=CELLS + DEPLOYED + GONE,
        wrong={
            "the service web runs no task": "true",
            "the image is there, and the service web has not started a task since": BACK,
        },
        right=(AGAIN,),
    ),
    "a-role-of-its-own": Case(
        app="my-app",
        scene="true",
        cells=CELLS + DEPLOYED + ROLE,
        wrong={"the service web has the execution role ecsTaskExecutionRole": "true"},
        right=(GIVEN,),
    ),
    "nightly-by-digest": Case(
        app="my-app",
        scene="true",
        cells=CELLS + DEPLOYED,
        wrong={"there is no repository named jobs; there is my-app": "true"},
        right=("\n".join([JOBS, V1, V2, NIGHT, FUNCTION, DEFINED, "lab.check('nightly-by-digest')"]),),
    ),
}
"""`test_who_pulls` goes through more mistakes, in one lab."""
