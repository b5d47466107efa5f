"""kubectl in a notebook's lab: on PATH on request, as a role, beside `aws eks`, and before the night of a policy."""

import json
import os
import shutil
from pathlib import Path

import ecrlab
from ecrlab.commands import cli
from ecrlab.kubectl.__main__ import main
from tests.kubectl.conftest import AMD, HOST
from tests.simulator.client import Repository

SELECTION = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}
POLICY = {"rules": [{"rulePriority": 1, "selection": SELECTION, "action": {"type": "expire"}}]}


def own_kubectl() -> bool:
    """Whether `kubectl` on PATH is one of a lab's."""
    found = shutil.which("kubectl")
    return found is not None and Path(found).parent == Path(os.environ["PATH"].split(os.pathsep)[0])


def status(capsys) -> str:
    assert main(["get", "pods", "--no-headers"]) == 0
    return capsys.readouterr().out.split()[2]


def test_kubectl_is_on_path_on_request_and_the_node_has_the_named_role(capsys):
    with ecrlab.start():
        assert not own_kubectl()
    with ecrlab.start(kubectl=True, node_role="nodes") as lab:
        assert own_kubectl()
        app = lab.client("ecr")
        app.create_repository(repositoryName="app")
        Repository(app, "app").push(b"x", tag="v1", config=AMD)
        main(["run", "web", f"--image={HOST}/app:v1"])
        main(["describe", "pod", "web"])
        assert "no basic auth credentials" in capsys.readouterr().out  # there is no such role
        iam = lab.client("iam")
        iam.create_role(RoleName="nodes", AssumeRolePolicyDocument="{}")
        policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
        iam.attach_role_policy(RoleName="nodes", PolicyArn=policy)
        lab.clock.advance(minutes=1)
        assert status(capsys) == "Running"
        eks = lab.client("eks")
        subnets = {"subnetIds": ["subnet-1", "subnet-2"]}
        eks.create_cluster(name="shop", roleArn=f"arn:aws:iam::{lab.account_id}:role/x", resourcesVpcConfig=subnets)
        assert eks.describe_cluster(name="shop")["cluster"]["status"] == "ACTIVE"


def test_the_report_warns_of_what_a_night_takes_from_the_pods(tmp_path, capsys):
    with ecrlab.start() as lab:
        ecr = lab.client("ecr")
        ecr.create_repository(repositoryName="app")
        digest = Repository(ecr, "app").push(b"x", tag="v1", config=AMD)
        main(["create", "deployment", "web", f"--image={HOST}/app:v1"])
        lab.clock.advance(days=31)
        capsys.readouterr()
        main(["get", "pods", "-o", "json"])
        running, policy = tmp_path / "running.json", tmp_path / "policy.json"
        running.write_text(capsys.readouterr().out)
        policy.write_text(json.dumps(POLICY))
        ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=policy.read_text())
        before = lab.snapshot()
        asked = ["report", "--repository", "app", "--policy", str(policy), "--running", str(running)]
        assert cli.main([*asked, "--endpoint", lab.endpoint]) == 1
        assert f"it runs, but would go: {HOST}/app@{digest}" in capsys.readouterr().err
        lab.clock.advance(days=1)
        assert ecr.list_images(repositoryName="app")["imageIds"] == []
        assert status(capsys) == "Running"  # the node has it, and starts it again
        main(["set", "image", "deployment/web", f"app={HOST}/app@{digest}"])
        capsys.readouterr()
        main(["get", "pods", "--no-headers", "--sort-by=.metadata.creationTimestamp"])
        assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["Running", "ErrImagePull"]
        lab.restore(before)
        lab.clock.advance(seconds=10)
        assert status(capsys) == "Running"  # the pods went on; the pull finds the image again
