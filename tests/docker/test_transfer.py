"""Login, push and pull against the lab's registry: what travels, and what is said when something is refused."""

import base64
import json

import pytest

from ecrlab import gallery

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
EXPIRED = "denied: Your authorization token has expired. Reauthenticate and try again."


@pytest.fixture
def pushed(lab, app):
    """`my-app:v1` built, logged in, and pushed."""
    lab.create("my-app", "other")
    lab.login()
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    lab.ok("push", f"{ECR}/my-app:v1")
    lab.requests()
    return lab


# --- login -----------------------------------------------------------------------------------------------------------


def test_login_stores_user_and_password_in_base64(lab, tmp_path):
    password = lab.password()
    ran = lab.docker("login", "--username", "AWS", "--password-stdin", f"https://{ECR}", stdin=password + "\n")
    assert (ran.out, ran.status) == ("Login Succeeded\n", 0)
    assert "stored unencrypted" in ran.err
    config = tmp_path / "config" / "config.json"
    auth = json.loads(config.read_text())["auths"][ECR]["auth"]
    assert base64.b64decode(auth).decode() == f"AWS:{password}"
    assert config.stat().st_mode & 0o777 == 0o600


def test_a_login_that_the_registry_refuses_is_not_stored(lab, tmp_path):
    said = lab.fails("login", "-u", "AWS", "--password-stdin", ECR, stdin="nonsense")
    assert said == f"Error response from daemon: login attempt to https://{ECR}/v2/ failed with status: 400 Bad Request"
    assert not (tmp_path / "config" / "config.json").exists()


def test_login_with_a_password_on_the_command_line_is_warned_of(lab):
    ran = lab.docker("login", "-u", "AWS", "-p", lab.password(), ECR)
    assert ran.status == 0
    assert ran.err.startswith("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--password-stdin", ECR], "x", "the --password-stdin option requires --username to be set"),
        (["-u", "AWS", ECR], "", "Error: Cannot perform an interactive login from a non TTY device"),
        (
            ["-u", "AWS", "--password-stdin", ECR],
            "",
            "Error: Cannot perform an interactive login from a non TTY device",
        ),
        (
            ["-u", "AWS", "-p", "x", "--password-stdin", ECR],
            "",
            "conflicting options: cannot specify both --password and --password-stdin",
        ),
        (["-u", "AWS", "-p", "x", "ghcr.io"], "", "ghcr.io is not in the lab's world"),
        (["-u", "AWS", "-p", "x"], "", "Without a registry, docker means Docker Hub"),
    ],
)
def test_login_refusals(lab, arguments, stdin, said):
    assert said in lab.fails("login", *arguments, stdin=stdin)


def test_logout_forgets(lab):
    lab.login()
    assert lab.ok("logout", ECR) == f"Removing login credentials for {ECR}\n"
    assert "no basic auth credentials" in lab.fails("pull", f"{ECR}/my-app:v1")


