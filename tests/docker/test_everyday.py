"""What people type every day beyond build, push and pull: the words and statuses are Docker's."""

import json

import pytest

from ecrlab.docker.errors import DockerError
from ecrlab.docker.template import render

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def built(lab, app):
    """An image `my-app:v1`."""
    lab.ok("build", "-q", "-t", "my-app:v1", "--label", "team=a", ".")
    return lab


@pytest.fixture
def pushed(built):
    """The same in the registry, as v1 and v2."""
    built.create("my-app")
    built.login()
    for tag in ("v1", "v2"):
        built.ok("tag", "my-app:v1", f"{ECR}/my-app:{tag}")
        built.ok("push", "-q", f"{ECR}/my-app:{tag}")
    return built


def other(lab, app, *tags):
    (app / "app.py").write_text("other\n")
    lab.ok("build", "-q", *(word for tag in tags for word in ("-t", tag)), ".")


# --- templates -------------------------------------------------------------------------------------------------------

VALUE = {"Tags": ["a", "b"], "Id": "ab:c", "Labels": {"x": "y"}, "None": [], "Size": 7, "Off": False}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{range .Tags}}<{{.}}>{{end}}", "<a><b>"),
        ("{{range $i, $tag := .Tags}}{{if $i}}, {{end}}{{$tag}}{{end}}", "a, b"),
        ("{{range $key, $value := .Labels}}{{$key}}={{$value}} {{$.Size}}{{end}}", "x=y 7"),
        ("{{range .None}}x{{else}}none{{end}}", "none"),
        ("{{if .Off}}on{{else}}off{{end}}", "off"),
        ("{{if and .Size (eq .Id `ab:c`)}}both{{end}}", "both"),
        ("{{with .Labels}}{{.x}}{{end}}{{with .None}}x{{else}}-{{end}}", "y-"),
        ('{{join .Tags ","}}', "a,b"),
        ('{{index (split .Id ":") 1 | upper}}', "C"),
        ("{{upper .Id}} {{lower `AB`}} {{title .Id}}", "AB:C ab Ab:C"),
        ("{{println .Id}}x", "ab:c\nx"),
        ('{{printf "%s has %d%%" .Id .Size}}', "ab:c has 7%"),
        ("a {{- .Size -}} b", "a7b"),
        ("{{/* nothing */}}{{$x := .Size}}{{$x}}", "7"),
        ("{{json .}}", '{"Tags":["a","b"],"Id":"ab:c","Labels":{"x":"y"},"None":[],"Size":7,"Off":false}'),
        ("{{.Labels}} {{.Tags}} {{not .Off}} {{len .Tags}}", "map[x:y] [a b] true 2"),
    ],
)
def test_templates_are_go_s(template, shown):
    assert render(template, VALUE) == shown


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{", "unclosed action"),
        ("{{range .Tags}}x", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{nope .Id}}", 'function "nope" not defined'),
        ("{{}}", "missing value for command"),
        ("{{.Id | }}", "missing value for command"),
        ("{{(.Id}} {{)}}", "unexpected right paren"),
        ("{{" + "(" * 60 + ".Id" + ")" * 60 + "}}", "max expression depth exceeded"),
    ],
)
def test_a_template_that_does_not_parse_is_status_64(built, template, said):
    ran = built.docker("inspect", "-f", template, "my-app:v1")
    assert (ran.out, ran.err, ran.status) == ("", f"template parsing error: template: :1: {said}\n", 64)


@pytest.mark.parametrize("template", ["{{.Nope}}", "{{upper .Size}}", "{{index .Tags 9}}", "{{.Size.x}}"])
def test_a_template_that_asks_for_what_is_not_there(template):
    with pytest.raises(DockerError, match='template: :1:2: executing "" at <') as caught:
        render(template, VALUE)
    assert caught.value.status == 1


def test_json_has_no_spaces(built):
    for output in (
        built.ok("images", "--format", "{{json .}}"),
        built.ok("images", "--format", "json"),
        built.ok("inspect", "--format", "{{json .Config}}", "my-app:v1"),
        built.ok("inspect", "--format", "json", "my-app:v1"),
        built.ok("version", "--format", "json"),
    ):
        assert output == json.dumps(json.loads(output), separators=(",", ":")) + "\n"


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_tag_that_is_not_there_cannot_be_pushed(pushed):
    assert pushed.fails("push", f"{ECR}/my-app:absent") == f"tag does not exist: {ECR}/my-app:absent"
    nowhere = f"{ECR}/nowhere"
    assert pushed.fails("push", f"{nowhere}:v1") == f"An image does not exist locally with the tag: {nowhere}"


def test_an_id_with_two_tags_is_removed_only_by_force(built):
    built.ok("tag", "my-app:v1", "my-app:v2")
    image = built.store.get("my-app:v1").id
    short = image.removeprefix("sha256:")[:12]
    assert built.fails("rmi", short) == (
        f"Error response from daemon: conflict: unable to delete {short} (must be forced) - image is referenced in"
        " multiple repositories"
    )
    assert built.ok("rmi", "-f", short).splitlines()[-1] == f"Deleted: {image}"


