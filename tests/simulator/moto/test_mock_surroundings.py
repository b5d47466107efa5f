"""What surrounds `ecrlab.mock_aws()`: nothing of the user's is read, AWS is out of reach, nothing is left behind."""

import os
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest

import ecrlab
from ecrlab.machine.bootstrap import CHECKOUT


@pytest.fixture
def lab() -> Iterator[Any]:
    with ecrlab.mock_aws() as lab:
        yield lab


def repositories(region: str = "us-east-1") -> list[str]:
    found = boto3.client("ecr", region_name=region).describe_repositories()["repositories"]
    return [repository["repositoryName"] for repository in found]


def test_a_client_made_before_is_answered_too(tmp_path: Path) -> None:
    script = """
        import boto3, ecrlab
        before = boto3.client("ecr", region_name="us-east-1")
        with ecrlab.mock_aws() as lab:
            lab.push("web")
            print(len(before.describe_repositories()["repositories"]))
        """
    assert run(script, tmp_path) == "1\n"


def test_the_settings_of_the_user_are_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    before = dict(os.environ)
    with ecrlab.mock_aws() as lab:
        lab.push("web")
        ecr = boto3.client("ecr")
        assert (ecr.meta.region_name, repositories()) == ("us-east-1", ["web"])
    assert dict(os.environ) == before


def test_a_region_that_the_test_sets_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    with ecrlab.mock_aws() as lab:
        lab.push("web")
        assert boto3.client("ecr").meta.region_name == "eu-west-3"
        assert repositories("eu-west-3") == ["web"]


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("ecrlab-mock-*"))


def state() -> list[Any]:
    from botocore.httpsession import URLLib3Session
    from moto import backend_index
    from moto.ecr.models import ecr_backends

    patched = [URLLib3Session.send, socket.getaddrinfo, ecr_backends.backend, sys.modules.get("moto.ecrpublic")]
    return [*patched, dict(os.environ), list(backend_index.backend_url_patterns), folders()]


def test_all_is_as_before_when_the_mock_ends_also_by_an_error() -> None:
    before = state()
    with pytest.raises(RuntimeError), ecrlab.mock_aws() as lab:
        lab.push("web")
        assert len(folders() - before[-1]) == 1
        raise RuntimeError
    assert state() == before


def test_a_lab_that_is_over_says_so() -> None:
    with ecrlab.mock_aws() as lab:
        pass
    for use in (lambda: lab.clock, lambda: lab.push("web")):
        with pytest.raises(ecrlab.EcrLabError, match="not running"):
            use()


def test_motos_own_mock_is_motos_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with moto.mock_aws():
        boto3.client("ecr").create_repository(repositoryName="theirs")
        with ecrlab.mock_aws() as lab:
            lab.push("ours")
            assert repositories() == ["ours"]
        assert repositories() == ["theirs"]


@pytest.mark.parametrize("mock", [ecrlab.mock_aws, moto.mock_aws])
def test_a_mock_inside_a_mock_is_the_same_registry(lab: Any, mock: Any) -> None:
    lab.push("web")
    with mock():
        assert repositories() == ["web"]
    assert repositories() == ["web"]


def test_nothing_stays_behind_when_the_process_ends(tmp_path: Path) -> None:
    script = """
        import ecrlab
        lab = ecrlab.mock_aws()
        lab.start()
        print(lab.push("app:v1")[:7])
        """
    assert run(script, tmp_path) == "sha256:\n"


def run(script: str, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment | {"TMPDIR": str(folder), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert list(folder.iterdir()) == []
    return ended.stdout
