"""Records of CloudTrail as a table: who called what, on which repository, and how it ended."""

from typing import Any

import pandas as pd


class Trail(list[dict[str, Any]]):
    """CloudTrail's documents, oldest first; a notebook shows them as a table."""

    def table(self) -> pd.DataFrame:
        """Return one row for each document: time (UTC), event, caller, account, repository, and the error's code."""
        rows = [
            {
                "time": pd.Timestamp(one["eventTime"]),
                "event": one["eventName"],
                "caller": _caller(one["userIdentity"]),
                "account": one["userIdentity"].get("accountId", ""),
                "repository": _repository(one),
                "error": one.get("errorCode", ""),
            }
            for one in self
        ]
        return pd.DataFrame(rows, columns=["time", "event", "caller", "account", "repository", "error"])

    def _repr_html_(self) -> str:
        return str(self.table().to_html(index=False))


def _caller(identity: dict[str, Any]) -> str:
    """Return a user's name, `role/session`, or the service."""
    if "arn" not in identity:
        return str(identity.get("invokedBy", ""))
    return str(identity["arn"]).rsplit(":", 1)[-1].partition("/")[2] or "root"


def _repository(document: dict[str, Any]) -> str:
    return ", ".join(one["ARN"].partition(":repository/")[2] for one in document.get("resources", []))
