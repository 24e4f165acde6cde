"""The handlers of ``local retirement``, ``local clock``, ``local option``, ``local dump`` and ``local gc``."""

from __future__ import annotations

import math
from pathlib import Path
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


def options(context: Context) -> dict[str, Any]:
    """Return the options."""
    return _get(context, "options")


def set_options(context: Context, settings: dict[str, str]) -> dict[str, Any]:
    """Change some of the options.

    Raises:
        CLIError: a value is neither a number nor true or false.
    """
    return _put(context, "options", {name: _value(name, text) for name, text in settings.items()})


def _value(name: str, text: str) -> bool | float:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        raise CLIError(f"'{text}' is no value of '{name}': a number, true or false.") from None


def dump(context: Context, file: str | None = None) -> dict[str, Any] | None:
    """Return the world as a seed, or write it to a file.

    Raises:
        CLIError: the file cannot be written.
    """
    found = _get(context, "seed")
    if file is None:
        return found
    import yaml

    try:
        Path(file).write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
    except OSError as error:
        raise CLIError(f"{file} cannot be written: {error.strerror}.") from None
    return None


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
