"""A lifecycle night takes what runs on ECS, Lambda and Kubernetes: the report says so the day before."""

import json

import pytest

from ecrlab.analysis.inventory import running
from ecrlab.commands import cli
from ecrlab.kubectl import __main__
from ecrlab.machine.running import LabFolder
from tests.simulator.consumers.functions import SERVICE
from tests.simulator.consumers.shop import CLUSTER, HOST

SELECTION = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
POLICY = json.dumps({"rules": [{"rulePriority": 1, "selection": SELECTION, "action": {"type": "expire"}}]})
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}]})


@pytest.fixture
def announced(shop):
    """The lab, as commands in a terminal find it."""
    folder = LabFolder()
    folder.announce(shop.server.endpoint)
    yield shop
    folder.remove()


@pytest.mark.slow
def test_each_next_start_fails_in_its_own_words_and_the_report_had_said_so(announced, tmp_path, monkeypatch, capsys):
    shop = announced
    monkeypatch.setenv("ECRLAB_ENDPOINT", shop.server.endpoint)
    functions = shop.client("lambda")
    shop.repository("app")
    digest = shop.push("app:live")
    image = f"{HOST}/app@{digest}"

    def pods(*words):
        capsys.readouterr()
        assert __main__.main([*words]) == 0
        return capsys.readouterr().out

    # given: all three run the image, and no tag names it any more
    web = shop.serve(shop.define(image))
    role = shop.iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    functions.create_function(FunctionName="web", PackageType="Image", Role=role, Code={"ImageUri": image})
    pods("create", "deployment", "web", f"--image={HOST}/app:latest")  # so that its pull policy is Always
    pods("set", "image", "deployment/web", f"app={image}")
    shop.push("app:live")
    shop.clock.advance(days=1)

    # when: what they answer is compared with the policy, the day before
    policy, asked = tmp_path / "policy.json", tmp_path / "running.json"
    policy.write_text(POLICY)
    answers = [
        shop.tasks(web),
        functions.get_function(FunctionName="web")["Code"],
        json.loads(pods("get", "pods", "-o", "json")),
    ]
    asked.write_text(json.dumps(answers, default=str))
    report = ["report", "--repository", "app", "--policy", str(policy), "--running", str(asked)]
    assert cli.main([*report, "--endpoint", shop.server.endpoint]) == 1
    assert f"it runs, but would go: {image}" in capsys.readouterr().err
    assert [{one.digest for one in running.found_in(answer)} for answer in answers] == [{digest}] * 3

    # when: the night comes, what runs runs on; then it ends
    shop.ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=POLICY)
    shop.clock.advance(days=1)
    [task] = shop.tasks(web)
    assert "Running" in pods("get", "pods")
    shop.ecs.stop_task(cluster=CLUSTER, task=task["taskArn"])
    pods("delete", "pod", "-l", "app=web")

    # then: each next start fails
    assert shop.events(web)[-1] == (
        "was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found."
    )
    told = functions.get_function_configuration(FunctionName="web")
    assert (told["State"], told["StateReasonCode"], told["StateReason"]) == (
        "Failed",
        "ImageDeleted",
        "The function is trying to use a deleted image.",
    )
    assert (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    ) in pods("describe", "pod", "web")
