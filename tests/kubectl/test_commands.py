"""Commands of kubectl: what they change, and what they say about bad input."""

import io
import os
import subprocess
import sys

import pytest

from ecrlab.kubectl import install
from ecrlab.kubectl.__main__ import main
from tests.kubectl.conftest import HOST
from tests.simulator.client import Repository, client_of

POD = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: {HOST}/app:v1
"""
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  annotations:
    made: 2026-10-01
spec:
  replicas: 2
  selector:
    matchLabels: &labels
      app: api
  template:
    metadata:
      labels: *labels
    spec:
      containers:
      - name: api
        image: {HOST}/app:v1
"""

BOMB = "k0: &k0 [1]\n" + "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 9))


def test_a_file_of_several_documents_is_applied(lab, tmp_path):
    file = tmp_path / "all of it.yaml"
    file.write_text(f"{POD}---\n{DEPLOYMENT}---\n")
    apply = ["apply", "-f", str(file)]

    def applied():
        assert main(apply) == 0
        return lab.capsys.readouterr().out.splitlines()

    assert applied() == ["pod/web created", "deployment.apps/api created"]
    assert applied() == ["pod/web unchanged", "deployment.apps/api unchanged"]
    file.write_text(file.read_text().replace("app:v1", "app:again"))
    assert applied() == ["pod/web configured", "deployment.apps/api configured"]
    assert main(["delete", "-f", str(file)]) == 0
    assert lab.capsys.readouterr().out == 'pod "web" deleted\ndeployment.apps "api" deleted\n'


def test_several_files_are_applied(lab, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "deployment.yaml").write_text(DEPLOYMENT)
    assert lab.says(f"apply -f {tmp_path}/pod.yaml -f {tmp_path}/deployment.yaml") == (
        "pod/web created\ndeployment.apps/api created\n"
    )
    assert lab.says("delete pod web nope --ignore-not-found") == 'pod "web" deleted\n'


def test_a_manifest_is_read_from_standard_input(lab, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(POD))
    assert lab.says("apply -f -") == "pod/web created\n"


def test_a_dry_run_prints_a_manifest_that_apply_accepts(lab, monkeypatch):
    for line in ("run web --image={v1}", "create deployment api --image={v1} --replicas=3"):
        text = lab.says(f"{line} --dry-run=client -o yaml")
        assert lab.kubectl("get pods,deployments").err == "No resources found in default namespace.\n"
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        assert lab.says("apply -f -").endswith("created\n")
        lab.kubectl("delete pods,deployments --all")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("kind: Pod\n", 'error: error validating "-": error validating data: apiVersion not set'),
        ("a: b: c\n", "error: error parsing -: error converting YAML to JSON: yaml: line 1: mapping values are not"),
        ("a: 1\na: 2\n", 'yaml: line 2: key "a" already set in map'),
        ("? [a]\n: b\n", "yaml: line 1: a key must be a text"),
        ("- a\n", "error: error parsing -: a manifest is a mapping, got list"),
        ("", "error: no objects passed to apply"),
        ("[" * 350, "error: error parsing -: error converting YAML to JSON: yaml: "),
        ("a: &a [*a]\n", "yaml: line 1: found unconstructable recursive node"),
        (BOMB, "yaml: document contains excessive aliasing"),
        ("a: !!python/object:os.system x\n", "could not determine a constructor"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {x: .nan}\n", 'error validating "-": a value that JSON does not have'),
        (
            "apiVersion: v1\nkind: Service\n",
            'resource mapping not found for kind "Service" in version "v1": the lab\'s kubectl knows v1 Pod and',
        ),
        (POD.replace("name: web", "name: Web", 1), 'The Pod "Web" is invalid: metadata.name: Invalid value: "Web": a'),
        (POD.replace("image:", "imgae:"), 'Error from server (BadRequest): Pod in version "v1" cannot be handled as a'),
        (POD.replace("v1\nkind", "v2\nkind", 1), "error: the lab's kubectl knows v1 Pod and apps/v1 Deployment, and"),
        (POD.replace("metadata:\n  name: web\n", "metadata: 5\n"), "metadata must be of type object"),
    ],
)
def test_a_bad_manifest_is_refused(lab, monkeypatch, text, error):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert error in lab.fails("apply -f -")
    assert lab.kubectl("get pods").out == ""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("frobnicate", 'error: unknown command "frobnicate" for "kubectl"'),
        ("logs web", "error: the lab's kubectl lacks logs; it has apply, create deployment, delete, describe, get,"),
        ("rollout undo deploy/web", "error: the lab's kubectl lacks rollout undo; it has"),
        ("create service web", "error: the lab's kubectl lacks create service; it has"),
        ("get pods --wide", "error: unknown flag: --wide\nSee 'kubectl get --help' for usage."),
        ("get pods -w", "error: the lab's kubectl does not watch: move the lab's clock, and ask again"),
        ("get pods -z", "error: unknown shorthand flag: 'z' in -z"),
        ("get pods -o", "error: flag needs an argument: -o"),
        ("get pods -o csv", 'output format "csv", allowed formats are: json,name,wide,yaml'),
        ("get", "error: you must specify the type of resource: pods, deployments or events"),
        ("get nodes", "the server doesn't have a resource type \"nodes\"; the lab's cluster has pods, deployments and"),
        ("get pod web", 'Error from server (NotFound): pods "web" not found'),
        ("get deploy/web", 'Error from server (NotFound): deployments.apps "web" not found'),
        ("get pods pod/web", 'Error from server (NotFound): pods "pod/web" not found'),
        ("get pods -l a~b", 'error: unable to parse requirement: found "a~b"'),
        ("describe deploy", "error: the lab's kubectl describes pods; kubectl get -o yaml shows the rest"),
        ("run", "error: NAME is required for run"),
        ("run web", 'error: required flag(s) "image" not set'),
        ("run web --image=x --image-pull-policy=x", 'The Pod "web" is invalid: spec.containers[0].imagePullPolicy:'),
        ("run web --image=x --labels=a", "error: unexpected label format: a"),
        ("run web --image=x -n prod", 'Error from server (NotFound): namespaces "prod" not found'),
        ("create deployment web --image=x --replicas=many", 'error: invalid argument "many" for "-r, --replicas" flag'),
        ("apply", "error: must specify one of -f and -k"),
        ("apply -f nothing.yaml", 'error: the path "nothing.yaml" does not exist'),
        ("delete pods", "error: resource(s) were provided, but no name was specified"),
        ("delete pod ../../clock", 'Error from server (NotFound): pods "../../clock" not found'),
        ("set image pod/web", "error: at least one image update is required"),
        ("set image pods web=x", "error: one or more resources must be specified as <resource> <name>"),
        ("set image pod/web web=x", 'Error from server (NotFound): pods "web" not found'),
        ("rollout restart pod/web", "error: the lab's kubectl can restart the rollout of deployments"),
        ("rollout restart deploy/web", 'Error from server (NotFound): deployments.apps "web" not found'),
    ],
)
def test_a_bad_command_is_refused(lab, line, error):
    assert error in lab.fails(line)


