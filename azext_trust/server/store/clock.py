"""The one clock: real time moved by an offset, or frozen, as the state says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORMAT = "%Y-%m-%dT%H:%M:%S.%f"


def machine() -> datetime:
    """Return the machine's present (UTC): the only place that asks for it."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Return a moment as Azure writes it: UTC with seven decimals and a Z (real-responses.md section 1)."""
    return moment.astimezone(UTC).strftime(FORMAT) + "0Z"


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote.

    Raises:
        ValueError: the text is no such moment.
    """
    return datetime.fromisoformat(text.removesuffix("Z")[:26]).replace(tzinfo=UTC)


def from_iso(text: str) -> datetime:
    """Read a moment as people write it (ISO 8601); without an offset it is UTC.

    Raises:
        ValueError: the text is no such moment.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def shifted(offset_seconds: float, frozen_at: str | None) -> datetime:
    """Return the cloud's present.

    Args:
        offset_seconds: how far the cloud is ahead of the machine, in seconds.
        frozen_at: a moment in `to_text` form at which the clock stands still, or None.
    """
    if frozen_at:
        return from_text(frozen_at)
    return machine() + timedelta(seconds=offset_seconds)
