"""Pages of ARM's lists: $top, and next links that carry where to go on."""

from __future__ import annotations

import re

from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.call import Call, Reply

PAGE = 1000


def reply(call: Call, rows: list[dict[str, object]], size: int = PAGE) -> Reply:
    """Return a page of a list, with a next link when there is more.

    Raises:
        ServiceError: $top is no number of rows.
    """
    top, at = call.query.get("$top"), call.query.get("$skiptoken", "")
    if top is not None and (not top.isdigit() or int(top) < 1):
        raise errors.invalid_content(f"The query parameter '$top={top}' must be a whole number above zero.")
    start = int(at) if at.isdigit() and len(at) < 10 else 0
    end = start + min(size, int(top) if top else size)
    body: dict[str, object] = {"value": rows[start:end]}
    if len(rows) > end:
        body["nextLink"] = next_link(call, str(end))
    return bodies.reply(call, body)


def next_link(call: Call, token: str) -> str:
    """Return the address of the next page: the same question with another token."""
    query = re.sub(r"&?(?:\$|%24)skiptoken=[^&]*", "", call.raw_query, flags=re.IGNORECASE).strip("&")
    return f"{call.settings.origin}{call.path}?{query}&$skiptoken={token}"
