"""`%load_ext ecrlab` in any notebook."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

import ecrlab


@pytest.fixture(scope="module")
def session():
    return InteractiveShell()


@pytest.fixture
def shell(session):
    yield session
    session.extension_manager.unload_extension("ecrlab")
    session.user_ns.pop("lab", None)


def test_loading_starts_a_lab_and_unloading_stops_it(shell, capsys):
    shell.run_line_magic("load_ext", "ecrlab")
    lab = shell.user_ns["lab"]
    answer = shell.ev("lab.client('ecr').describe_registry()['registryId']")

    shell.run_line_magic("unload_ext", "ecrlab")

    assert answer == "123456789012"
    assert "use it until lab.stop()" in capsys.readouterr().out
    assert "stopped" in repr(lab)
    assert "lab" not in shell.user_ns


def test_a_lab_that_runs_already_is_used(shell):
    with ecrlab.start() as mine:
        shell.run_line_magic("load_ext", "ecrlab")

        assert shell.user_ns["lab"] is mine


def test_a_variable_of_the_user_is_kept_and_nothing_starts(shell):
    shell.user_ns["lab"] = "my laboratory"

    with pytest.raises(ecrlab.EcrLabError, match="`lab` is a variable here already"):
        shell.extension_manager.load_extension("ecrlab")

    assert shell.user_ns["lab"] == "my laboratory"
    assert ecrlab.lab.running() is None
