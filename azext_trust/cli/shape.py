"""How az prints what Resource Manager answers: properties flattened, times with an offset, missing members as null."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|\+00:00)")
_TIMES = {"creationDate", "createdOn", "updatedOn", "createdAt", "lastModifiedAt", "lastUpdatedTime"}
_GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/([^/]+)/.", re.IGNORECASE)


def flattened(raw: dict[str, Any], members: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a resource as az prints it.

    Args:
        raw: the resource as the service sent it.
        members: names that are shown as null when the service left them out.
    """
    found = {**dict.fromkeys(members), **{k: v for k, v in raw.items() if k != "properties"}}
    found |= raw.get("properties") or {}
    group = _GROUP.match(str(raw.get("id", "")))
    if group:
        found["resourceGroup"] = group[1]
    return timed(found)


def timed(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its times written as az writes them."""
    return {name: _member(name, member) for name, member in value.items()}


def _member(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return timed(value)
    if name in _TIMES and isinstance(value, str):
        found = _TIME.fullmatch(value)
        return datetime.fromisoformat(f"{found[1]}{found[2] or ''}+00:00").isoformat() if found else value
    return value