def test_a_second_login_is_not_warned_of_again(lab):
    first, second = (lab.docker("login", "-u", "AWS", "--password-stdin", ECR, stdin=lab.password()) for _ in range(2))
    assert "unencrypted" in first.err
    assert (second.out, second.err, second.status) == ("Login Succeeded\n", "", 0)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_images_are_filtered(built, app):
    other(built, app, "my-app:v1", "tool:old")

    def shown(*filters):
        options = [word for text in filters for word in ("--filter", text)]
        return sorted(built.ok("images", *options, "--format", "{{.Repository}}:{{.Tag}}").split())

    assert shown() == ["<none>:<none>", "my-app:v1", "tool:old"]
    assert shown("dangling=true") == ["<none>:<none>"]
    assert shown("dangling=false") == ["my-app:v1", "tool:old"]
    assert shown("label=team") == shown("label=team=a") == ["<none>:<none>"]
    assert shown("label=team=b") == shown("label=x") == []
    assert shown("reference=my-*") == shown("reference=*:v1") == ["my-app:v1"]
    assert shown("reference=tool", "reference=my-app") == ["my-app:v1", "tool:old"]
    assert shown("reference=tool", "label=team") == []
    assert shown("since=tool:old") == shown("before=tool:old") == []


@pytest.mark.parametrize(
    ("text", "said", "status"),
    [
        ("colour=red", "Error response from daemon: invalid filter 'colour'", 1),
        ("dangling=perhaps", "Error response from daemon: invalid filter 'dangling=perhaps'", 1),
        ("dangling", 'invalid argument "dangling" for "-f, --filter" flag: invalid filter \'dangling\'', 125),
    ],
)
def test_a_filter_that_docker_does_not_have(built, text, said, status):
    ran = built.docker("images", "--filter", text)
    assert (ran.err, ran.status) == (f"{said}\n", status)


def test_history_shows_ids_alone(built):
    image = built.store.get("my-app:v1")
    steps = len(image.config["history"])
    assert built.ok("history", "-q", "my-app:v1").split() == [image.id[7:19], *["<missing>"] * (steps - 1)]
    assert built.ok("history", "-q", "--no-trunc", "my-app:v1").split()[0] == image.id


def test_pruning_removes_what_has_no_tag(built, app):
    old = built.store.get("my-app:v1").id
    assert built.ok("image", "prune", "-f") == "Total reclaimed space: 0B\n"
    other(built, app, "my-app:v1")
    assert built.docker("image", "prune", stdin="n\n").err == "image prune has been cancelled\n"
    said = built.ok("image", "prune", stdin="y\n")
    assert said.startswith(
        "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] Deleted Images:\n"
        f"deleted: {old}\n\nTotal reclaimed space: "
    )
    assert built.store.find(old) is None
    assert built.store.find("my-app:v1") is not None
    assert "untagged: my-app:v1" in built.ok("image", "prune", "-a", "-f")
    assert built.ok("images", "-q") == "\n"


# --- registries ------------------------------------------------------------------------------------------------------


def test_all_tags_are_pulled(pushed):
    digest = pushed.store.get(f"{ECR}/my-app:v1").digest
    pushed.ok("image", "prune", "-a", "-f")
    said = pushed.ok("pull", "-a", f"{ECR}/my-app").splitlines()
    assert said[0] == "v1: Pulling from my-app"
    assert "v2: Pulling from my-app" in said
    assert said[-1] == f"{ECR}/my-app"
    for tag in ("v1", "v2"):
        assert pushed.store.get(f"{ECR}/my-app:{tag}").digest == digest
    assert pushed.fails("pull", "-a", f"{ECR}/my-app:v1") == "tag can't be used with --all-tags/-a"
    assert pushed.fails("pull", "-a", f"{ECR}/nowhere").startswith("Error response from daemon: ")


def test_imagetools_gives_an_image_another_name(pushed):
    pushed.ok("buildx", "imagetools", "create", "-t", f"{ECR}/my-app:stable", f"{ECR}/my-app:v1")
    tags = {tag: image.digest for image in pushed.images("my-app") for tag in image.tags}
    assert tags["stable"] == tags["v1"]


def test_imagetools_makes_an_index_of_images(pushed, app):
    other(pushed, app, f"{ECR}/my-app:other")
    pushed.ok("push", "-q", f"{ECR}/my-app:other")
    sources = [f"{ECR}/my-app:v1", f"{ECR}/my-app:other"]
    dry = json.loads(pushed.ok("buildx", "imagetools", "create", "--dry-run", *sources))
    pushed.ok("buildx", "imagetools", "create", "-t", f"{ECR}/my-app:both", *sources)

    made = json.loads(pushed.ok("buildx", "imagetools", "inspect", "--raw", f"{ECR}/my-app:both"))
    assert made == dry
    assert [child["digest"] for child in made["manifests"]] == [pushed.store.get(name).digest for name in sources]
    assert made["manifests"][0]["platform"] == {"architecture": "amd64", "os": "linux"}

    pushed.ok("buildx", "imagetools", "create", "-t", f"{ECR}/my-app:more", f"{ECR}/my-app:both", sources[0])
    more = json.loads(pushed.ok("buildx", "imagetools", "inspect", "--raw", f"{ECR}/my-app:more"))
    assert more["manifests"] == [*made["manifests"], made["manifests"][0]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([f"{ECR}/my-app:v1"], "can't push without a tag, please set --tag"),
        (["-t", f"{ECR}/other:v1", f"{ECR}/my-app:v1"], "of one repository only"),
        (["-t", f"{ECR}/my-app:x", f"{ECR}/my-app:absent"], f"ERROR: {ECR}/my-app:absent: not found"),
    ],
)
def test_imagetools_says_what_it_cannot_make(pushed, arguments, said):
    assert said in pushed.fails("buildx", "imagetools", "create", *arguments)


@pytest.mark.parametrize("command", ["create", "annotate", "push", "rm"])
def test_lists_on_this_machine_have_another_way(lab, command):
    assert "docker buildx imagetools create" in lab.fails("manifest", command, "a", "b")