def test_a_credential_helper_is_not_run(lab, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.json").write_text(json.dumps({"credHelpers": {ECR: "ecr-login"}}))
    assert "runs no credential helpers" in lab.fails("pull", f"{ECR}/my-app:v1")


# --- push ------------------------------------------------------------------------------------------------------------


def test_a_first_push_sends_every_layer_and_says_so(lab, app):
    lab.create("my-app")
    lab.login()
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    image = lab.store.get(f"{ECR}/my-app:v1")
    bottom, top = (layer.digest[7:19] for layer in image.manifest.layers)
    assert lab.ok("push", f"{ECR}/my-app:v1").splitlines() == [
        f"The push refers to repository [{ECR}/my-app]",
        f"{top}: Pushed",
        f"{bottom}: Pushed",
        f"v1: digest: {image.digest} size: {len(image.manifest.body)}",
    ]


def test_the_requests_of_a_push_are_those_of_docker(lab, app):
    lab.create("my-app")
    lab.login()
    (app / "Dockerfile").write_text("FROM scratch\nCOPY app.py /\n")
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    lab.ok("push", f"{ECR}/my-app:v1")
    methods = [(method, status) for method, _, status in lab.requests()]
    blob = [("HEAD", 404), ("POST", 202), ("PATCH", 202), ("PUT", 201)]
    assert methods == [("GET", 401), *blob, *blob, ("PUT", 201)]


def test_a_second_push_moves_nothing_but_the_manifest(pushed):
    assert pushed.ok("push", f"{ECR}/my-app:v1").count("Layer already exists") == 2
    assert {method for method, _, _ in pushed.requests()} == {"GET", "HEAD", "PUT"}


def test_only_what_changed_is_sent(pushed, app):
    (app / "app.py").write_text("print('changed')\n")
    pushed.ok("build", "-t", f"{ECR}/my-app:v2", ".")
    out = pushed.ok("push", f"{ECR}/my-app:v2")
    assert (out.count("Pushed"), out.count("Layer already exists")) == (1, 1)


def test_a_layer_known_from_another_repository_is_mounted(pushed):
    pushed.ok("tag", f"{ECR}/my-app:v1", f"{ECR}/other:v1")
    assert pushed.ok("push", f"{ECR}/other:v1").count(": Mounted from my-app") == 2
    assert not [method for method, _, _ in pushed.requests() if method == "PATCH"]


def test_what_cannot_be_mounted_is_uploaded(pushed):
    image = pushed.store.get(f"{ECR}/my-app:v1")
    with pushed.store.changing() as state:
        state.seen = {digest: [f"{ECR}/never-pushed"] for digest in pushed.store.needed_by(image)}
    pushed.ok("tag", f"{ECR}/my-app:v1", f"{ECR}/other:v1")
    assert pushed.ok("push", f"{ECR}/other:v1").count("Pushed") == 2


def test_all_tags_of_a_repository_are_pushed(pushed):
    pushed.ok("tag", f"{ECR}/my-app:v1", f"{ECR}/my-app:stable")
    out = pushed.ok("push", "--all-tags", f"{ECR}/my-app")
    assert [line.split(":")[0] for line in out.splitlines() if "digest:" in line] == ["stable", "v1"]
    assert pushed.fails("push", "-a", f"{ECR}/my-app:v1") == "tag can't be used with --all-tags/-a"


def test_push_without_login(lab, app):
    lab.create("my-app")
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    ran = lab.docker("push", f"{ECR}/my-app:v1")
    assert ran.out == f"The push refers to repository [{ECR}/my-app]\n"
    assert (ran.err, ran.status) == ("no basic auth credentials\n", 1)


def test_push_with_an_expired_token(pushed):
    pushed.world.clock.advance(hours=13)
    assert pushed.fails("push", f"{ECR}/my-app:v1") == EXPIRED


def test_push_to_a_repository_that_does_not_exist(lab, app):
    lab.login()
    lab.ok("build", "-t", f"{ECR}/nope:v1", ".")
    assert lab.fails("push", f"{ECR}/nope:v1") == (
        "name unknown: The repository with name 'nope' does not exist in the registry with id '123456789012'"
    )


def test_push_to_an_immutable_tag(lab, app):
    lab.create("my-app", image_tag_mutability="IMMUTABLE")
    lab.login()
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    lab.ok("push", f"{ECR}/my-app:v1")
    (app / "app.py").write_text("print('changed')\n")
    lab.ok("build", "-t", f"{ECR}/my-app:v1", ".")
    said = lab.fails("push", f"{ECR}/my-app:v1")
    assert said.startswith("tag invalid: The image tag 'v1' already exists in the 'my-app' repository")


def test_push_of_what_is_not_here(lab):
    said = lab.fails("push", f"{ECR}/my-app:v1")
    assert said == f"An image does not exist locally with the tag: {ECR}/my-app"


def test_push_of_a_name_without_a_registry_says_to_tag_it(lab, app):
    lab.ok("build", "-t", "my-app:v1", ".")
    assert "docker tag my-app:v1 ACCOUNT.dkr.ecr.REGION.amazonaws.com/my-app:v1" in lab.fails("push", "my-app:v1")
    assert lab.requests() == []


# --- pull ------------------------------------------------------------------------------------------------------------


def test_pull_brings_back_the_same_digest(pushed):
    digest = pushed.store.get(f"{ECR}/my-app:v1").digest
    pushed.ok("rmi", f"{ECR}/my-app:v1")
    first, second = pushed.ok("pull", f"{ECR}/my-app:v1"), pushed.ok("pull", f"{ECR}/my-app:v1")
    assert first.splitlines()[0] == "v1: Pulling from my-app"
    assert first.count("Pull complete") == 2
    assert first.splitlines()[-3:] == [
        f"Digest: {digest}",
        f"Status: Downloaded newer image for {ECR}/my-app:v1",
        f"{ECR}/my-app:v1",
    ]
    assert "Already exists" in second
    assert f"Status: Image is up to date for {ECR}/my-app:v1" in second


def test_pull_by_digest_needs_no_tag(pushed):
    digest = pushed.store.get(f"{ECR}/my-app:v1").digest
    pushed.ok("rmi", f"{ECR}/my-app:v1")
    assert f"{ECR}/my-app@{digest}: Pulling from my-app" in pushed.ok("pull", f"{ECR}/my-app@{digest}")
    assert "<none>" in pushed.ok("images")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my-app:nope", f"manifest for {ECR}/my-app:nope not found: manifest unknown: Requested image not found"),
        (
            "nope:v1",
            f"repository {ECR}/nope not found: name unknown: The repository with name 'nope' does not exist in the"
            " registry with id '123456789012'",
        ),
    ],
)
def test_pull_of_what_is_not_there(pushed, name, said):
    assert pushed.fails("pull", f"{ECR}/{name}") == f"Error response from daemon: {said}"


