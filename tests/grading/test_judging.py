"""What a check hands in, and the judges on it: later deeds of the notebook do not count."""

import base64
import copy
import json
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

import ecrlab
from ecrlab.grading import hand_in, judging
from ecrlab.grading.hand_in import Unreadable
from ecrlab.lessons import catalogue, exercises
from ecrlab.simulator.moto.small_image import BASE, push
from tests.simulator.accounts import HOME
from tests.simulator.consumers.shop import HOST, REGION

SECOND_TAG = "push-a-second-tag"
TRUST = [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]
POLICY = {"Version": "2012-10-17", "Statement": TRUST}
PUSHING = ["BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"]


def verdict(exercise, folder, seed=None):
    [found] = judging.verdicts([exercises.find(exercise)], hand_in.read_all(folder), seed)
    return found.state, found.words


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """A lab under the grader: a role is made, an answer handed in, and an exercise solved, undone and checked again."""
    folder = tmp_path_factory.mktemp("handed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(hand_in.VARIABLE, str(folder))
        patch.setenv("ECRLAB_EXAM", "1")
        with ecrlab.start(seed=7) as lab:
            lab.check("a-role-that-pushes")
            solve_the_role(lab)
            lab.check("a-role-that-pushes")
            lab.client("ecr").delete_repository(repositoryName="nightly", force=True)
            lab.client("iam").delete_role_policy(RoleName="robot", PolicyName="push")
            lab.client("iam").delete_role(RoleName="robot")
            lab.check("a-role-that-pushes")
            lab.check("expiry-of-a-token", lab.clock.now() + timedelta(hours=12))
            lab.check("expiry-of-a-token", 12)
            lab.check("expiry-of-a-token", object())
            lab.check("expiry-of-a-token", ...)
    return folder


def solve_the_role(lab):
    ecr, iam = lab.client("ecr"), lab.client("iam")
    for name in ("nightly", "hello"):
        ecr.create_repository(repositoryName=name)
    iam.create_role(RoleName="robot", AssumeRolePolicyDocument=json.dumps(POLICY))
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": [f"ecr:{name}" for name in PUSHING],
            "Resource": "arn:aws:ecr:us-east-1:123456789012:repository/nightly",
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="robot", PolicyName="push", PolicyDocument=document)


def test_one_check_that_was_right_is_enough_and_sees_users_and_roles_as_they_were(handed):
    state, words = verdict("a-role-that-pushes", handed)

    assert (state, words) == ("solved", "robot may push to nightly and nowhere else, and delete nothing")


def test_each_check_is_judged_as_of_its_moment(handed):
    checks = [one for one in hand_in.read_all(handed) if one.exercise == "a-role-that-pushes"]
    states = [judging.verdicts([exercises.find(one.exercise)], [one], "7")[0].state for one in checks]

    assert states == ["missing", "solved", "missing"]


def test_answers_travel_by_their_types(handed):
    found = hand_in.read_all(handed)
    right, number, strange, dots = (one for one in found if one.exercise == "expiry-of-a-token")

    assert right.answer == right.at + timedelta(hours=12)
    assert number.answer == 12
    assert type(strange.answer).__name__ == "object"
    assert dots.answer is None
    assert verdict("expiry-of-a-token", handed, seed="7")[0] == "solved"
    assert verdict("expiry-of-a-token", handed, seed="8") == (
        "missing",
        "the lab had the seed 7, and this student's is 8",
    )


@pytest.fixture
def lab_under_the_grader(tmp_path, monkeypatch):
    monkeypatch.setenv(hand_in.VARIABLE, str(tmp_path))
    with ecrlab.start(seed=7) as lab:
        yield lab


def hand_in_what_it_is(lab, folder):
    hand_in.write(folder, "own", None, "7", lab._world, lab._server.moto)


def judged(judge, folder):
    [found] = judging.verdicts([exercises.Exercise("own", "", judge, (), "")], hand_in.read_all(folder), "7")
    return found.state, found.words


def test_a_judge_sees_the_logins_of_docker(lab_under_the_grader, tmp_path):
    config = Path(os.environ["DOCKER_CONFIG"]) / "config.json"
    config.write_text('{"auths": {"here": {"auth": "x"}}}')
    hand_in_what_it_is(lab_under_the_grader, tmp_path)
    lab_under_the_grader.stop()

    def judge(view):
        return (Path(os.environ["DOCKER_CONFIG"]) / "config.json").read_text()

    assert judged(judge, tmp_path) == ("solved", '{"auths": {"here": {"auth": "x"}}}')


