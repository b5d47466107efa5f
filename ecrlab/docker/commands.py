"""The commands of `docker`, one function each. Each imports only the parts that it needs."""

import json
import os
import sys
from typing import TYPE_CHECKING

from ecrlab.docker.errors import DockerError, RegistryError, from_daemon
from ecrlab.docker.options import Options
from ecrlab.docker.terminal import say, warn

if TYPE_CHECKING:
    from ecrlab.docker.references import Reference
    from ecrlab.docker.store import Store


def _store() -> "Store":
    from ecrlab.docker.store import Store

    return Store.from_environment()


def _named(text: str) -> "Reference":
    from ecrlab.docker.references import parse

    return parse(text)


# --- logins ----------------------------------------------------------------------------------------------------------


def login(options: Options, rest: list[str]) -> None:
    """Store a password if the registry accepts it."""
    from ecrlab.docker import credentials
    from ecrlab.docker.references import Reference, require_registry
    from ecrlab.docker.registry import Registry

    host = _host(rest)
    username, password = _credentials(options)
    require_registry(Reference(host, "login"))
    if username:
        auth = credentials.encode(username, password)
    else:
        known = credentials.stored(host)
        if known is None:
            raise DockerError("Error: Cannot perform an interactive login from a non TTY device")
        say("Authenticating with existing credentials...")
        auth = known
    with Registry(host) as registry:
        try:
            answer = registry.login(auth)
        except RegistryError as error:
            raise from_daemon(f'Get "https://{host}/v2/": {error}') from error
    if answer.status != 200:
        raise from_daemon(f"login attempt to https://{host}/v2/ failed with status: {answer.status} {answer.reason}")
    is_first = credentials.stored(host) is None
    credentials.keep(host, auth)
    if is_first:
        warn(
            "\nWARNING! Your credentials are stored unencrypted in '$DOCKER_CONFIG/config.json'.\n"
            "Configure a credential helper to remove this warning. See\n"
            "https://docs.docker.com/go/credential-store/\n"
        )
    say("Login Succeeded")


def _credentials(options: Options) -> tuple[str, str]:
    """Return user name and password from the options, standard input or a terminal; both empty if none is given."""
    username, password = options.last("username"), options.last("password")
    if options.flag("password-stdin"):
        if options.flag("password"):
            raise DockerError("conflicting options: cannot specify both --password and --password-stdin")
        if not username:
            raise DockerError("the --password-stdin option requires --username to be set")
        password = sys.stdin.read().rstrip("\r\n")
    elif password:
        warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    elif username and sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password: ")
    if (username or options.flag("password-stdin")) and not password:
        raise DockerError("Error: Cannot perform an interactive login from a non TTY device")
    return username, password


def logout(_options: Options, rest: list[str]) -> None:
    """Remove the stored password of a registry."""
    from ecrlab.docker import credentials

    host = _host(rest)
    say(f"Removing login credentials for {host}")
    credentials.forget(host)


def _host(rest: list[str]) -> str:
    if not rest:
        raise DockerError(
            "Without a registry, docker means Docker Hub, which this docker never reaches itself: name an ECR registry"
        )
    return rest[0].removeprefix("https://").removeprefix("http://").partition("/")[0]


# --- push and pull ---------------------------------------------------------------------------------------------------


