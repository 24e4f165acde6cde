"""The handlers of ``acr repository``."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.acr.access import image_name, login_server, repository_scope
from azext_trust.cli.context import Context
from azext_trust.clients.registry import LoginServer

logger = get_logger(__name__)
ORDERS = {"time_asc": "timeasc", "time_desc": "timedesc"}
_ATTRIBUTES = {
    "delete_enabled": "deleteEnabled", "list_enabled": "listEnabled", "read_enabled": "readEnabled",
    "write_enabled": "writeEnabled",
}  # fmt: skip


def listed(context: Context, name: str, top: int | None = None, **access: Any) -> list[str]:
    """Return the names of the repositories."""
    server = login_server(context, name, **access)
    return server.listed("/v2/_catalog", "repositories", "registry:catalog:*", top=top)


def listed_deleted(context: Context, name: str, **access: Any) -> list[str]:
    """Return the names of soft-deleted repositories."""
    server = login_server(context, name, **access)
    return server.listed("/acr/v1/_deleted/_catalog", "repositories", "registry:deleted_catalog:*")


def show_tags(
    context: Context, name: str, repository: str, top: int | None = None, orderby: str | None = None,
    detail: bool = False, **access: Any,
) -> list[Any]:  # fmt: skip
    """Return the tags of a repository: their names, or all that is known of them."""
    rows = _rows(login_server(context, name, **access), repository, "tags", top, orderby)
    return rows if detail else [row["name"] for row in rows]


def show_manifests(
    context: Context, name: str, repository: str, top: int | None = None, orderby: str | None = None,
    detail: bool = False, **access: Any,
) -> list[Any]:  # fmt: skip
    """Return the manifests of a repository: digest, tags and time, or all that is known of them."""
    rows = _rows(login_server(context, name, **access), repository, "manifests", top, orderby)
    if detail:
        return rows
    return [
        {"digest": row.get("digest", ""), "tags": row.get("tags", []), "timestamp": row.get("lastUpdateTime", "")}
        for row in rows
    ]


def _rows(server: LoginServer, repository: str, kind: str, top: int | None, orderby: str | None) -> list[Any]:
    scope = repository_scope(repository, "metadata_read")
    return server.listed(f"/acr/v1/{repository}/_{kind}", kind, scope, top=top, order=ORDERS.get(orderby or ""))


def _place(repository: str | None, image: str | None) -> tuple[str, str, str | None]:
    """Return the repository, the path of what is meant, and the member of the answer that describes it.

    Raises:
        CLIError: not exactly one of the two was given.
    """
    if bool(repository) == bool(image):
        raise CLIError("Usage error: You need to provide either --image IMAGE | --repository REPOSITORY, but not both")
    if repository:
        return repository, f"/acr/v1/{repository}", None
    name, tag, digest = image_name(str(image))
    return name, f"/acr/v1/{name}/" + (f"_tags/{tag}" if tag else f"_manifests/{digest}"), "tag" if tag else "manifest"


def show(
    context: Context, name: str, repository: str | None = None, image: str | None = None, **access: Any
) -> dict[str, Any]:
    """Return the attributes of a repository or an image."""
    repository, path, member = _place(repository, image)
    found = login_server(context, name, **access).call("GET", path, repository_scope(repository, "metadata_read"))
    shown: dict[str, Any] = found[member] if member else found
    return shown


def update(
    context: Context, name: str, repository: str | None = None, image: str | None = None,
    delete_enabled: bool | None = None, list_enabled: bool | None = None, read_enabled: bool | None = None,
    write_enabled: bool | None = None, **access: Any,
) -> dict[str, Any]:  # fmt: skip
    """Lock or unlock a repository or an image."""
    asked = {
        "delete_enabled": delete_enabled, "list_enabled": list_enabled, "read_enabled": read_enabled,
        "write_enabled": write_enabled,
    }  # fmt: skip
    body = {_ATTRIBUTES[key]: value for key, value in asked.items() if value is not None}
    if not body:
        return show(context, name, repository, image, **access)
    repository, path, member = _place(repository, image)
    scope = repository_scope(repository, "metadata_write", "metadata_read")
    found = login_server(context, name, **access).call("PATCH", path, scope, json=body)
    shown: dict[str, Any] = found[member] if member else found
    return shown


def untag(context: Context, name: str, image: str, **access: Any) -> None:
    """Take a tag away; the manifest stays."""
    repository, tag, _ = image_name(image, digest=False)
    scope = repository_scope(repository, "delete")
    login_server(context, name, **access).request("DELETE", f"/acr/v1/{repository}/_tags/{tag}", scope)


def delete(
    context: Context, name: str, repository: str | None = None, image: str | None = None, yes: bool = False,
    **access: Any,
) -> Any:  # fmt: skip
    """Delete a repository, or the manifest of an image with all its tags."""
    repository, path, member = _place(repository, image)
    server = login_server(context, name, **access)
    scope = repository_scope(repository, "delete", "metadata_read")
    if member is None:
        context.confirm(f"Are you sure you want to delete the repository '{repository}' and all images under it?", yes)
        return server.call("DELETE", path, scope)
    digest = server.call("GET", path, scope)["tag"]["digest"] if member == "tag" else image_name(str(image))[2]
    tags = server.listed(f"/acr/v1/{repository}/_tags", "tags", scope)
    named = ", ".join(f"'{repository}:{row['name']}'" for row in tags if row["digest"] == digest)
    lost = f"This operation will delete the manifest '{digest}'" + (
        f" and all the following images: {named}" if named else ""
    )
    if yes:
        logger.warning(lost)
    context.confirm(f"{lost}.\nAre you sure you want to continue?", yes)
    return server.call("DELETE", f"/v2/{repository}/manifests/{digest}", scope)
