"""Events of the registry reach the rules of EventBridge, and nothing else does."""

import json
import subprocess
import sys

import pytest

from ecrlab.clock import START
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.lifecycle.builders import rule, text
from tests.simulator.client import Repository, client_of

ACCOUNT = "123456789012"
WHERE = "us-east-2"  # a Region that moto knows, too
PUSH = {"result": "SUCCESS", "repository-name": "app", "action-type": "PUSH", "image-tag": "v1"}


@pytest.fixture
def lab(tmp_path):
    """A world with a server, and clients of the services beside ECR."""
    world = World(tmp_path / "state", seed="events", durable=False)
    server = Server(world)

    def client(service, region=WHERE):
        return client_of(server.endpoint, service, region)

    yield world, client
    server.stop()
    world.close()


def queue_on(client, pattern, name="pushes", **more):
    """A queue that a rule with this pattern feeds; a function that takes what is in it."""
    events, sqs = client("events"), client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), **more)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])

    def taken():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return taken


def event(region=WHERE, **detail):
    return ServiceEvent(ACCOUNT, region, START.timestamp(), "ECR Image Action", PUSH | detail, ("arn:aws:ecr:x",))


def test_a_rule_gets_the_whole_event_in_eventbridges_words(lab):
    world, client = lab
    taken = queue_on(client, {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"]})

    world.events.tell(event())

    [message] = taken()
    assert message.pop("id")
    assert message == {
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": "2026-10-01T09:00:00Z",
        "region": WHERE,
        "resources": ["arn:aws:ecr:x"],
        "detail": PUSH,
    }


def test_a_pattern_chooses(lab):
    world, client = lab
    taken = queue_on(client, {"detail": {"action-type": ["PUSH"], "image-tag": [{"prefix": "v"}]}})

    for tag in ("v1", "latest", "v2"):
        world.events.tell(event(**{"image-tag": tag}))

    assert [message["detail"]["image-tag"] for message in taken()] == ["v1", "v2"]


def test_a_rule_hears_its_own_region_only_and_nothing_while_disabled(lab):
    world, client = lab
    enabled = queue_on(client, {"source": ["aws.ecr"]}, "on")
    disabled = queue_on(client, {"source": ["aws.ecr"]}, "off", State="DISABLED")

    world.events.tell(event(region="us-east-1"))
    world.events.tell(event(region="lab-no-such-region"))

    assert enabled() == disabled() == []
    world.events.tell(event())
    assert (len(enabled()), len(disabled())) == (1, 0)


def test_a_log_group_is_a_target_as_well(lab):
    world, client = lab
    logs, events = client("logs"), client("events")
    logs.create_log_group(logGroupName="/ecr")
    events.put_rule(Name="log", EventPattern=json.dumps({"source": ["aws.ecr"]}))
    events.put_targets(Rule="log", Targets=[{"Id": "1", "Arn": f"arn:aws:logs:{WHERE}:{ACCOUNT}:log-group:/ecr"}])

    world.events.tell(event())

    [logged] = logs.filter_log_events(logGroupName="/ecr")["events"]
    assert json.loads(logged["message"])["detail"] == PUSH


def test_a_target_that_is_gone_stops_nobody_else(lab):
    world, client = lab
    queue_on(client, {"source": ["aws.ecr"]}, "gone")
    sqs = client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="gone")["QueueUrl"])
    taken = queue_on(client, {"source": ["aws.ecr"]}, "there")

    world.events.tell(event())

    assert len(taken()) == 1


def test_another_worlds_rules_hear_nothing(lab, tmp_path):
    _, client = lab
    taken = queue_on(client, {"source": ["aws.ecr"]})
    other = World(tmp_path / "other", seed="other", durable=False)
    Server(other).stop()

    other.events.tell(event())
    other.close()

    assert taken() == []


def test_two_faces_of_a_world_deliver_once(lab):
    world, client = lab
    Server(world).stop()
    taken = queue_on(client, {"source": ["aws.ecr"]})

    world.events.tell(event())

    assert len(taken()) == 1


def test_moto_is_not_loaded_for_an_event(tmp_path):
    script = (
        "import sys; from pathlib import Path; from ecrlab.registry.world import World;"
        "from ecrlab.registry.service_event import ServiceEvent; from ecrlab.simulator.server import application;"
        f"world = World(Path({str(tmp_path / 'lab')!r})); application(world); application(world);"
        "world.events.tell(ServiceEvent('123456789012', 'us-east-1', 0, 'ECR Image Action', {}));"
        "assert len(world.events._listeners) == 1; print([name for name in sys.modules if name.startswith('moto.')])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout == "[]\n", ran.stderr


def test_pushes_archiving_and_a_night_s_deletions_reach_a_queue(lab):
    world, client = lab
    taken = queue_on(client, {"source": ["aws.ecr"], "detail": {"repository-name": ["app"]}})
    ecr = client("ecr")
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")
    for n in range(3):
        app.push(b"%d" % n, tag=f"v{n}")
    app.update_image_storage_class(imageId={"imageTag": "v0"}, targetStorageClass="ARCHIVE")
    app.put_lifecycle_policy(lifecyclePolicyText=text(rule(1, keep=1)))
    world.clock.advance(days=1)

    told = [(one["time"], one["detail"]["action-type"], one["detail"].get("image-tag")) for one in taken()]

    assert told == [
        ("2026-10-01T09:00:02Z", "PUSH", "v0"),
        ("2026-10-01T09:00:03Z", "PUSH", "v1"),
        ("2026-10-01T09:00:04Z", "PUSH", "v2"),
        ("2026-10-01T09:00:05Z", "UPDATE_STORAGE_CLASS", None),
        ("2026-10-02T00:00:00Z", "DELETE", "v1"),
    ]