def test_pull_with_an_expired_token(pushed):
    pushed.world.clock.advance(hours=13)
    assert pushed.fails("pull", f"{ECR}/my-app:v1") == (
        f"Error response from daemon: pull access denied for {ECR}/my-app, repository does not exist or may require"
        f" 'docker login': {EXPIRED}"
    )


def test_pull_without_login(lab):
    assert lab.fails("pull", f"{ECR}/my-app:v1") == (
        f'Error response from daemon: Head "https://{ECR}/v2/my-app/manifests/v1": no basic auth credentials'
    )


def test_a_blob_that_is_not_what_its_digest_says_is_refused(lab, monkeypatch):
    monkeypatch.setattr(gallery, "blob", lambda *_: b"something else")
    said = lab.fails("pull", "public.ecr.aws/docker/library/alpine:3.22.6")
    assert "filesystem layer verification failed for digest sha256:" in said
    assert lab.ok("images", "-q").strip() == ""


# --- several platforms -----------------------------------------------------------------------------------------------


def test_several_platforms_make_an_index(pushed):
    pushed.ok("build", "--platform", "linux/amd64,linux/arm64", "-t", f"{ECR}/my-app:multi", ".")
    pushed.ok("push", f"{ECR}/my-app:multi")
    index = json.loads(pushed.ok("manifest", "inspect", f"{ECR}/my-app:multi"))
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert [child["platform"]["architecture"] for child in index["manifests"]] == ["amd64", "arm64"]


def test_pull_chooses_the_platform(pushed):
    name = "public.ecr.aws/docker/library/alpine:3.22.6"
    pushed.ok("pull", "--platform", "linux/arm64", name)
    assert pushed.ok("inspect", "-f", "{{.Os}}/{{.Architecture}}", name) == "linux/arm64\n"
    pushed.ok("pull", name)
    assert pushed.ok("inspect", "-f", "{{.Os}}/{{.Architecture}}", name) == "linux/amd64\n"
    assert "no matching manifest for linux/s390x" in pushed.fails("pull", "--platform", "s390x", name)


def test_provenance_adds_an_entry_of_an_unknown_platform(pushed):
    pushed.ok("build", "--provenance=true", "-t", f"{ECR}/my-app:attested", ".")
    pushed.ok("push", f"{ECR}/my-app:attested")
    image, attestation = json.loads(pushed.ok("manifest", "inspect", f"{ECR}/my-app:attested"))["manifests"]
    assert attestation["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert attestation["annotations"]["vnd.docker.reference.digest"] == image["digest"]


def test_imagetools_shows_what_a_name_is(pushed):
    raw = pushed.ok("buildx", "imagetools", "inspect", "--raw", f"{ECR}/my-app:v1")
    assert raw.encode() == pushed.store.get(f"{ECR}/my-app:v1").manifest.body
    shown = pushed.ok("buildx", "imagetools", "inspect", "public.ecr.aws/docker/library/alpine:3.22.6")
    assert "Platform:  linux/arm64/v8" in shown
