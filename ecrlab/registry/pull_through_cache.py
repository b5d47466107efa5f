"""Pull-through cache rules: repositories below a prefix stand for those of an upstream registry.

    docker-hub/library/nginx ── rule `docker-hub` ──► registry-1.docker.io: library/nginx

The longest prefix decides; `ROOT` is for all names without another rule (AWS user guide, customizing repository
prefixes for ECR to ECR pull through cache). A rule makes nothing by itself: the first pull makes the repository and
brings the image, and later pulls of its tag ask upstream again when the last validation is a day old. Deleting a rule
leaves what is cached (AWS user guide, pull through cache).
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException, LimitExceededException
from ecrlab.registry.names import ROOT
from ecrlab.registry.pull_through_errors import (
    PullThroughCacheRuleAlreadyExistsException,
    PullThroughCacheRuleNotFoundException,
    UnsupportedUpstreamRegistryException,
)
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry

Rule = dict[str, Any]
"""A rule in AWS's members; `createdAt` and `updatedAt` in seconds since 1970."""

MOST_RULES = 50
"""Rules of a registry (AWS user guide, service quotas)."""

VALID_FOR = timedelta(hours=24)
"""How long a cached tag is served without a look upstream after the last one (AWS user guide, pull through cache)."""

SERVICE = "pullthroughcache.ecr.amazonaws.com"
ROLE = "AWSServiceRoleForECRPullThroughCache"
"""The service that imports images, and its role in the registry's account (AWS user guide, service-linked roles)."""

