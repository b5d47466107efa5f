"""CloudTrail of a lab: API calls, and the service events of lifecycle policies.

A service event is a document that the transaction of a policy's run writes. API calls are many more, and a call must
not wait for the disk: `Trail` keeps them in memory, and writes them together, at the latest before something reads
them (AWS user guide, logging Amazon ECR actions with AWS CloudTrail).
"""

import contextlib
import heapq
import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ecrlab.errors import EcrLabError
from ecrlab.registry import names
from ecrlab.registry.store.database import Store

if TYPE_CHECKING:
    from ecrlab.registry.world import Change, Registry

KEPT = timedelta(days=90)
"""The age at which events disappear (API reference, LookupEvents)."""

MOST_CALLS, MOST_CHARACTERS = 256, 1 << 20
"""Calls to keep in memory, and the characters of their requests and responses."""

DAY = timedelta(days=1).total_seconds()

READING = (
    *("Get", "Describe", "List", "Lookup", "BatchGet", "BatchCheck", "Validate"),
    *("Decrypt", "Encrypt", "Generate", "ReEncrypt", "Sign", "Verify"),
)
"""The beginnings of the names of operations that change nothing."""


class ApiCall(NamedTuple):
    """One call as a row of the table `api_call`.

    It is recorded in the account `account_id`: the caller's, or also the owner's of the repository. `repository` is a
    name, or the ARN of a KMS key in calls of KMS. `at` is in seconds
    since 1970; `request` and `response` are JSON texts, `response` only of calls that change something and succeed;
    `error` is the error's code.
    """

    account_id: str
    region: str
    repository: str
    at: float
    source: str
    event: str
    owner: str
    caller_account: str
    caller: str
    access_key: str
    agent: str
    request_id: str
    request: str
    response: str | None = None
    error: str | None = None
    message: str | None = None


_INSERT = f"INSERT INTO api_call ({', '.join(ApiCall._fields)}) VALUES ({', '.join('?' * len(ApiCall._fields))})"


class Trail:
    """The API calls of a world. A crash may lose the last ones that are still in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._calls: list[ApiCall] = []
        self._characters = 0
        self._next_pruning = 0.0

    def add(self, call: ApiCall, *, may_write: bool = True) -> None:
        """Record a call. Without `may_write` it waits in memory for the next one: a change is under way."""
        with self._lock:
            self._calls.append(call)
            self._characters += len(call.request) + len(call.response or "")
            is_full = len(self._calls) >= MOST_CALLS or self._characters > MOST_CHARACTERS
        if is_full and may_write:
            # A full disk ends no call; the records are lost.
            with contextlib.suppress(EcrLabError):
                self.flush()

    def flush(self) -> None:
        """Write the calls that are still in memory. Raises `ServerException` when the disk is full."""
        with self._store.exclusively():
            with self._lock:
                calls, self._calls, self._characters = self._calls, [], 0
            if calls:
                with self._store.write() as db:
                    db.executemany(_INSERT, calls)
                    self._prune(db, calls[-1].at)

    def _prune(self, db: sqlite3.Connection, now: float) -> None:
        """Delete the calls that have disappeared, once in a day of the lab: it reads the whole table."""
        if now >= self._next_pruning:
            db.execute("DELETE FROM api_call WHERE at < ?", (now - KEPT.total_seconds(),))
            self._next_pruning = now + DAY


INTERNAL = "AWS Internal"
"""The agent and the address of calls that a service of AWS makes for its caller."""


def record(change: "Change", registry: "Registry", repository: str, document: dict[str, Any]) -> None:
    """Store a service event with the instant of a change."""
    change.db.execute(
        "INSERT INTO trail (account_id, region, repository, at, document) VALUES (?, ?, ?, ?, ?)",
        (registry.account_id, registry.region, repository, change.at, json.dumps(document)),
    )


def of(registry: "Registry", repository: str | None = None, event: str | None = None) -> list[dict[str, Any]]:
    """Return the documents of a registry, of one repository name or one event name, oldest first."""
    newest_first = list(newest(registry, repository=repository, event=event))
    return newest_first[::-1]


def newest(
    registry: "Registry", *, repository: str | None = None, event: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the documents of a registry, newest first."""
    registry.world.trail.flush()
    earliest = (registry.world.clock.now() - KEPT).timestamp()
    where, values = "account_id = ? AND region = ? AND at >= ?", [registry.account_id, registry.region, earliest]
    if repository is not None:
        where, values = f"{where} AND repository = ?", [*values, repository]
    of_calls = where if event is None else f"{where} AND event = ?"
    with registry.world.store.read() as db:
        events = db.execute(f"SELECT id, at, document FROM trail WHERE {where} ORDER BY id DESC", values)
        calls = db.execute(
            f"SELECT * FROM api_call WHERE {of_calls} ORDER BY id DESC", [*values, *([event] if event else [])]
        )
        # A run that a call caused has the same instant, and comes after it.
        documents = heapq.merge(
            ((row["at"], 1, json.loads(row["document"])) for row in events),
            ((row["at"], 0, document(row["id"], ApiCall(*row[1:]))) for row in calls),
            key=lambda one: one[:2],
            reverse=True,
        )
        for _, _, found in documents:
            if event in (None, found["eventName"]):
                yield found


