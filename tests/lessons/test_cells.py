"""`lab.why()` in a notebook explains the error of the last cell that had one, whatever printed or raised it."""

import subprocess
import sys

import pytest

import ecrlab

RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(colors="NoColor")
for cell in sys.stdin.read().split("\\n----\\n"):
    print("<cell>", flush=True)
    shell.run_cell(cell, store_history=True)
"""
START = "import boto3, ecrlab, sys\nlab = ecrlab.start()\necr = boto3.client('ecr')"
LOGIN = "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com"


def last_of(*cells: str) -> str:
    """Run a notebook in an IPython of its own, and return what its last cell prints."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN], input="\n----\n".join([START, *cells]), capture_output=True, text=True, check=True
    )
    return ran.stdout.split("<cell>")[-1].strip()


MISSING = "ecr.list_images(repositoryName='nope')"

CELLS = {
    "an exception of boto3": (MISSING, "(RepositoryNotFoundException)"),
    "an exception of another service": ("boto3.client('iam').get_role(RoleName='x')", "(NoSuchEntity)"),
    "an exception of Python": ("nothing", "NameError: name 'nothing' is not defined"),
    "a cell that cannot be read": ("x = (", "SyntaxError"),
    "an exception of the kit": ("lab.restore()", "EcrLabError: there is no snapshot"),
    "a caught exception": (f"try:\n    {MISSING}\nexcept Exception:\n    pass", "(RepositoryNotFoundException)"),
    "failures in an answer": (
        "ecr.create_repository(repositoryName='a-b')\n"
        "ecr.batch_get_image(repositoryName='a-b', imageIds=[{'imageTag': 'v1'}])",
        "BatchGetImage returned failures: ImageNotFound",
    ),
    "a usage error of aws": ("%%bash\naws ecr list-imagess", "Invalid choice: 'list-imagess'"),
    "a usage error that ends no cell": ("%%bash --no-raise-error\naws ecr list-images", "are required"),
    "a usage error of aws in a line": (
        "!aws ecr list-images --repository-name web --tags v1",
        "Unknown options",
    ),
    "a request that aws does not send": (
        "print('Parameter validation failed:\\nInvalid length for parameter repositoryName, value: 1')",
        "Invalid length for parameter repositoryName",
    ),
    "an error of aws that is hidden": (
        "%%bash --no-raise-error\naws ecr list-images --repository-name nope 2> /dev/null",
        "(RepositoryNotFoundException)",
    ),
    "an error of aws on stdout": (
        "%%bash --no-raise-error\naws iam get-role --role-name nope 2>&1 | cat",
        "(NoSuchEntity)",
    ),
    "an error of the kernel that the cell prints": ("print('Exec format error')", "Exec format error"),
    "a pod that waits": ("print('web   0/1   ImagePullBackOff   0   5s')", "web 0/1 ImagePullBackOff 0 5s"),
    "an error of docker": ("%%bash\ndocker push web", "web means Docker Hub"),
    "the left command of a pipe": (
        f"%%bash\naws ecr get-login-password --profile nope | {LOGIN}",
        "The config profile (nope) could not be found",
    ),
    "a command that says nothing": ("%%bash\nexit 3", "non-zero exit status 3"),
}


@pytest.mark.parametrize("kind", CELLS)
def test_the_error_of_the_last_cell_is_explained(kind):
    cell, text = CELLS[kind]

    said = last_of(cell, "lab.why()")

    assert text in " ".join(said.partition("\n\nWhat it means\n")[0].split())
    assert "The cure on AWS" in said
    assert "older" not in said


def test_an_error_that_is_older_than_the_last_cell_is_said_to_be_older():
    said = last_of(MISSING, "1 + 1", "lab.why()", "lab.why()")

    assert said.startswith("The last cell shows no error. This one is older, from 2 cells ago:")
    assert "(RepositoryNotFoundException)" in said


CHECK = "lab.check('push-a-second-tag')"


@pytest.mark.parametrize(
    "cells", [(MISSING, CHECK, "lab.why()"), (CHECK, "lab.why()", "lab.why()"), (f"{CHECK}\nlab.why()",)]
)
def test_a_check_that_is_not_reached_is_no_error(cells):
    assert "shows no error, only a check" in last_of(*cells)


def test_an_error_beside_or_after_a_check_is_explained():
    assert last_of(CHECK, MISSING, "lab.why()").startswith("An error occurred (RepositoryNotFoundException)")
    assert last_of(f"{CHECK}\n{MISSING}", "lab.why()").startswith("An error occurred (RepositoryNotFoundException)")


def test_the_newest_error_is_explained_also_where_an_earlier_one_is_of_another_tool():
    assert last_of("%%bash --no-raise-error\ndocker push web", "nothing", "lab.why()").startswith("NameError")


def test_what_the_kit_itself_is_refused_is_no_error_of_the_learner():
    editor = "ecr.create_repository(repositoryName='a-b')\neditor = lab.edit_policy('a-b')"

    assert last_of("lab.check('push-a-second-tag')", editor, "lab.why()").startswith("No error yet in this lab")


def test_the_streams_are_the_shells_own_again_when_no_cell_runs_and_after_the_lab():
    plain = "print(type(sys.__stdout__) is type(sys.stdout), type(sys.__stderr__) is type(sys.stderr))"

    assert last_of("lab.stop()", plain) == "True True"


def test_a_second_lab_watches_alone():
    said = last_of(MISSING, "lab = ecrlab.start()", "lab.why()")

    assert said.startswith("No error yet in this lab")


def test_outside_of_a_notebook_the_last_error_of_aws_is_explained(capsys):
    with ecrlab.start() as lab:
        ecr = lab.client("ecr")
        with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
            ecr.list_images(repositoryName="nope")
        lab.why()

    assert "(RepositoryNotFoundException)" in capsys.readouterr().out