_ECR = re.compile(rf"({names.ACCOUNT.pattern})\.dkr\.ecr\.({names.REGION.pattern})\.amazonaws\.com")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A kind of upstream registry: its name in the API, and how ECR logs in to it."""

    name: str
    login: Literal["none", "secret", "role"]


_UPSTREAMS = {
    "public.ecr.aws": Upstream("ecr-public", "none"),
    "registry.k8s.io": Upstream("k8s", "none"),
    "quay.io": Upstream("quay", "none"),
    "registry-1.docker.io": Upstream("docker-hub", "secret"),
    "ghcr.io": Upstream("github-container-registry", "secret"),
    "registry.gitlab.com": Upstream("gitlab-container-registry", "secret"),
    "cgr.dev": Upstream("chainguard", "secret"),
}
_AZURE = (re.compile(r"[a-z0-9-]+\.azurecr\.io"), Upstream("azure-container-registry", "secret"))

NAMES = sorted({one.name for one in _UPSTREAMS.values()} | {_AZURE[1].name})
"""The names of all upstreams outside of private ECR (botocore model, UpstreamRegistry)."""


def upstream_of(url: str) -> Upstream | None:
    """Return the kind of registry at an URL, which has no scheme and no path; None for any that ECR cannot cache.

    >>> upstream_of("quay.io").name, upstream_of("111122223333.dkr.ecr.eu-west-1.amazonaws.com").login
    ('quay', 'role')
    >>> upstream_of("https://quay.io"), upstream_of("Quay.io")
    (None, None)
    """
    if _ECR.fullmatch(url):
        return Upstream("ecr", "role")
    return _AZURE[1] if _AZURE[0].fullmatch(url) else _UPSTREAMS.get(url)


def private_registry(registry: Registry, url: str) -> Registry:
    """Return the upstream registry of another account or Region. The URL is one of private ECR."""
    found = _ECR.fullmatch(url)
    assert found is not None
    return registry.world.registry(found[1], found[2])


def checked(registry: Registry, rule: Rule) -> Rule:
    """Return a new rule with the members that AWS fills in.

    Raises `UnsupportedUpstreamRegistryException` for an upstream that ECR cannot cache or a login that does not fit
    it, `InvalidParameterException`. Whether the secret exists is for its reader to see.
    """
    url = rule["upstreamRegistryUrl"]
    upstream = upstream_of(url)
    if upstream is None:
        # UNSURE: the class of this and of the following texts, except where the secret is missing.
        raise UnsupportedUpstreamRegistryException(
            f"The upstream registry URL {url} is invalid. Specify a valid upstream registry URL and try again"
        )
    if url == registry.host:
        raise UnsupportedUpstreamRegistryException(
            "Upstream registry URL cannot be the same as the cache registry. Please verify input and try again."
        )
    # AWS compares the two only for the registries with secrets.
    if upstream.login == "secret" and rule.get("upstreamRegistry", upstream.name) != upstream.name:
        raise UnsupportedUpstreamRegistryException(
            "Invalid input: Upstream registry URL and entered upstream registry do not match. "
            "Please verify input and try again."
        )
    if rule["ecrRepositoryPrefix"] == ROOT and rule.get("upstreamRepositoryPrefix", ROOT) != ROOT:
        # UNSURE: class and text; the user guide says that only another prefix than ROOT can have one upstream.
        raise InvalidParameterException(
            "upstreamRepositoryPrefix", "cannot be specified when ecrRepositoryPrefix is ROOT"
        )
    check_login(registry, url, rule)
    return {"upstreamRegistry": upstream.name, "upstreamRepositoryPrefix": ROOT, **rule}


def check_login(registry: Registry, url: str, members: Mapping[str, Any]) -> None:
    """Check that `credentialArn` and `customRoleArn` are what an upstream needs.

    Raises `UnsupportedUpstreamRegistryException`, `InvalidParameterException`.
    """
    upstream = upstream_of(url)
    assert upstream is not None
    secret, role = members.get("credentialArn"), members.get("customRoleArn")
    if (role and upstream.login != "role") or (secret and upstream.login == "role"):
        raise UnsupportedUpstreamRegistryException(
            "Upstream registry URL and provided credential type do not match. Please verify input and try again."
        )
    if secret and upstream.login == "none":
        raise UnsupportedUpstreamRegistryException("The specified upstream registry doesn't require authentication.")
    if upstream.login == "secret" and not secret:
        raise UnsupportedUpstreamRegistryException(
            "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN containing "
            "the upstream registry credentials and try again."
        )
    if secret and secret.split(":")[3:5] != [registry.region, registry.account_id]:
        raise InvalidParameterException(
            "credentialArn",
            "Please verify the secret exists in the same region and account that the pullthrough cache rule will be "
            "created in",
        )
    # UNSURE: whether another Region of the same account needs a role, too. The user guide's overview says that only
    # another account does, its page on permissions shows one for both.
    if upstream.login == "role" and not role and private_registry(registry, url).account_id != registry.account_id:
        # UNSURE: the text; made after that of a missing secret.
        raise UnsupportedUpstreamRegistryException(
            "The specified upstream registry requires authentication. Specify a valid IAM role ARN and try again."
        )
    if role and not re.fullmatch(rf"arn:aws[a-z-]*:iam::{registry.account_id}:role/[\w+=,.@/-]+", role):
        # UNSURE: the text; the role must be one of the registry's account (botocore model, CustomRoleArn).
        raise InvalidParameterException("customRoleArn", "must be the ARN of a role in the account of the registry")


def create(registry: Registry, rule: Rule) -> Rule:
    """Store a new rule of `checked`, and return it.

    Raises `PullThroughCacheRuleAlreadyExistsException`, `LimitExceededException`.
    """
    with registry.world.change() as change:
        rules, prefix = _read(change.db, registry), rule["ecrRepositoryPrefix"]
        if _key(prefix) in rules:
            raise PullThroughCacheRuleAlreadyExistsException(prefix, registry.account_id)
        if len(rules) >= MOST_RULES:
            # UNSURE: the exact text is not public.
            raise LimitExceededException(f"A registry can have at most {MOST_RULES} pull through cache rules")
        made = {**rule, "createdAt": change.at, "updatedAt": change.at}
        _write(change.db, registry, {**rules, _key(prefix): made})
        return made


def update(registry: Registry, prefix: str, members: Mapping[str, Any]) -> Rule:
    """Change members of a rule, and return it. Raises `PullThroughCacheRuleNotFoundException`."""
    with registry.world.change() as change:
        rules = _read(change.db, registry)
        changed = {**_get(rules, registry, prefix), **members, "updatedAt": change.at}
        _write(change.db, registry, {**rules, _key(prefix): changed})
        return changed


def delete(registry: Registry, prefix: str) -> Rule:
    """Delete a rule, and return it. Raises `PullThroughCacheRuleNotFoundException`."""
    with registry.world.change() as change:
        rules = _read(change.db, registry)
        gone = _get(rules, registry, prefix)
        _write(change.db, registry, {key: rule for key, rule in rules.items() if key != _key(prefix)})
        return gone


def find(registry: Registry, prefix: str) -> Rule:
    """Return the rule of a prefix. Raises `PullThroughCacheRuleNotFoundException`."""
    return _get(_rules(registry), registry, prefix)


def describe(registry: Registry) -> list[Rule]:
    """Return all rules of a registry, in the order of their prefixes."""
    return [rule for _, rule in sorted(_rules(registry).items())]


def matching(registry: Registry, repository_name: str) -> Rule | None:
    """Return the rule that a repository is below, or None."""
    rules = _rules(registry)
    # UNSURE: whether two rules may overlap, as `prod` and `prod/team` do; here they may, and the longer one decides.
    prefix = names.longest_prefix(rules, repository_name)
    return None if prefix is None else rules[prefix]


def upstream_name(rule: Rule, repository_name: str) -> str:
    """Return the name that a repository below a rule has upstream.

    >>> rule = {"ecrRepositoryPrefix": "my-app", "upstreamRepositoryPrefix": "upstream-app"}
    >>> upstream_name(rule, "my-app/image1")
    'upstream-app/image1'
    """
    own, theirs = rule["ecrRepositoryPrefix"], rule["upstreamRepositoryPrefix"]
    rest = repository_name if own == ROOT else repository_name.removeprefix(_key(own) + "/")
    return rest if theirs == ROOT else f"{_key(theirs)}/{rest}"


def note_validation(change: Change, repository: Repository, tag: str) -> None:
    """Note that a tag points at the same image as upstream now; the note goes when the tag moves or goes."""
    change.db.execute(
        "INSERT OR REPLACE INTO cached_tag VALUES (?, ?, ?)",
        (repository.id, tag, change.at),
    )


def is_due(db: sqlite3.Connection, repository: Repository, tag: str, now: float) -> bool:
    """Tell whether a pull of a tag asks upstream: the cache brought it, and validated it a day ago or earlier."""
    # UNSURE: what happens to a tag that a client pushed into such a repository; here it is never asked for upstream.
    row = db.execute(
        "SELECT validated_at FROM cached_tag WHERE repository_id = ? AND name = ?", (repository.id, tag)
    ).fetchone()
    return row is not None and now - row["validated_at"] >= VALID_FOR.total_seconds()


def _key(prefix: str) -> str:
    return prefix.removesuffix("/")


def _get(rules: dict[str, Rule], registry: Registry, prefix: str) -> Rule:
    found = rules.get(_key(prefix))
    if found is None:
        raise PullThroughCacheRuleNotFoundException(prefix, registry.account_id)
    return found


def _rules(registry: Registry) -> dict[str, Rule]:
    """Return the rules by prefix, without a slash at its end. Every pull asks for them."""
    where = (registry.account_id, registry.region)

    def look_up() -> dict[str, Rule]:
        with registry.world.store.read(one=True) as db:
            return _read(db, registry)

    return registry.world.cached(("pull through cache rules", *where), look_up, of=(where,))


def _read(db: sqlite3.Connection, registry: Registry) -> dict[str, Rule]:
    row = db.execute(
        "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = 'pull through cache rules'",
        (registry.account_id, registry.region),
    ).fetchone()
    return {} if row is None else dict(json.loads(row["value"]))


def _write(db: sqlite3.Connection, registry: Registry, rules: dict[str, Rule]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO registry_setting VALUES (?, ?, 'pull through cache rules', ?)",
        (registry.account_id, registry.region, json.dumps(rules)),
    )