def document(number: int, call: ApiCall) -> dict[str, Any]:
    """Return the CloudTrail record of a call; `number` makes its id."""
    told: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(call),
        "eventTime": f"{datetime.fromtimestamp(call.at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": call.source,
        "eventName": call.event,
        "awsRegion": call.region,
        "sourceIPAddress": INTERNAL if call.agent == INTERNAL else "127.0.0.1",
        "userAgent": call.agent,
    }
    if call.agent == INTERNAL:
        told["userIdentity"].setdefault("invokedBy", INTERNAL)
    if call.error is not None:
        told |= {"errorCode": call.error, "errorMessage": call.message}
    told |= {
        "requestParameters": json.loads(call.request) or None,
        "responseElements": None if call.response is None else json.loads(call.response),
        "requestID": call.request_id or _id("request", call.at, number),
        "eventID": _id("event", call.account_id, number, call.request_id),
        "readOnly": call.event.startswith(READING),
    }
    if call.repository.startswith("arn:"):
        told["resources"] = [{"ARN": call.repository, "accountId": call.owner, "type": "AWS::KMS::Key"}]
    elif call.repository:
        is_public = call.source.startswith("ecr-public.")
        arn = names.repository_arn(call.owner, names.PUBLIC if is_public else call.region, call.repository)
        # UNSURE: the type of a public repository in records; here that of CloudFormation.
        kind = "AWS::ECR::PublicRepository" if is_public else "AWS::ECR::Repository"
        told["resources"] = [{"ARN": arn, "accountId": call.owner, "type": kind}]
    return told | {
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account_id,
        "eventCategory": "Management",
    }


def _id(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, " ".join(map(str, parts))))


def _identity(call: ApiCall) -> dict[str, Any]:
    """Return the member `userIdentity` (AWS user guide, CloudTrail userIdentity element)."""
    if not call.caller.startswith("arn:"):
        return {"type": "AWSService", "invokedBy": call.caller}
    kind, _, name = call.caller.rsplit(":", 1)[1].partition("/")
    told = {"arn": call.caller, "accountId": call.caller_account, "accessKeyId": call.access_key}
    if kind == "assumed-role":
        role = name.split("/")[0]
        issuer = {
            "type": "Role",
            "arn": f"arn:aws:iam::{call.caller_account}:role/{role}",
            "accountId": call.caller_account,
            "userName": role,
        }
        return {"type": "AssumedRole", **told, "sessionContext": {"sessionIssuer": issuer}}
    if kind == "root":
        return {"type": "Root", **told}
    return {"type": "IAMUser", **told, "userName": name.rsplit("/", 1)[-1]}