def push(options: Options, rest: list[str]) -> None:
    """Push one tag, or with `--all-tags` all tags of a repository."""
    from ecrlab.docker import transfer

    reference = _named(rest[0])
    if reference.digest:
        raise DockerError("cannot push a digest reference")
    if not reference.is_ecr and reference.domain == "docker.io":
        raise DockerError(
            f"{reference.name} means Docker Hub, which the lab never reaches: give it the name of your registry first,"
            f" docker tag {reference} ACCOUNT.dkr.ecr.REGION.amazonaws.com/{reference.name}:{reference.tag or 'latest'}"
        )
    tell = (lambda _: None) if options.flag("quiet") else say
    store = _store()
    if not options.flag("all-tags"):
        transfer.push(store, reference.with_tag(), tell)
        if options.flag("quiet"):
            say(str(reference.with_tag()))
        return
    if reference.tag:
        raise DockerError("tag can't be used with --all-tags/-a")
    named = sorted((_named(name) for name in store.state().references), key=str)
    tags = [other for other in named if other.repository == reference.repository and other.tag]
    if not tags:
        raise DockerError(f"An image does not exist locally with the tag: {reference.name}")
    for tag in tags:
        transfer.push(store, tag, tell)


def pull(options: Options, rest: list[str]) -> None:
    """Pull an image by tag or digest."""
    from ecrlab.docker import transfer
    from ecrlab.docker.platforms import normalized

    reference = _named(rest[0])
    quiet = options.flag("quiet")
    platform = normalized(options.last("platform")) if options.flag("platform") else None
    tell = (lambda _: None) if quiet else say
    if options.flag("all-tags"):
        if reference.tag or reference.digest:
            raise DockerError("tag can't be used with --all-tags/-a")
        for one in transfer.all_tags(reference):
            transfer.pull(_store(), one, tell, platform)
        say(reference.name)
        return
    if not reference.tag and not reference.digest and not quiet:
        say("Using default tag: latest")
    reference = reference.with_tag()
    transfer.pull(_store(), reference, tell, platform)
    say(str(reference))


def manifest_inspect(options: Options, rest: list[str]) -> None:
    """Print the manifest of an image in a registry."""
    from ecrlab.docker import transfer
    from ecrlab.docker.registry import Registry

    reference = _named(rest[-1]).with_tag()
    try:
        with Registry.of(reference) as registry:
            found = registry.resolve(reference.path, reference.digest or reference.tag)
    except RegistryError as error:
        raise DockerError(f"no such manifest: {reference}") if error.http_status == 404 else error from error
    media_type, digest, body = found
    manifest = transfer.read_manifest(body, media_type)
    document = json.loads(body)
    if options.flag("verbose"):
        descriptor = {"mediaType": manifest.media_type, "digest": digest, "size": len(body)}
        document = {"Ref": str(reference), "Descriptor": descriptor, "Manifest": document}
    say(json.dumps(document, indent="\t"))


def imagetools_inspect(options: Options, rest: list[str]) -> None:
    """Print the manifest or index of a name in a registry; `--raw` prints its bytes."""
    from ecrlab.docker import imagetools

    manifest, text = imagetools.inspect(_named(rest[0]).with_tag())
    if options.flag("raw"):
        sys.stdout.write(manifest.body.decode())
    else:
        say(text)


def imagetools_create(options: Options, rest: list[str]) -> None:
    """Create a new name, or an index of several images, in a registry."""
    from ecrlab.docker import imagetools

    targets = [_named(name).with_tag() for name in options.all("tag")]
    dry_run = options.flag("dry-run")
    if not targets and not dry_run:
        raise DockerError("ERROR: can't push without a tag, please set --tag")
    if any(target.digest for target in targets):
        raise DockerError("ERROR: a tag cannot be a digest")
    made = imagetools.create(targets, [_named(name).with_tag() for name in rest], dry_run=dry_run)
    if dry_run:
        say(made)


# --- local images ----------------------------------------------------------------------------------------------------


def tag(_options: Options, rest: list[str]) -> None:
    """Give an image another name."""
    try:
        target = _named(rest[1]).with_tag()
    except DockerError as error:
        raise DockerError(f'Error parsing reference: "{rest[1]}" is not a valid repository/tag: {error}') from error
    if target.digest:
        raise DockerError("refusing to create a tag with a digest reference")
    store = _store()
    store.keep(store.get(rest[0]).digest, target)


