"""What kubectl prints, beside what a real one printed: columns, sections, and the order of events.

The real samples are of Kubernetes 1.27 to 1.33, from the documentation of Kubernetes and its issue tracker; names,
images and ages in them are replaced.
"""

import json
import re

import pytest
import yaml

from tests.kubectl.conftest import HOST

TABLES = {
    "get pods": """\
NAME    READY   STATUS             RESTARTS   AGE
other   0/1     ImagePullBackOff   0          13s
web     1/1     Running            0          14s
""",
    "get deployments": """\
NAME   READY   UP-TO-DATE   AVAILABLE   AGE
api    2/2     2            2           12s
""",
    "get deploy -o wide": f"""\
NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
api    2/2     2            2           12s   app          {HOST}/app:v1   app=api
""",
    "get pod web -o wide": """\
NAME   READY   STATUS    RESTARTS   AGE   IP          NODE                        NOMINATED NODE   READINESS GATES
web    1/1     Running   0          14s   10.0.1.33   ip-10-0-1-23.ec2.internal   <none>           <none>
""",
}


def plain(text: str) -> str:
    """A table with three blanks between its cells."""
    return "\n".join("   ".join(re.split(r" {2,}", line)) for line in text.splitlines())


def test_tables_have_the_columns_of_kubectl(lab):
    lab.says("run web --image={v1}")
    lab.says("run other --image={v2}")
    lab.says("create deployment api --image={v1} --replicas=2")
    lab.world.clock.advance(seconds=12)
    pods = lab.says("get pods -l run")
    assert pods == TABLES["get pods"]
    assert lab.says("get deployments") == TABLES["get deployments"]
    assert plain(lab.says("get deploy -o wide")) == plain(TABLES["get deploy -o wide"])
    address = r"10\.0\.1\.\d+"
    wide = lab.says("get pod web -o wide")
    assert plain(re.sub(address, "10.0.1.33", wide)) == plain(TABLES["get pod web -o wide"])
    both = lab.says("get deploy/api pod/web")
    assert [line.split()[0] for line in both.splitlines() if line] == ["NAME", "deployment.apps/api", "NAME", "pod/web"]
    assert lab.says("get po web --no-headers --show-labels").split()[-1] == "run=web"
    assert lab.says("get pods -A").splitlines()[0].startswith("NAMESPACE   NAME ")
    assert lab.says("get pods web other -o name") == "pod/web\npod/other\n"


# Of a pod of a private registry, Kubernetes 1.33; without the volume of its service account, which the lab lacks.
DESCRIBED = """\
Name:             web
Namespace:        default
Priority:         0
Service Account:  default
Node:             ip-10-0-1-23.ec2.internal/10.0.1.23
Start Time:       {start}
Labels:           run=web
Annotations:      <none>
Status:           Pending
IP:               {ip}
IPs:
  IP:  {ip}
Containers:
  web:
    Container ID:   
    Image:          {image}
    Image ID:       
    Port:           <none>
    Host Port:      <none>
    State:          Waiting
      Reason:       ErrImagePull
    Ready:          False
    Restart Count:  0
    Environment:    <none>
    Mounts:         <none>
Conditions:
  Type                        Status
  PodReadyToStartContainers   True 
  Initialized                 True 
  Ready                       False 
  ContainersReady             False 
  PodScheduled                True 
Volumes:                      <none>
QoS Class:                    BestEffort
Node-Selectors:               <none>
Tolerations:                  node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                              node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type     Reason     Age               From               Message
  ----     ------     ----              ----               -------
  Normal   Scheduled  70s               default-scheduler  Successfully assigned default/web to ip-10-0-1-23.ec2.internal
  Normal   BackOff    3s (x7 over 69s)  kubelet            Back-off pulling image "{image}"
  Warning  Failed     3s (x7 over 69s)  kubelet            Error: ImagePullBackOff
  Normal   Pulling    0s (x4 over 70s)  kubelet            Pulling image "{image}"
  Warning  Failed     0s (x4 over 70s)  kubelet            Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found
  Warning  Failed     0s (x4 over 70s)  kubelet            Error: ErrImagePull
"""  # noqa: E501, W291 - as kubectl prints it


def test_a_pod_is_described_as_kubectl_does(lab):
    lab.says("run web --image={v2}")
    start = lab.world.clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000")
    lab.world.clock.advance(seconds=70)
    described = lab.says("describe pod web")
    [ip] = set(re.findall(r"10\.0\.1\.(?!23\b)\d+", described))
    assert described == DESCRIBED.format(start=start, ip=ip, image=f"{HOST}/app:v2")


def test_a_new_pod_of_the_same_name_has_events_of_its_own(lab):
    for _ in "ab":
        lab.says("run web --image={v2}")
        described = lab.says("describe pod web")
        assert described.count("Pulling image") == 1 and "(x" not in described
        lab.says("delete pod web")


