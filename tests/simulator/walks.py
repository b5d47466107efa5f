"""Walks through a registry: calls of every operation and of `/v2/`, mostly sensible, sometimes spoilt, from one seed.

Before and after each call the whole registry is compared: a call that is refused must have changed nothing.
"""

import base64
import io
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.aws.calls import OPERATIONS
from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.server import application
from tests.simulator.client import CONFIG, LAYER, OCI_INDEX, OCI_MANIFEST, digest_of
from tests.simulator.logos import png
from tests.simulator.requests import SAMPLES, headers

ACCOUNT, REGION = "123456789012", "lab-junk-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
REPOSITORIES = {"ecr": ("app", "team/web", "old"), "ecr-public": ("open", "team/open")}
RULE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
    "action": {"type": "expire"},
}
REPOSITORY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "a", "Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "ecr:BatchGetImage"}],
}
PUBLIC_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "a", "Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "ecr-public:PutImage"}],
}
REGISTRY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "a",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
            "Action": ["ecr:ReplicateImage"],
            "Resource": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"],
        }
    ],
}
FOLLOWED_BY = {
    "PutLifecyclePolicy": ("GetLifecyclePolicy", "DeleteLifecyclePolicy"),
    "StartImageScan": ("DescribeImageScanFindings",),
    "StartLifecyclePolicyPreview": ("GetLifecyclePolicyPreview",),
    "SetRepositoryPolicy": ("GetRepositoryPolicy", "DeleteRepositoryPolicy"),
    "PutRegistryPolicy": ("GetRegistryPolicy", "DeleteRegistryPolicy"),
    "CreateRepositoryCreationTemplate": ("UpdateRepositoryCreationTemplate", "DeleteRepositoryCreationTemplate"),
    "CreatePullThroughCacheRule": ("UpdatePullThroughCacheRule", "ValidatePullThroughCacheRule"),
    "StartReplicationBackfill": ("DescribeReplicationBackfillResults", "StopReplicationBackfill"),
}
"""Calls that leave something behind -> the calls that need it. They follow at once until they were accepted."""
_KEPT = ("repositoryName", "imageId", "prefix", "ecrRepositoryPrefix")
"""Members that they have in common."""

SPOILT: tuple[Any, ...] = (None, True, -1, 2**70, 1.5, "", "\ud800", "x" * 3000, [], {}, [{}], {"a": None}, *SAMPLES)


