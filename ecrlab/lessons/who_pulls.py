"""Exercises and cards of 11-who-pulls."""

from typing import Any

from ecrlab.analysis.costs import risks, savings
from ecrlab.analysis.inventory import running
from ecrlab.lessons.execution_roles import only_pulls
from ecrlab.lessons.exercises import Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.lifecycle import parse


def _service(view: View) -> dict[str, Any]:
    """Return the task definition that the service web has now. Raises `NotYet` without the service."""
    ecs = view.client("ecs")
    try:
        found = ecs.describe_services(cluster="shop", services=["web"])["services"]
    except ecs.exceptions.ClusterNotFoundException:
        found = []
    view.require(found, "there is no service web in a cluster shop; run the cells above first")
    return _definition(view, found[0]["taskDefinition"])


def _definition(view: View, name: str) -> dict[str, Any]:
    answer = view.client("ecs").describe_task_definition(taskDefinition=name)
    definition: dict[str, Any] = answer["taskDefinition"]
    return definition


def _task(view: View) -> dict[str, Any]:
    """Return a running task of the service web. Raises `NotYet` without one."""
    definition = _service(view)
    ecs = view.client("ecs")
    arns = ecs.list_tasks(cluster="shop", serviceName="web")["taskArns"]
    if not arns and all(_is_there(view, one["image"]) for one in definition["containerDefinitions"]):
        again = "begin a new deployment, or let minutes of the lab's clock pass"
        raise NotYet(f"the image is there, and the service web has not started a task since; {again}")
    view.require(arns, "the service web runs no task; its events say why")
    tasks: list[dict[str, Any]] = ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    return tasks[0]


def _is_there(view: View, image: str) -> bool:
    """Tell whether my-app has the digest or the tag that a reference names."""
    reference = image.rpartition("/my-app")[2]
    tags = view.tags("my-app")
    return reference[1:] in ({one["imageDigest"] for one in view.images("my-app")} if "@" in reference else tags)


