"""The handlers of ``ad group``."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger

from azext_trust.cli.context import Context
from azext_trust.clients.graph import quoted

logger = get_logger(__name__)


def _path(context: Context, group: str) -> str:
    return f"/groups/{context.graph.group_id(group)}"


def create(
    context: Context, display_name: str, mail_nickname: str, description: str | None = None, force: bool = False
) -> dict[str, Any]:
    """Create a group; one with the same name and nickname is returned as it is, unless forced."""
    names = (f"displayName eq {quoted(display_name)}", f"mailNickname eq {quoted(mail_nickname)}")
    same = [] if force else context.graph.listed("/groups", *names)
    if same:
        logger.warning("A group with the same display name and mail nickname already exists, returning.")
        return same[0]
    body = {"displayName": display_name, "mailNickname": mail_nickname, "mailEnabled": False, "securityEnabled": True}
    made: dict[str, Any] = context.graph.call(
        "POST", "/groups", {**body, **({"description": description} if description else {})}
    )
    return made


def listed(context: Context, display_name: str | None = None, filter_text: str | None = None) -> list[dict[str, Any]]:
    """Return groups."""
    starts = f"startswith(displayName,{quoted(display_name)})" if display_name else None
    return context.graph.listed("/groups", starts, filter_text)


def show(context: Context, group: str) -> dict[str, Any]:
    """Return a group."""
    found: dict[str, Any] = context.graph.call("GET", _path(context, group))
    return found


def delete(context: Context, group: str) -> None:
    """Delete a group."""
    context.graph.call("DELETE", _path(context, group))


def member_groups(context: Context, group: str, security_enabled_only: bool = False) -> list[str]:
    """Return the ids of the groups a group is in."""
    path = f"{_path(context, group)}/getMemberGroups"
    found: list[str] = context.graph.call("POST", path, {"securityEnabledOnly": security_enabled_only})["value"]
    return found


def members(context: Context, group: str) -> list[dict[str, Any]]:
    """Return a group's direct members."""
    return context.graph.listed(f"{_path(context, group)}/members")


def add_member(context: Context, group: str, member_id: str) -> None:
    """Add a member."""
    _add(context, f"{_path(context, group)}/members/$ref", member_id)


def remove_member(context: Context, group: str, member_id: str) -> None:
    """Remove a member."""
    context.graph.call("DELETE", f"{_path(context, group)}/members/{member_id}/$ref")


def check_member(context: Context, group: str, member_id: str) -> dict[str, bool]:
    """Tell whether somebody is a member, also through other groups."""
    wanted = context.graph.group_id(group)
    found = context.graph.call("POST", f"/directoryObjects/{member_id}/checkMemberGroups", {"groupIds": [wanted]})
    return {"value": wanted in found["value"]}


def owners(context: Context, group: str) -> list[dict[str, Any]]:
    """Return a group's owners."""
    return context.graph.listed(f"{_path(context, group)}/owners")


def add_owner(context: Context, group: str, owner_object_id: str) -> None:
    """Add an owner; one who is already is no error."""
    path = _path(context, group)
    if all(row["id"] != owner_object_id for row in context.graph.listed(f"{path}/owners")):
        _add(context, f"{path}/owners/$ref", owner_object_id)


def remove_owner(context: Context, group: str, owner_object_id: str) -> None:
    """Remove an owner."""
    context.graph.call("DELETE", f"{_path(context, group)}/owners/{owner_object_id}/$ref")


def _add(context: Context, path: str, object_id: str) -> None:
    context.graph.call("POST", path, {"@odata.id": f"{context.graph.root}/directoryObjects/{object_id}"})