def images(options: Options, rest: list[str]) -> None:
    """List images."""
    from ecrlab.docker.filters import filtered
    from ecrlab.docker.listing import image_rows, show_rows

    store = _store()
    found = image_rows(store, rest[0] if rest else "", full=options.flag("no-trunc"))
    rows = filtered(store, found, options.all("filter"))
    if options.flag("quiet"):
        say("\n".join(dict.fromkeys(row["ID"] for row in rows)))
        return
    digest = ["Digest"] if options.flag("digests") else []
    columns = ["Repository", "Tag", *digest, "ID", "CreatedSince", "Size"]
    say(show_rows(rows, columns, options.last("format")))


def inspect(options: Options, rest: list[str]) -> None:
    """Print all facts about images."""
    from ecrlab.docker.listing import inspected
    from ecrlab.docker.platforms import normalized
    from ecrlab.docker.template import render

    store = _store()
    platform = normalized(options.last("platform")) if options.flag("platform") else None
    template = options.last("format")
    found, missing = [], []
    for name in rest:
        image = store.find(name)
        if image is None:
            missing.append(name)
        else:
            found.append(inspected(store, image, platform))
    if template and template != "json":
        for told in found:
            say(render(template, told))
    else:
        say(
            json.dumps(
                found,
                indent=None if template else 4,
                separators=(",", ":") if template else None,
                ensure_ascii=False,
            )
        )
    if missing:
        raise DockerError("\n".join(f"Error: No such object: {name}" for name in missing))


def history(options: Options, rest: list[str]) -> None:
    """Print the instruction behind each layer."""
    from ecrlab.docker import listing

    store = _store()
    say(listing.history(store, store.get(rest[0]), full=options.flag("no-trunc"), quiet=options.flag("quiet")))


def image_prune(options: Options, _rest: list[str]) -> None:
    """Remove images without a tag, or with `--all` every image."""
    from ecrlab.docker.filters import prune

    every = options.flag("all")
    if not options.flag("force"):
        what = "images without at least one container associated to them" if every else "dangling images"
        sys.stdout.write(f"WARNING! This will remove all {what}.\nAre you sure you want to continue? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DockerError("image prune has been cancelled")
    say(prune(_store(), every=every))


def rmi(options: Options, rest: list[str]) -> None:
    """Remove images from this machine; those in a registry stay."""
    from ecrlab.docker.listing import remove

    store = _store()
    for name in rest:
        say("\n".join(remove(store, name, force=options.flag("force"))))


# --- versions --------------------------------------------------------------------------------------------------------

WHAT_IT_IS = (
    "This is the lab's docker command, not Docker: it builds (without RUN), tags, pushes, pulls and inspects images,\n"
    "and every registry it knows is the simulated ECR on this machine. It runs no containers and reaches no network."
)


def version(options: Options, _rest: list[str]) -> None:
    """Print the version, and that no engine runs."""
    from ecrlab import __version__

    if template := options.last("format"):
        from ecrlab.docker.template import render

        told = {"Client": {"Version": __version__, "Os": "linux", "Arch": "amd64"}, "Server": None}
        say(json.dumps(told, separators=(",", ":")) if template == "json" else render(template, told))
        return
    say(f"Client: ecrlab docker\n Version:           {__version__}\n\nServer: none\n\n{WHAT_IT_IS}")


def info(_options: Options, _rest: list[str]) -> None:
    """Print the lab, the number of images, and that no engine runs."""
    from ecrlab import __version__
    from ecrlab.docker.platforms import default_platform

    lab = os.environ.get("ECRLAB_ENDPOINT") or "none is running"
    count = len(_store().state().images) if os.environ.get("DOCKER_CONFIG") else 0
    say(
        f"Client: ecrlab docker\n Version:  {__version__}\n Lab:      {lab}\n Images:   {count}\n"
        f" Platform: {default_platform()}\n\nServer: none\n\n{WHAT_IT_IS}"
    )
