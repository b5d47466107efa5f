"""Errors in a notebook end at the learner's own line."""

import subprocess
import sys

import pytest

ERRORS = {
    "an error of AWS": ('boto3.client("ecr").describe_images(repositoryName="nope")', "RepositoryNotFoundException"),
    "a lab that was stopped": (
        'ecr = boto3.client("ecr"); lab.stop(); ecr.describe_repositories()',
        "EndpointConnectionError",
    ),
    "the kit's own": ('ecrlab.quiz("nothing")', "there is no quiz about 'nothing'"),
}


def interactive(script):
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", script]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_shows_the_learners_line_and_its_own_sentence_only(kind):
    script, says = ERRORS[kind]

    shown = interactive(f"import boto3, ecrlab\nlab = ecrlab.start()\n{script}\n")

    assert script in shown
    assert says in shown
    assert len(shown.splitlines()) < 15
    assert "botocore/" not in shown.replace("botocore.", "")


def test_other_errors_are_shown_in_full():
    shown = interactive("import json, ecrlab\nlab = ecrlab.start()\njson.loads('{')\n")

    assert "decoder.py" in shown