def _function(view: View, name: str) -> str:
    """Return the digest of a function's image. Raises `NotYet` without one, and for a function that failed."""
    functions = view.client("lambda")
    try:
        found = functions.get_function(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException:
        raise NotYet(f"there is no function {name}") from None
    told = found["Configuration"]
    view.require(told["State"] == "Active", f"the function {name} is {told['State']}: {told.get('StateReason', '')}")
    return str(found["Code"]["ResolvedImageUri"].partition("@")[2])


def _bring_back(view: View) -> str:
    images = {one["imageDigest"]: one for one in view.images("my-app")}
    digest = _task(view)["containers"][0].get("imageDigest", "")
    view.require(_function(view, "web") == digest, "the service web and the function web run different images")
    attribute = {"AttributeKey": "EventName", "AttributeValue": "PolicyExecutionEvent"}
    nights = view.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    view.require(nights, "no night has taken an image yet; run the cells above first")
    latest = view.tags("my-app").get("latest")
    view.require(digest != latest, "both run what latest names now; bring back the image of before")
    view.require(digest in images, "the image that they run is not in my-app; push it")
    view.require(images[digest].get("imageTags"), "the image has no tag, so the next night takes it again")
    return "service and function run the old image again, and its tag keeps it"


def _own_role(view: View) -> str:
    view.images("my-app")
    task = _task(view)
    named = _role_of(_service(view))
    view.require(named == "web-pulls", f"the service web has the execution role {named}")
    only_pulls(view, "web-pulls", "my-app")
    running = _role_of(_definition(view, task["taskDefinitionArn"]))
    again = "the events of web say why, and a new deployment tries again"
    view.require(running == named, f"the task that runs still has the role {running}; {again}")
    return "web pulls with a role that opens my-app, and nothing else"


def _role_of(definition: dict[str, Any]) -> str:
    return str(definition.get("executionRoleArn", "")).rpartition("/")[2]


def _nightly(view: View) -> str:
    snapshot = view.storage("jobs") if view.images("jobs") else None
    view.require(snapshot, "jobs has no image")
    assert snapshot is not None
    [settings] = view.ecr.describe_repositories(repositoryNames=["jobs"])["repositories"]
    view.require(settings["imageTagMutability"] == "IMMUTABLE", "the tags of jobs can be moved")
    tagged = view.tags("jobs").get("v1")
    view.require(tagged, "jobs has no image tagged v1")
    ecs = view.client("ecs")
    try:
        definition = ecs.describe_task_definition(taskDefinition="nightly")["taskDefinition"]
    except ecs.exceptions.ClientException:
        raise NotYet("there is no task definition nightly") from None
    named = [one["image"] for one in definition["containerDefinitions"]]
    view.require(
        all(one.endswith(f"/jobs@{tagged}") for one in named), f"the task definition nightly names {', '.join(named)}"
    )
    view.require(_function(view, "nightly") == tagged, "the function nightly has another image than v1 of jobs")
    uri = view.client("lambda").get_function(FunctionName="nightly")["Code"]["ImageUri"]
    view.require("@" in uri, f"the function nightly names {uri}, a tag")
    try:
        text = view.ecr.get_lifecycle_policy(repositoryName="jobs")["lifecyclePolicyText"]
    except view.ecr.exceptions.LifecyclePolicyNotFoundException:
        raise NotYet("jobs has no lifecycle policy") from None
    policy = parse(text)
    chosen = [one.selection for one in policy.rules]
    view.require(
        any(
            one.tag_status == "untagged" and (one.count_type, one.count_number) == ("sinceImagePushed", 1)
            for one in chosen
        ),
        "no rule of jobs deletes what is untagged for a day",
    )
    found, _ = running.resolve(snapshot, running.found_in(definition))
    for risk in risks.risks(savings.settle(snapshot, policy), found):
        raise NotYet(f"rule {risk.rule.rule_priority} ({risk.rule.in_words}) deletes what nightly runs")
    return "nightly names one digest in two services, and the nights spare it"


EXERCISES = (
    Exercise(
        id="bring-it-back",
        task="Bring the service web and the function web back to the deleted image, so that the next night spares it.",
        judge=_bring_back,
        hints=(
            "Log in again (two days have passed), then docker tag gives my-app:v1.2.3 a name in the registry; the same "
            "bytes have the same digest.",
            "Then the service needs a new deployment (forceNewDeployment), or minutes of the lab's clock, and the "
            "function an update_function_code, on AWS at least.",
        ),
        solution="""
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password | docker login --username AWS --password-stdin $registry
docker tag my-app:v1.2.3 $registry/my-app:v1.2.3
docker push -q $registry/my-app:v1.2.3
aws ecs update-service --cluster shop --service web --force-new-deployment --query service.status
aws lambda update-function-code --function-name web --image-uri $registry/my-app:v1.2.3 --query LastUpdateStatus
""",
    ),
    Exercise(
        id="a-role-of-its-own",
        task="Let the service web pull with a role web-pulls, which may pull from my-app and do nothing else in ECR.",
        judge=_own_role,
        hints=(
            "Three actions: GetAuthorizationToken on *, BatchGetImage and GetDownloadUrlForLayer on the ARN of one "
            "repository, without *. The trust policy names ecs-tasks.amazonaws.com, not Lambda.",
            'define("web", image, role="web-pulls") makes the definition; update_service deploys it.',
        ),
        solution="""
import json

ecs, iam = lab.client("ecs"), lab.client("iam")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


tasks = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
iam.create_role(RoleName="web-pulls", AssumeRolePolicyDocument=document(tasks))
token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
pulls = {
    "Effect": "Allow",
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Resource": "arn:aws:ecr:us-east-1:123456789012:repository/my-app",
}
iam.put_role_policy(RoleName="web-pulls", PolicyName="pull", PolicyDocument=document(token, pulls))
[service] = ecs.describe_services(cluster="shop", services=["web"])["services"]
now = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
kept = ("family", "cpu", "memory", "networkMode", "requiresCompatibilities", "containerDefinitions")
new = ecs.register_task_definition(executionRoleArn="web-pulls", **{name: now[name] for name in kept})
arn = new["taskDefinition"]["taskDefinitionArn"]
ecs.update_service(cluster="shop", service="web", taskDefinition=arn)
lab.check("a-role-of-its-own")
""",
    ),
    Exercise(
        id="nightly-by-digest",
        task="A repository jobs with tags that stay, and a task definition and a function nightly that name its v1 by "
        "digest; its lifecycle policy deletes what is untagged for a day, and nothing that they run.",
        judge=_nightly,
        hints=(
            "docker push prints the digest without -q; describe-images has it as imageDigest.",
            "An image that has a tag is not untagged; the rule of the night fits as it is.",
        ),
        solution="""
import json
import subprocess

ecr, ecs, functions, iam = (lab.client(name) for name in ("ecr", "ecs", "lambda", "iam"))
ecr.create_repository(repositoryName="jobs", imageTagMutability="IMMUTABLE")
registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
push = f'''aws ecr get-login-password | docker login --username AWS --password-stdin {registry}
docker build -q -t {registry}/jobs:v1 . && docker push -q {registry}/jobs:v1'''
subprocess.run(["bash", "-c", push], capture_output=True)
[image] = ecr.describe_images(repositoryName="jobs", imageIds=[{"imageTag": "v1"}])["imageDetails"]
uri = f"{registry}/jobs@{image['imageDigest']}"
ecs.register_task_definition(
    family="nightly",
    executionRoleArn="ecsTaskExecutionRole",
    networkMode="awsvpc",
    requiresCompatibilities=["FARGATE"],
    cpu="256",
    memory="512",
    containerDefinitions=[{"name": "nightly", "image": uri}],
)
trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
role = iam.create_role(RoleName="nightly", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
functions.create_function(FunctionName="nightly", PackageType="Image", Role=role, Code={"ImageUri": uri})
selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
ecr.put_lifecycle_policy(repositoryName="jobs", lifecyclePolicyText=json.dumps({"rules": [rule]}))
lab.check("nightly-by-digest")
""",
    ),
)

QUESTIONS = (
    Question(
        id="when-does-it-move",
        question="An ECS service, a function and a Deployment name the same tag, and the tag moves. When does each "
        "take the new image, and how do you make sure that all three run the same?",
        model="The service takes it at its next deployment, the function when its code is updated, and the Deployment "
        "when a pod starts and its node asks the registry, which the pull policy decides; so I let all three name the "
        "digest, and keep a tag on that image.",
    ),
)

CARDS = (
    Card(
        id="who-pulls/service",
        question="A service of ECS names my-app:latest. The tag moves, and at night a task dies. What starts?",
        choices=(
            Choice("The new image, because the tag is resolved at each start", "Kubernetes may do so, ECS does not."),
            Choice(
                "The old image",
                "The first task of a deployment fixes the digest; a new deployment would take the new image.",
                right=True,
            ),
            Choice("Nothing, because the old image lost its tag", "An image without a tag can be pulled by digest."),
        ),
    ),
    Card(
        id="who-pulls/function",
        question="A function was created from my-app:latest, and the tag moves. What brings the new image?",
        choices=(
            Choice("update-function-code", "It resolves the tag again; nothing else does.", right=True),
            Choice("The next cold start", "It starts the digest of ResolvedImageUri."),
            Choice("The push", "A push tells no consumer."),
        ),
    ),
    Card(
        id="who-pulls/policy",
        question="A pod names my-app:stable, and nothing about pulling. The tag moves; the pod is replaced on the same "
        "node. What starts?",
        choices=(
            Choice("The new image, as with latest", "For latest the default is Always."),
            Choice("The newer of the two", "The node compares nothing: it has an image of that name."),
            Choice(
                "The old image, from the node", "IfNotPresent: the kubelet asks only for what it lacks.", right=True
            ),
        ),
    ),
    Card(
        id="who-pulls/no-basic-auth",
        question="A pod's event ends in: no basic auth credentials. The image is in your ECR. What do you look at "
        "first?",
        choices=(
            Choice("The secret with the password", "On EKS the node gets its token by its role."),
            Choice(
                "The policies of the node's role",
                "Without ecr:GetAuthorizationToken the kubelet pulls without credentials.",
                right=True,
            ),
            Choice("The repository policy", "A denied pull, with a token, ends in 403 Forbidden."),
        ),
    ),
    Card(
        id="who-pulls/who-needs-it",
        question="Lambda says that it does not have permission to access the ECR image. Where is the permission "
        "missing?",
        choices=(
            Choice("In the policies of the function's role", "That role is for what the program does."),
            Choice("In the policies of an execution role", "That is ECS; Lambda pulls as a service."),
            Choice("In the repository policy", "It must allow lambda.amazonaws.com to read.", right=True),
        ),
    ),
    Card(
        id="who-pulls/before-a-night",
        question="All deployments name digests. Which image may a rule about untagged images still take from them?",
        choices=(
            Choice("None, because a digest protects its image", "A rule knows nothing of what runs."),
            Choice("Only one that nobody pulled for a day", "The rule counts from the push."),
            Choice(
                "Any that has lost its tags, also while it runs",
                "So give what runs a tag, and ask report --running first.",
                right=True,
            ),
        ),
    ),
)
