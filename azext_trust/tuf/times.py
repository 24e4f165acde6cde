"""Moments as Go writes them: RFC 3339 with up to nine decimals, trailing zeros cut (dct-wire-contract.md section 5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from azext_trust.tuf.errors import MalformedMetadata

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)"
)  # fmt: skip

LIFETIMES = {
    "root": timedelta(days=3650), "targets": timedelta(days=1095), "snapshot": timedelta(days=1095),
    "timestamp": timedelta(days=14),
}  # fmt: skip
"""How long metadata of a role is good for; delegations as targets (notary const.go)."""


def write(moment: datetime) -> str:
    """Return a moment as Go writes it: ``2036-11-20T18:22:43.373147Z``."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def read(text: object) -> datetime:
    """Return the moment of an ``expires`` member; what is finer than a microsecond is cut.

    Raises:
        MalformedMetadata: it is no such moment.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if not found or not found[0].isascii():
        raise MalformedMetadata(f"{str(text)[:60]!r} is no RFC 3339 moment")
    try:
        moment = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
        return (moment + timedelta(microseconds=int((found[2] or "0")[:6].ljust(6, "0")))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedMetadata(f"{text!r} is no moment") from None


def spelling(text: str) -> str:
    """Return the moment's text as Go would write it again: no trailing zeros, ``Z`` for UTC, at most nine decimals."""
    found = _FORM.fullmatch(text)
    if not found:
        return text
    decimals = (found[2] or "")[:9].rstrip("0")
    zone = "Z" if found[3] in ("Z", "+00:00", "-00:00") else found[3]
    return found[1] + (f".{decimals}" if decimals else "") + zone


def in_words(moment: datetime) -> str:
    """Return a moment as the reference says it: ``Sun Nov 22 18:31:15 UTC 2026``."""
    moment = moment.astimezone(UTC)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    # Not strftime's %a and %b: they follow the locale.
    day, month = days[moment.weekday()], months[moment.month - 1]
    return f"{day} {month} {moment.day} {moment:%H:%M:%S} UTC {moment.year}"


def expiry(role: str, now: datetime) -> str:
    """Return the ``expires`` member of metadata of a role that is signed now."""
    return write(now + LIFETIMES.get(role, LIFETIMES["targets"]))
