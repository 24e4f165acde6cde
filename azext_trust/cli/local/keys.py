"""The handlers of ``local key`` and ``local token``."""

from __future__ import annotations

from typing import Any

from azext_trust.cli.context import Context


def listed(context: Context) -> list[dict[str, Any]]:
    """Return the published signing keys."""
    return _keys(context, "GET", None)


def rotate(context: Context, forget: bool = False) -> list[dict[str, Any]]:
    """Make a new signing key."""
    return _keys(context, "POST", {"forget": forget})


def revoke(context: Context) -> dict[str, Any]:
    """Challenge all access tokens made until now."""
    found: dict[str, Any] = context.operator.call("POST", "access-tokens/revoke", {})
    return found


def _keys(context: Context, method: str, body: dict[str, Any] | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = context.operator.call(method, "signing-keys", body)["value"]
    return found