def test_a_crash_is_described_with_its_last_state(lab):
    lab.app.push(b"arm", tag="arm", config=b'{"os": "linux", "architecture": "arm64"}')
    lab.says("run web --image={host}/app:arm --image-pull-policy=IfNotPresent")
    lab.world.clock.advance(seconds=25)
    assert re.fullmatch(r"web +0/1 +CrashLoopBackOff +2 \(14s ago\) +25s", lab.says("get pods").splitlines()[1])
    lines = [line.split(maxsplit=2) for line in lab.says("describe pod web").splitlines()]
    at = lines.index(["State:", "Waiting"])
    assert [line[0] for line in lines[at : at + 9]] == [
        *("State:", "Reason:", "Last", "Reason:", "Exit", "Started:", "Finished:", "Ready:", "Restart"),
    ]
    assert ["Exit", "Code:", "255"] in lines


def test_a_name_describes_the_pods_that_begin_with_it(lab):
    lab.says("create deployment api --image={v1} --replicas=2")
    text = lab.says("describe pod api")
    assert text.count("Controlled By:  ReplicaSet/api-") == text.count("\nName:") + 1 == 2
    assert "\n\n\nName:" in text
    assert lab.fails("describe pod nope") == 'Error from server (NotFound): pods "nope" not found'


def test_events_are_listed_by_object_and_sorted_on_request(lab):
    lab.says("run web --image={v1} --image-pull-policy=Always")
    lab.says("run other --image={v2}")
    lab.world.clock.advance(seconds=5)
    lines = [line.split(maxsplit=4) for line in lab.says("get events").splitlines()]
    assert lines[0][:4] == ["LAST", "SEEN", "TYPE", "REASON"]
    assert [(line[1], line[2], line[3]) for line in lines[1:]] == [
        ("Normal", "Scheduled", "pod/other"),
        ("Normal", "Pulling", "pod/other"),
        ("Warning", "Failed", "pod/other"),
        ("Warning", "Failed", "pod/other"),
        ("Normal", "BackOff", "pod/other"),
        ("Warning", "Failed", "pod/other"),
        ("Normal", "Scheduled", "pod/web"),
        ("Normal", "Pulling", "pod/web"),
        ("Normal", "Pulled", "pod/web"),
        ("Normal", "Created", "pod/web"),
        ("Normal", "Started", "pod/web"),
    ]
    by_time = lab.says("get events --sort-by=.lastTimestamp --field-selector=type!=Warning").splitlines()
    assert [line.split()[2] for line in by_time[1:]][-1] == "BackOff"
    lab.world.clock.advance(hours=2)
    assert "Pulled" not in lab.says("get events")  # events are kept for an hour; those of pod/other go on


def test_json_and_yaml_are_the_objects_of_the_api(lab):
    lab.says("run web --image={v1} --labels=app=web,tier=front")
    found = json.loads(lab.says("get pods -o json"))
    assert (found["kind"], [one["metadata"]["labels"] for one in found["items"]]) == (
        "List",
        [{"app": "web", "tier": "front"}],
    )
    one = json.loads(lab.says("get pod web -o json"))
    assert one == found["items"][0] == yaml.safe_load(lab.says("get pod web -o yaml"))
    assert one["status"]["containerStatuses"][0]["imageID"] == f"{HOST}/app@{lab.digest}"
    assert lab.says("get pods -o json").startswith('{\n    "apiVersion": "v1",\n    "items": [\n')


def test_what_a_pod_runs_is_read_by_the_report(lab):
    """The answer of kubectl is what `python3 -m ecrlab report --running` reads."""
    from ecrlab.analysis.inventory import running

    lab.says("create deployment api --image={v1} --replicas=2")
    lab.says("run other --image={v2}")
    found = running.references(lab.says("get pods -o json"))
    assert {(one.repository, one.tag, one.digest) for one in found} >= {
        ("app", None, lab.digest),
        ("app", "v2", None),
    }


@pytest.mark.parametrize("moved", ["set image deployment/api app={again}", "rollout restart deploy/api"])
def test_a_rollout_tells_how_far_it_is(lab, moved):
    lab.says("create deployment api --image={v1} --replicas=2")
    assert lab.says("rollout status deployment api") == 'deployment "api" successfully rolled out\n'
    lab.says(moved)
    assert lab.says("rollout status deploy/api") == 'deployment "api" successfully rolled out\n'
    assert lab.says("set image deploy api app={host}/app:nope") == "deployment.apps/api image updated\n"
    waiting = lab.kubectl("rollout status deployment/api")
    assert waiting.out == (
        'Waiting for deployment "api" rollout to finish: 1 out of 2 new replicas have been updated...\n'
    )
    assert (waiting.status, waiting.err.split(":")[1]) == (1, " the lab's kubectl does not wait")
    assert lab.kubectl("rollout status deployment/api --watch=false").status == 0
    lab.world.clock.advance(minutes=11)
    assert lab.fails("rollout status deployment/api") == 'error: deployment "api" exceeded its progress deadline'