def test_the_image_of_a_pod_is_changed_in_place(lab):
    lab.says("run web --image={v2}")
    assert lab.says("set image pod/web web={v1}") == "pod/web image updated\n"
    assert lab.says("get pods").splitlines()[1].split()[2:4] == ["Running", "0"]
    assert lab.says("set image pod web web={v1}") == ""
    assert lab.fails("set image pod/web other={v1}") == 'error: unable to find container named "other"'
    assert lab.fails("run web --image={v1}") == 'Error from server (AlreadyExists): pods "web" already exists'


def test_other_namespaces_are_empty(lab):
    lab.says("run web --image={v1}")
    assert lab.kubectl("-n prod get pods").err == "No resources found in prod namespace.\n"
    assert lab.kubectl("--namespace=default get pods").out.count("\n") == 2


def test_help_and_version_say_what_it_is(lab):
    for line in ("--help", "", "version --client"):
        assert "This is the lab's own kubectl." in lab.says(line)
    assert "--image-pull-policy" in lab.says("run --help")


def test_without_a_lab_it_says_so(lab, monkeypatch):
    monkeypatch.delenv("ECRLAB_ENDPOINT")
    assert lab.fails("get pods").startswith("error: no lab is running here")
    monkeypatch.setenv("ECRLAB_ENDPOINT", "http://127.0.0.1:9/no-lab-is-running")
    assert lab.fails("get pods").startswith("error: no lab is running here")


def test_the_last_error_is_kept_for_lab_why(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    text = lab.fails("get pod web")
    assert (tmp_path / "last-error").read_text() == text


def test_the_script_reads_yaml_and_minds_its_own_modules(lab, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    (tmp_path / "bin dir").mkdir()
    script = install(tmp_path / "bin dir")
    ran = subprocess.run(
        [script, "apply", "-f", "-"], cwd=tmp_path, input=POD, capture_output=True, text=True, env=dict(os.environ)
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("pod/web created\n", "", 0)


def test_the_api_behind_it_refuses_other_programs(lab):
    import json
    import urllib.error
    import urllib.request

    def ask(path, body=None, **headers):
        request = urllib.request.Request(f"{lab.server.endpoint}/_ecrlab/kubernetes/{path}", body, headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        return caught.value.code, json.load(caught.value)["error"]

    ours = {"X-Ecrlab": "1"}
    assert ask("pods", b"{}") == (405, "GET, or POST with the header X-Ecrlab: 1")
    assert ask("nodes") == (404, "there are pods, deployments and events, and nothing else")
    assert ask("pods/start?name=web", b"", **ours) == (404, "there is no such path")
    assert ask("pods", b"{", **ours)[0] == ask("pods", b"[1]", **ours)[0] == 400
    assert ask("deployments", POD.encode(), **ours)[0] == 400
    assert ask("pods/images?name=web", b'{"web": 5}', **ours) == (400, "the body must name images by their containers")


def test_a_retry_before_midnight_finds_what_the_night_deletes(lab):
    selection = '{"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}'
    rule = f'{{"rulePriority": 1, "selection": {selection}, "action": {{"type": "expire"}}}}'
    lab.ecr.create_repository(repositoryName="brief")
    lab.ecr.put_lifecycle_policy(repositoryName="brief", lifecyclePolicyText=f'{{"rules": [{rule}]}}')
    lab.says("run web --image={host}/brief:v1 --image-pull-policy=Always")
    Repository(lab.ecr, "brief").push(b"x", tag="v1")
    lab.world.clock.advance(days=3)
    assert lab.ecr.list_images(repositoryName="brief")["imageIds"] == []
    lab.says("run later --image={host}/brief:v1 --image-pull-policy=Always")
    assert [line.split()[2] for line in lab.says("get pods").splitlines()[1:]] == ["ErrImagePull", "Running"]


def test_an_image_whose_key_is_disabled_is_forbidden(lab):
    kms = client_of(lab.server.endpoint, "kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    lab.ecr.create_repository(repositoryName="key", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
    Repository(lab.ecr, "key").push(b"x", tag="v1")
    kms.disable_key(KeyId=key)
    lab.says("run web --image={host}/key:v1")
    assert f"HEAD request to https://{HOST}/v2/key/manifests/v1: 403 Forbidden" in lab.says("describe pod web")
    kms.enable_key(KeyId=key)
    lab.world.clock.advance(seconds=10)
    assert "Running" in lab.says("get pods")
