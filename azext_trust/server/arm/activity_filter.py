"""The $filter of the activity log (ActivityLogs_List): a time range, and equalities."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from azext_trust.server.arm import errors

_TERM = re.compile(r"(\w+)\s+(ge|le|gt|lt|eq)\s+(?:'((?:[^']|'')*)'|(\S+))", re.IGNORECASE)
_MEMBERS = frozenset({
    "resourcegroupname", "resourceuri", "resourceid", "resourceprovider", "correlationid", "caller", "status",
    "eventchannels", "levels", "operations",
})  # fmt: skip
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass
class ActivityFilter:
    """What is asked for.

    Attributes:
        since: the beginning of the time range.
        until: its end, None: now.
        wanted: members in lower case, with their values in lower case.
    """

    since: datetime
    until: datetime | None = None
    wanted: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> ActivityFilter:
    """Read a filter.

    Raises:
        ServiceError: no beginning of the time range, another form or another member.
    """
    since: datetime | None = None
    until: datetime | None = None
    wanted: dict[str, str] = {}
    for term in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        found = _TERM.fullmatch(term.strip())
        if found is None:
            raise errors.refuse("activity_filter", reason=f"'{term}' cannot be read.")
        name, operator = found[1].lower(), found[2].lower()
        value = (found[3] if found[3] is not None else found[4]).replace("''", "'")
        if name == "eventtimestamp" and operator != "eq":
            since, until = (_moment(value), until) if operator in ("ge", "gt") else (since, _moment(value))
        elif name in _MEMBERS and operator == "eq":
            wanted[name] = value.lower()
        else:
            raise errors.refuse("activity_filter", reason=f"'{found[1]}' may not be asked for so.")
    if since is None:
        raise errors.refuse("activity_filter", reason="it needs a beginning, eventTimestamp ge.")
    return ActivityFilter(since, until, wanted)


def _moment(text: str) -> datetime:
    # A plus in a query that nobody encoded arrives as a space.
    cleaned = _FRACTION.sub(r"\1", text.strip().replace(" ", "+").replace("Z", "+00:00"))
    try:
        found = datetime.fromisoformat(cleaned)
    except ValueError:
        raise errors.refuse("activity_filter", reason=f"'{text}' is no date and time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
