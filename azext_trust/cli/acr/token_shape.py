"""Tables of tokens and scope maps, as az shows them."""

from __future__ import annotations

from typing import Any

_LONGEST = 57
"""Characters of a description that a table shows."""


def tokens(shown: Any) -> Any:
    """Return the table's rows of a token or several."""
    if isinstance(shown, list):
        return [tokens(row) for row in shown]
    held = (shown.get("credentials") or {}).get("passwords") or []
    ends = {one["name"]: _moment(one["expiry"]) if one.get("expiry") else "Never" for one in held}
    return {
        "NAME": shown["name"], "SCOPE MAP": (shown["scopeMapId"] or "").rpartition("/")[2],
        "PASSWORD1 EXPIRY": ends.get("password1", ""), "PASSWORD2 EXPIRY": ends.get("password2", ""),
        "STATUS": (shown["status"] or "").title(), "PROVISIONING STATE": shown["provisioningState"],
        "CREATION DATE": _moment(shown["creationDate"]),
    }  # fmt: skip


def scope_maps(shown: Any) -> Any:
    """Return the table's rows of a scope map or several; az finds no type, and leaves the column empty."""
    if isinstance(shown, list):
        return [scope_maps(row) for row in shown]
    description = shown["description"] or ""
    return {
        "NAME": shown["name"], "TYPE": "", "CREATION DATE": _moment(shown["creationDate"]),
        "DESCRIPTION": f"{description[:_LONGEST]}..." if len(description) > _LONGEST else description,
    }  # fmt: skip


def _moment(text: str | None) -> str:
    return f"{text[:19]}Z" if text else ""
