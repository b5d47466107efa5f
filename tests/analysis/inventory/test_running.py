"""What runs somewhere, as people and services write it, found again in a repository."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecrlab
from ecrlab.analysis.inventory.running import Reference, found_in, parse, references, resolve
from ecrlab.lifecycle import UnreadableInput
from tests.analysis.repositories import OCI_INDEX, image, repository

A, B, C = (f"sha256:{digit * 64}" for digit in "abc")
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
SHOP = repository(
    image(A, "v1 latest", media_type=OCI_INDEX, children=(B,)), image(B), image(C, "v2"), layers={A: "", B: "", C: ""}
)


@pytest.mark.parametrize(
    ("text", "repository_name", "tag", "digest"),
    [
        (f"{HOST}/my-app:v1", "my-app", "v1", None),
        (f"{HOST}/team/my-app@{A}", "team/my-app", None, A),
        (f"{HOST}/team/my-app:v1@{A}", "team/my-app", "v1", A),
        ("127.0.0.1:5055/my-app", "my-app", "latest", None),
        ("team/my-app:v1", "team/my-app", "v1", None),
        ("my-app", "my-app", "latest", None),
        (f"docker-pullable://{HOST}/my-app@{A}", "my-app", None, A),
        (A, None, None, A),
    ],
)
def test_a_reference_is_read_as_people_write_it(text, repository_name, tag, digest):
    found = parse(text)

    assert (found.repository, found.tag, found.digest) == (repository_name, tag, digest)


@pytest.mark.parametrize("text", ["", "two words", "UPPER/case", "my-app:", ":v1", "a@sha256:short"])
def test_what_is_no_reference_is_none(text):
    assert parse(text) is None


def test_a_list_has_comments_and_blank_lines():
    found = references(f"# what runs\n\n  {HOST}/my-app:v1   # web\n{C}\n")

    assert [one.text for one in found] == [f"{HOST}/my-app:v1", C]


def test_a_line_that_is_no_reference_is_named():
    with pytest.raises(UnreadableInput, match="line 2"):
        references("my-app:v1\nnot a reference\n")


def test_answers_of_ecs_are_read_and_the_digest_that_runs_counts():
    tasks = {"tasks": [{"containers": [{"image": f"{HOST}/my-app:v1", "imageDigest": C, "name": "web"}]}]}
    definition = {"taskDefinition": {"containerDefinitions": [{"image": f"{HOST}/my-app:v2"}]}}

    assert references(json.dumps(tasks)) == [Reference(C, "my-app", None, C)]
    assert references(json.dumps(definition))[0].tag == "v2"


def test_an_answer_of_kubernetes_is_read():
    pods = {"items": [{"status": {"containerStatuses": [{"image": "my-app:v1", "imageID": f"{HOST}/my-app@{C}"}]}}]}

    assert references(json.dumps(pods))[0].digest == C


@pytest.mark.parametrize("text", ["{}", '{"tasks": []}', "{", "[3]", "[" * 9999])
def test_json_without_images_is_refused(text):
    with pytest.raises(UnreadableInput):
        references(text)


def test_running_images_are_found_by_tag_and_digest_with_what_an_index_lists():
    found, lost = resolve(SHOP, [parse(f"{HOST}/my-app:v1"), parse(C)])

    assert found == {A: [f"{HOST}/my-app:v1"], B: [f"{HOST}/my-app:v1"], C: [C]}
    assert lost == []


def test_what_leads_nowhere_is_told_and_other_repositories_are_none_of_ours():
    found, lost = resolve(SHOP, [parse("my-app:v9"), parse("other:v1"), parse(f"sha256:{'d' * 64}")])

    assert found == {}
    assert [one.text for one in lost] == ["my-app:v9"]


@given(st.text())
def test_any_text_is_read_or_refused_by_its_own_error(text):
    with contextlib.suppress(UnreadableInput):
        references(text)


def test_task_definitions_of_a_lab_are_read_as_boto3_gives_them():
    with ecrlab.start() as lab:
        ecs = lab.client("ecs")
        container = {"name": "web", "image": f"{HOST}/my-app:v1", "memory": 128}
        ecs.register_task_definition(family="web", containerDefinitions=[container])
        [arn] = ecs.list_task_definitions()["taskDefinitionArns"]

        answer = ecs.describe_task_definition(taskDefinition=arn)

    assert [one.text for one in found_in(answer)] == [f"{HOST}/my-app:v1"]