def running(view):
    """The digest of the only service, since when it runs, and what the service says last."""
    ecs = view.client("ecs")
    [service] = ecs.describe_services(cluster="shop", services=["web"])["services"]
    tasks = ecs.list_tasks(cluster="shop", serviceName="web")["taskArns"]
    [task] = ecs.describe_tasks(cluster="shop", tasks=tasks)["tasks"]
    return f"{task['containers'][0]['imageDigest']} {task['startedAt']} {service['events'][0]['message']}"


def test_what_pulled_an_image_once_runs_it_though_it_is_gone(lab_under_the_grader, tmp_path):
    lab = lab_under_the_grader
    ecr, ecs = lab.client("ecr"), lab.client("ecs")
    ecr.create_repository(repositoryName="web")
    push(lab._world, "web:v1", base=BASE, account_id=HOME, region=REGION)
    subnet = lab.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web",
        executionRoleArn="ecsTaskExecutionRole",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": f"{HOST}/web:v1"}],
    )
    lab.clock.advance(hours=5)
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )
    there = running(lab)
    lab.clock.advance(days=3)
    ecr.delete_repository(repositoryName="web", force=True)
    hand_in_what_it_is(lab, tmp_path)
    assert running(lab) == there
    lab.stop()

    assert judged(running, tmp_path) == ("solved", there)
    assert len(list((tmp_path / ".states").iterdir())) == 3  # with the image, pulled, and without it


def test_what_was_never_checked_is_absent(handed):
    assert verdict(SECOND_TAG, handed) == ("absent", "the notebook never checked it")


def test_without_a_grader_nothing_is_handed_in(tmp_path, monkeypatch):
    monkeypatch.delenv(hand_in.VARIABLE, raising=False)
    with ecrlab.start() as lab:
        lab.check(SECOND_TAG)
        assert lab._server.moto.requests() == []
    assert list(tmp_path.iterdir()) == []


def forged(handed, folder, **members):
    """The first hand-in with other members of its document."""
    first = folder / "0001"
    shutil.copytree(handed / "0001", first)
    document = json.loads((first / "hand-in.json").read_text())
    (first / "hand-in.json").write_text(json.dumps(document | members))
    return first


@pytest.mark.parametrize(
    "members",
    [
        {"at": "yesterday"},
        {"answer": {}},
        {"answer": {"value": [1]}},
        {"answer": {"seconds": 1e300}},
        {"requests": 5},
        {"requests": [{"body": 5}]},
        {"requests": [{"at": "2026-10-01T09:00", "registry": "../../0001"}]},
        {"requests": [{"at": "2026-10-01T09:00", "registry": "9"}]},
        {"seed": [7]},
        {"exercise": None, "at": None},
    ],
)
def test_a_forged_document_is_unreadable(handed, tmp_path, members):
    forged(handed, tmp_path, **members)

    with pytest.raises(Unreadable):
        list(hand_in.read_all(tmp_path))


def link(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("become", [link, pipe])
@pytest.mark.parametrize("name", ["hand-in.json", "registry.sqlite"])
def test_links_are_not_followed_and_pipes_not_waited_for(handed, tmp_path, become, name):
    become(forged(handed, tmp_path) / name)

    with pytest.raises(Unreadable, match="is no file"):
        list(hand_in.read_all(tmp_path))


@pytest.mark.parametrize("linked", [".states", ".states/0001"])
def test_earlier_states_are_no_links(handed, tmp_path, linked):
    first = forged(handed, tmp_path / "handed", requests=[{"at": "2026-10-01T09:00:00+00:00", "registry": "1"}])
    elsewhere = tmp_path / ("elsewhere/0001" if linked == ".states" else "elsewhere")
    elsewhere.mkdir(parents=True)
    shutil.copy(first / "registry.sqlite", elsewhere)
    (first.parent / linked).parent.mkdir(exist_ok=True)
    (first.parent / linked).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Unreadable, match="an earlier state is a link"):
        list(hand_in.read_all(first.parent))


def test_a_folder_of_hand_ins_that_is_a_link_or_gone_is_unreadable(handed, tmp_path):
    (tmp_path / "link").symlink_to(handed)

    for name in ("link", "gone"):
        with pytest.raises(Unreadable, match="the folder of hand-ins"):
            list(hand_in.read_all(tmp_path / name))