class Walk:
    """One walk. `refusals_that_changed` lists what should not be; `calls` counts (operation, status)."""

    def __init__(self, world: World, seed: str) -> None:
        self.world = world
        self.calls: Counter[tuple[str, int]] = Counter()
        self._backfills: list[str] = []
        self.refusals_that_changed: list[str] = []
        self._chance = random.Random(seed)
        self._application = application(world)
        self._tokens: list[str] = []
        self._digests: dict[str, list[str]] = defaultdict(list)
        self._layers: dict[str, list[str]] = defaultdict(list)
        self._uploads: dict[str, list[str]] = defaultdict(list)
        self._login = self._aws("ecr", "GetAuthorizationToken", {})["authorizationData"][0]["authorizationToken"]

    def step(self) -> None:
        """Make one call, or push an image by several."""
        dice = self._chance.random()
        if dice < 0.1:
            self._push()
        elif dice < 0.3:
            self._over_http()
        else:
            # Often one that has accepted no call yet: some need what others must make first.
            unreached = [one for one in sorted(OPERATIONS) if ":".join(one) not in self.reached] if dice > 0.6 else []
            service, name = self._chance.choice(unreached or sorted(OPERATIONS))
            request = self._request(service, service_model(service).operation_model(name).input_shape)
            self._aws(service, name, request if self._chance.random() < 0.95 else self._spoil())
        if self._chance.random() < 0.02:
            self.world.clock.advance(hours=self._chance.choice((1, 13, 30)))  # type: ignore[attr-defined]

    @property
    def accepted(self) -> float:
        """The share of calls that were accepted."""
        return sum(count for (_, status), count in self.calls.items() if status < 300) / self.calls.total()

    @property
    def reached(self) -> set[str]:
        """The operations (`ecr:PutImage`) that accepted a call."""
        return {name for name, status in self.calls if status < 300}

    def _push(self) -> None:
        service = self._chance.choice(("ecr", "ecr", "ecr", "ecr-public"))
        name = self._chance.choice(REPOSITORIES[service])
        self._aws(service, "CreateRepository", {"repositoryName": name})
        blobs = []
        for media_type, body in ((CONFIG, b"{}"), (LAYER, self._chance.randbytes(self._chance.choice((1, 50, 2000))))):
            upload = self._aws(service, "InitiateLayerUpload", {"repositoryName": name}).get("uploadId")
            here = {"repositoryName": name, "uploadId": upload}
            part = {"partFirstByte": 0, "partLastByte": len(body) - 1, "layerPartBlob": base64.b64encode(body).decode()}
            self._aws(service, "UploadLayerPart", here | part)
            self._aws(service, "CompleteLayerUpload", here | {"layerDigests": [digest_of(body)]})
            self._layers[name].append(digest_of(body))
            blobs.append({"mediaType": media_type, "digest": digest_of(body), "size": len(body)})
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blobs[0], "layers": blobs[1:]}
        if self._chance.random() < 0.2 and self._digests[name]:
            manifest["subject"] = {"mediaType": OCI_MANIFEST, "digest": self._digests[name][-1], "size": 2}
        self._put(service, name, manifest)
        if self._chance.random() < 0.2:
            some = self._chance.sample(self._digests[name], min(2, len(self._digests[name])))
            listed = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 2} for digest in some]
            self._put(service, name, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})

    def _put(self, service: str, name: str, manifest: dict[str, Any]) -> None:
        tag = {"imageTag": self._tag()} if self._chance.random() < 0.8 else {}
        put = self._aws(service, "PutImage", {"repositoryName": name, "imageManifest": json.dumps(manifest), **tag})
        if "image" in put:
            self._digests[name].append(put["image"]["imageId"]["imageDigest"])

    def _request(self, service: str, shape: Any) -> dict[str, Any]:
        is_public = service == "ecr-public"
        self._name = self._chance.choice(REPOSITORIES["ecr-public" if is_public else "ecr"])
        here = f"ecr-public::{ACCOUNT}" if is_public else f"ecr:{REGION}:{ACCOUNT}"
        self._arn = f"arn:aws:{here}:repository/{self._name}"
        return self._value(shape, "") if shape is not None else {}

    def _value(self, shape: Any, name: str) -> Any:
        if self._chance.random() < 0.02:
            return self._spoil()
        known = self._known(name)
        if known is not None:
            return known
        if shape.type_name == "structure":
            return {
                member: self._value(inner, member)
                for member, inner in shape.members.items()
                if self._chance.random() < (0.97 if member in shape.required_members else 0.3)
            }
        if shape.type_name == "list":
            singular = name.removesuffix("s")
            return [self._value(shape.member, singular) for _ in range(self._chance.choice((1, 1, 1, 2, 0)))]
        if shape.type_name == "string":
            return self._chance.choice(shape.enum or SAMPLES)
        if shape.type_name in ("integer", "long", "timestamp"):
            return self._chance.choice((0, 1, 1, 5, 100, 1000, 1001))
        return {"boolean": self._chance.random() < 0.7, "blob": "AAAA"}.get(shape.type_name)

    def _known(self, name: str) -> Any:
        """A sensible value for a member of that name, if there is one to be had."""
        pick, repository = self._chance.choice, self._name
        digests = [*self._digests[repository], "sha256:" + "0" * 64]
        image = {"imageDigest": pick(digests)} if self._chance.random() < 0.5 else {"imageTag": self._tag()}
        values = {
            "repositoryName": repository,
            "registryId": ACCOUNT,
            "imageId": image,
            "subjectId": {"imageDigest": pick(digests)},
            "imageTag": self._tag(),
            "imageDigest": pick(digests),
            "layerDigest": pick([*self._layers[repository], "sha256:" + "1" * 64]),
            "uploadId": pick([*self._uploads[repository], SAMPLES[2]]),
            "resourceArn": self._arn,
            "tags": [{"Key": pick("abc"), "Value": "x"}],
            "tagKeys": [pick("abc")],
            "lifecyclePolicyText": json.dumps({"rules": [pick((RULE, RULE, {**RULE, "rulePriority": 0}))]}),
            "policyText": json.dumps(pick((REPOSITORY_POLICY, REGISTRY_POLICY, PUBLIC_POLICY, {}))),
            # Not of the repositories: a push makes its repository, and may then be refused.
            "prefix": pick(("prod", "prod/team")),
            "ecrRepositoryPrefix": pick(("team", "quay")),
            "ecrRepositoryPrefixes": ["team"],
            "upstreamRegistryUrl": pick(("quay.io", "public.ecr.aws")),
            "upstreamRepositoryPrefix": "ROOT",
            "resourceTags": [{"Key": pick("abc"), "Value": "x"}],
            "lifecyclePolicy": json.dumps({"rules": [RULE]}),
            "repositoryPolicy": json.dumps(REPOSITORY_POLICY),
            "scanType": pick(("BASIC", "BASIC", "BASIC", "ENHANCED")),
            "nextToken": pick([*self._tokens[-5:], "AAAA"]),
            "imageManifest": json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}),
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "rules": [
                {
                    "scanFrequency": pick(("SCAN_ON_PUSH", "MANUAL", "CONTINUOUS_SCAN")),
                    "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
                }
            ],
            "replicationConfiguration": {
                "rules": [{"destinations": [{"region": pick(("eu-west-1", REGION)), "registryId": ACCOUNT}]}]
            },
            "destination": {"region": "eu-west-1", "registryId": ACCOUNT},
            "replicationBackfillId": pick([*self._backfills[-2:], SAMPLES[2]]),
            "value": pick(("ENABLED", "DISABLED", "BASIC", "AWS_NATIVE", "V2")),
            "name": pick(("BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE", "BLOB_MOUNTING")),
            "logoImageBlob": pick((base64.b64encode(png()).decode(), "AAAA")),
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "PolicyExecutionEvent"}],
        }
        return values.get(name)

    def _tag(self) -> str:
        return self._chance.choice(("v1", "v2", "latest", "b7"))

    def _spoil(self) -> Any:
        return self._chance.choice(SPOILT)

    def _aws(self, service: str, name: str, request: Any) -> dict[str, Any]:
        body = json.dumps(request).encode()
        status, answer = self._ask(f"{service}:{name}", "POST", "/", body, headers(service, name))
        said: dict[str, Any] = json.loads(answer)
        if status == 200:
            self._learn(service, name, request, said)
        return said

    def _learn(self, service: str, name: str, request: dict[str, Any], said: dict[str, Any]) -> None:
        if "nextToken" in said:
            self._tokens.append(said["nextToken"])
        if name == "StartReplicationBackfill":
            self._backfills.append(said["replicationBackfillId"])
        if name == "InitiateLayerUpload":
            self._uploads[request["repositoryName"]].append(said["uploadId"])
        for following in FOLLOWED_BY.get(name, ()):
            shape = service_model(service).operation_model(following).input_shape
            for _ in range(3):
                if f"{service}:{following}" in self.reached and self._chance.random() < 0.7:
                    break
                sent = self._request(service, shape)
                known = {key: request[key] for key in _KEPT if key in request}
                self._aws(service, following, sent | known if isinstance(sent, dict) else sent)

    def _over_http(self) -> None:
        pick, name = self._chance.choice, self._chance.choice(REPOSITORIES["ecr"])
        digest = pick([*self._digests[name], *self._layers[name], "sha256:zz", "sha256:" + "0" * 64])
        upload = pick([*self._uploads[name], SAMPLES[2]])
        body = pick((b"", b"{}", self._chance.randbytes(20), json.dumps({"schemaVersion": 2, "layers": []}).encode()))
        method, path = pick(
            (
                ("GET", "manifests/" + pick((self._tag(), digest))),
                ("HEAD", "manifests/" + pick((self._tag(), digest))),
                ("PUT", "manifests/" + pick((self._tag(), digest))),
                ("DELETE", "manifests/" + pick((self._tag(), digest))),
                ("GET", f"blobs/{digest}"),
                ("HEAD", f"blobs/{digest}"),
                ("DELETE", f"blobs/{digest}"),
                ("POST", "blobs/uploads/"),
                ("POST", f"blobs/uploads/?digest={digest_of(body)}"),
                ("POST", f"blobs/uploads/?mount={digest}&from={pick(REPOSITORIES['ecr'])}"),
                ("PATCH", f"blobs/uploads/{upload}"),
                ("PUT", f"blobs/uploads/{upload}?digest={digest_of(body)}"),
                ("GET", f"blobs/uploads/{upload}"),
                ("DELETE", f"blobs/uploads/{upload}"),
                ("GET", "tags/list?n=" + pick(("1", "0", "x", "5000"))),
                ("GET", f"referrers/{digest}"),
            )
        )
        sent = {"Authorization": pick((f"Basic {self._login}",) * 9 + ("Basic QVdTOng=",))}
        sent["Content-Type"] = pick((OCI_MANIFEST, OCI_INDEX, "application/octet-stream"))
        if method == "PATCH" and self._chance.random() < 0.3:
            sent["Content-Range"] = pick(("0-1", "5-9", "x", "9-1"))
        self._ask(f"{method} {path.partition('/')[0]}", method, f"/v2/{name}/{path}", body, sent)

    def _ask(self, name: str, method: str, path: str, body: bytes, sent: dict[str, str]) -> tuple[int, bytes]:
        before = dict(self._everything())
        started: list[str] = []
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": sent.get("Content-Type", ""),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "HTTP_HOST": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com" if path.startswith("/v2/") else "127.0.0.1",
            **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in sent.items()},
        }
        answer = self._application(environ, lambda status, headers, _=None: started.append(status))
        text = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        status = int(started[-1][:3])
        self.calls[name, status] += 1
        assert status < 500, f"{name} {path}?{query} {body!r}: {status} {text!r}"
        # The one exception: an upload that turns out to hold a layer that is there is over, for nothing can come of it.
        if status >= 400 and b"LayerAlreadyExistsException" not in text:
            after = dict(self._everything())
            changed = [part for part in before.keys() | after.keys() if before.get(part) != after.get(part)]
            if changed:
                self.refusals_that_changed.append(f"{name} {path}?{query} {body[:300]!r}: {status} changed {changed}")
        return status, text

    def _everything(self) -> Iterator[tuple[str, object]]:
        """All that the registry knows: every row of every table, the clock, uploads and files.

        CloudTrail records refusals as well, so its table is left out.
        """
        yield "clock", self.world.clock.now()
        yield "next night", self.world.nights.next
        yield "uploads", {id_: (upload.blob.size, upload.is_over) for id_, upload in self.world.uploads._open.items()}
        with self.world.store.read() as db:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'api_call'"
            for (table,) in db.execute(tables).fetchall():
                yield table, [tuple(row) for row in db.execute(f"SELECT * FROM {table}")]
