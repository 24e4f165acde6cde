"""The handlers of ``local retirement``, ``local clock`` and ``local gc``."""

from __future__ import annotations

import math
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context

SHORTEST = 60


def retirement(context: Context) -> dict[str, Any]:
    """Return where the retirement switch stands."""
    return _get(context, "retirement")


def set_retirement(context: Context, position: str) -> dict[str, Any]:
    """Move the retirement switch."""
    return _put(context, "retirement", {"position": position})


def clock(context: Context) -> dict[str, Any]:
    """Return the clock."""
    return _get(context, "clock")


def set_clock(context: Context, time: str | None = None, offset: str | None = None) -> dict[str, Any]:
    """Set the clock.

    Raises:
        CLIError: not exactly one of the two was given, or it is no number.
    """
    if (time is None) == (offset is None):
        raise CLIError("usage error: --time TIME | --offset SECONDS")
    body: dict[str, Any] = {"frozenAt": time} if offset is None else {"offsetSeconds": _number(offset)}
    return _put(context, "clock", body)


def advance(context: Context, seconds: str) -> dict[str, Any]:
    """Move the clock."""
    return _put(context, "clock", {"advanceSeconds": _number(seconds)})


def reset(context: Context) -> dict[str, Any]:
    """Follow the machine's clock again."""
    return _put(context, "clock", {"offsetSeconds": 0, "frozenAt": None})


def collect(context: Context, older_than: int = 3600) -> dict[str, Any]:
    """Delete layers that nothing needs, and return how many of what.

    Raises:
        CLIError: the time is so short that a running push could be hit.
    """
    if older_than < SHORTEST:
        raise CLIError(f"--older-than: at least {SHORTEST} seconds, for the sake of pushes that are going on.")
    found: dict[str, Any] = context.operator.call("POST", "gc", {"graceSeconds": older_than})
    return found


def _number(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise CLIError(f"'{text}' is no number of seconds.")
    return seconds


def _get(context: Context, what: str) -> dict[str, Any]:
    found: dict[str, Any] = context.operator.call("GET", what)
    return found


def _put(context: Context, what: str, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = context.operator.call("PUT", what, body)
    return found