def test_sqlite_opens_nothing_beside_the_database(handed, tmp_path):
    first = forged(handed, tmp_path)
    (tmp_path / "precious").write_text("kept")
    for name in ("wal", "shm", "journal"):
        (first / f"registry.sqlite-{name}").symlink_to(tmp_path / "precious")

    assert verdict("a-role-that-pushes", tmp_path)[0] == "missing"
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: changed(path, "CREATE TABLE more (x)"),
        lambda path: changed(path, "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM meta; END"),
    ],
    ids=["other", "cut", "table", "trigger"],
)
def test_another_database_is_not_judged(handed, tmp_path, damage):
    first = forged(handed, tmp_path)
    damage(first / "registry.sqlite")

    state, words = verdict("a-role-that-pushes", tmp_path)

    assert state == "unjudged"
    assert "snapshot" in words or "database" in words


def changed(path, statement):
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)


def test_requests_that_no_client_sent_break_nothing(handed, tmp_path):
    panic = {"body": "", "REQUEST_METHOD": "PANIC", "PATH_INFO": "\x00"}
    forged(handed, tmp_path, requests=[LOGGED | {"body": "!"}, LOGGED | panic])

    assert verdict("a-role-that-pushes", tmp_path)[0] in ("missing", "unjudged")


LOGGED = {"at": "2026-10-01T09:00:00+00:00", "registry": ""}
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=ecrlab/20261001/us-east-1/{}/aws4_request, Signature=0"


def test_forged_requests_reach_no_other_service_of_moto_and_not_its_settings(handed, tmp_path):
    from moto.core.config import default_user_config
    from moto.s3.models import s3_backends

    common = {**LOGGED, "REQUEST_METHOD": "PUT", "wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1"}
    settings = {
        **common,
        "PATH_INFO": "/moto-api/config",
        "body": base64.b64encode(b'{"iam": {"load_aws": 1}}').decode(),
    }
    bucket = {**common, "PATH_INFO": "/loot", "HTTP_HOST": "s3.amazonaws.com", "body": ""}
    forged(handed, tmp_path, requests=[settings, {**bucket, "HTTP_AUTHORIZATION": AUTHORIZATION.format("s3")}, bucket])
    before = copy.deepcopy(default_user_config)

    assert verdict("a-role-that-pushes", tmp_path)[0] == "missing"

    assert default_user_config == before
    assert not any(region.buckets for account in s3_backends.values() for region in account.values())


def test_the_graders_own_seed_is_not_the_students(handed, monkeypatch):
    monkeypatch.setenv("ECRLAB_SEED", "9")
    seen = []

    def judge(view):
        seen.append(ecrlab.lab._running._seed.text)
        return "seen"

    exercise = exercises.Exercise("a-role-that-pushes", "", judge, (), "")
    judging.verdicts([exercise], list(hand_in.read_all(handed))[:1], None)

    assert seen == ["7"]


def test_a_database_that_makes_a_judge_fail_is_not_judged(handed, tmp_path, monkeypatch):
    def judge(view):
        raise ZeroDivisionError("no lab could have made this")

    broken = [exercises.Exercise("a-role-that-pushes", "", judge, (), "")]

    [found] = judging.verdicts(broken, list(hand_in.read_all(handed))[:1], None)

    assert (found.state, found.words) == ("unjudged", "ZeroDivisionError: no lab could have made this")


def test_a_judge_has_a_time_limit(handed, monkeypatch):
    monkeypatch.setattr(judging, "JUDGED_SECONDS", 1)

    def judge(view):
        while True:
            with suppress(Exception):  # as moto does
                time.sleep(0.01)

    [found] = judging.verdicts(
        [exercises.Exercise("a-role-that-pushes", "", judge, (), "")], list(hand_in.read_all(handed))[:1], None
    )

    assert (found.state, found.words) == ("unjudged", "the judge took more than 1 seconds")


def test_all_judges_together_have_a_time_limit(handed, monkeypatch):
    monkeypatch.setattr(judging, "ALL_SECONDS", 0)

    assert verdict("a-role-that-pushes", handed) == ("unjudged", "the judges took more than 0 seconds")


def test_a_notebook_hands_in_no_more_than_the_grader_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(hand_in, "MOST", 2)
    monkeypatch.setenv(hand_in.VARIABLE, str(tmp_path))
    with ecrlab.start() as lab:
        for _ in range(4):
            lab.check(SECOND_TAG)

    assert len(list(hand_in.read_all(tmp_path))) == 2


def test_every_lesson_can_be_graded():
    for lesson in catalogue.lessons():
        assert all(one.state == "absent" for one in judging.none(lesson.EXERCISES))
