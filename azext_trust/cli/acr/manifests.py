"""The handlers of ``acr manifest``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.acr import repositories
from azext_trust.cli.acr.access import image_name, login_server, repository_scope
from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context
from azext_trust.clients.registry import MANIFESTS, LoginServer

logger = get_logger(__name__)
_REPOSITORY = (
    "You must provide either a fully qualified repository specifier such as 'myregistry.azurecr.io/hello-world' as a "
    "positional parameter or provide '-r MyRegistry -n hello-world' argument values."
)
_MANIFEST = (
    "You must provide either a fully qualified manifest specifier such as 'myregistry.azurecr.io/hello-world:latest' as a "
    "positional parameter or provide '-r MyRegistry -n hello-world:latest' argument values."
)


@dataclass(frozen=True)
class Place:
    """What is meant: a registry, and in it a repository, tag or digest (empty where not given)."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        """Digest or tag."""
        return self.digest or self.tag

    @property
    def image(self) -> str:
        """The image's name within the registry."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def _place(context: Context, full: list[str] | None, registry: str | None, name: str | None, usage: str) -> Place:
    """Return what was meant by a full specifier, or by registry and name.

    Raises:
        CLIError: neither, both, or a login server of another cloud.
    """
    if bool(full) == bool(name) or (not full and not registry):
        raise CLIError(usage)
    if full:
        host, slash, name = full[0].removeprefix("https://").partition("/")
        registry, dot, suffix = host.partition(".")
        if not slash or not dot:
            raise CLIError(usage)
        known = context.connection.profile.acr_suffix
        if suffix != known:
            raise CLIError(
                f"Provided registry suffix '.{suffix}' does not match the configured az cli acr login server suffix "
                f"'.{known}'. Check the 'acrLoginServerEndpoint' value when running 'aztrust cloud show'."
            )
    if usage is _REPOSITORY:
        if ":" in str(name):
            raise CLIError("The positional parameter 'repo_id' should not include a tag or digest.")
        return Place(str(registry), str(name), "", "")
    return Place(str(registry), *image_name(str(name)))


def _of_repository(context: Context, registry: str | None, repo_id: list[str] | None, name: str | None) -> Place:
    return _place(context, repo_id, registry, name, _REPOSITORY)


def _of_manifest(context: Context, registry: str | None, manifest_id: list[str] | None, name: str | None) -> Place:
    return _place(context, manifest_id, registry, name, _MANIFEST)


def list_metadata(
    context: Context, registry: str | None = None, name: str | None = None, repo_id: list[str] | None = None,
    top: int | None = None, orderby: str | None = None, **access: Any,
) -> list[Any]:  # fmt: skip
    """Return what is known of the manifests of a repository."""
    place = _of_repository(context, registry, repo_id, name)
    return repositories.show_manifests(context, place.registry, place.repository, top, orderby, detail=True, **access)


def listed(
    context: Context, registry: str | None = None, name: str | None = None, repo_id: list[str] | None = None,
    top: int | None = None, orderby: str | None = None, **access: Any,
) -> list[Any]:  # fmt: skip
    """Return the manifests of a repository themselves."""
    place = _of_repository(context, registry, repo_id, name)
    server = login_server(context, place.registry, **access)
    scope = repository_scope(place.repository, "pull", "metadata_read")
    path = f"/acr/v1/{place.repository}/_manifests"
    rows = server.listed(path, "manifests", scope, top=top, order=repositories.ORDERS.get(orderby or ""))
    return [_manifest(server, place.repository, row["digest"], scope).json() for row in rows]


def _manifest(server: LoginServer, repository: str, reference: str, scope: str) -> Any:
    path = f"/v2/{repository}/manifests/{reference}"
    return server.request("GET", path, scope, headers={"Accept": MANIFESTS})


def show(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    raw: bool = False, **access: Any,
) -> Any:  # fmt: skip
    """Return a manifest, or print it to the byte, so that its digest can be taken."""
    place = _of_manifest(context, registry, manifest_id, name)
    server = login_server(context, place.registry, **access)
    answer = _manifest(server, place.repository, place.reference, repository_scope(place.repository, "pull"))
    if raw:
        sys.stdout.write(answer.content.decode())
        return None
    return answer.json()


def show_metadata(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    **access: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return what is known of a manifest or tag."""
    place = _of_manifest(context, registry, manifest_id, name)
    return repositories.show(context, place.registry, image=place.image, **access)


def update_metadata(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Lock or unlock a manifest or tag."""
    place = _of_manifest(context, registry, manifest_id, name)
    return repositories.update(context, place.registry, image=place.image, **more)


def delete(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    yes: bool = False, **access: Any,
) -> Any:  # fmt: skip
    """Delete a manifest, with its tags."""
    place = _of_manifest(context, registry, manifest_id, name)
    server = login_server(context, place.registry, **access)
    digest = place.digest or _digest(server, place)
    context.confirm(f"Are you sure you want to delete the artifact '{digest}' and all manifests that refer to it?", yes)
    return server.call(
        "DELETE", f"/v2/{place.repository}/manifests/{digest}", repository_scope(place.repository, "delete")
    )


def _digest(server: LoginServer, place: Place) -> str:
    scope = repository_scope(place.repository, "metadata_read")
    found = server.call("GET", f"/acr/v1/{place.repository}/_tags/{place.tag}", scope)
    return str(found["tag"]["digest"])


def list_referrers(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    artifact_type: str | None = None, recursive: bool = False, **access: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return what refers to a manifest (OCI Distribution 1.1, listing referrers)."""
    place = _of_manifest(context, registry, manifest_id, name)
    server = login_server(context, place.registry, **access)
    path = f"/v2/{place.repository}/referrers"
    scope = repository_scope(place.repository, "pull")
    query = {"artifactType": artifact_type} if artifact_type else {}
    digest = place.digest or _digest(server, place)
    found: list[Any] = server.call("GET", f"{path}/{digest}", scope, params=query)["manifests"]
    if recursive:
        for row in found:  # grows while it is walked: what was found is asked for in turn
            found += server.call("GET", f"{path}/{row['digest']}", scope)["manifests"]
    return {"manifests": found}


def list_deleted(
    context: Context, registry: str | None = None, name: str | None = None, repo_id: list[str] | None = None,
    **access: Any,
) -> list[Any]:  # fmt: skip
    """Return soft-deleted manifests, with the moment at which they are gone for good."""
    place = _of_repository(context, registry, repo_id, name)
    server = login_server(context, place.registry, **access)
    rows = server.listed(_deleted(place, "_manifests"), "manifests", repository_scope(place.repository, "deleted_read"))
    return _with_end(context, place, rows)


def list_deleted_tags(
    context: Context, registry: str | None = None, name: str | None = None, perm_repo_id: list[str] | None = None,
    **access: Any,
) -> list[Any]:  # fmt: skip
    """Return soft-deleted tags of a repository, or of one name."""
    full, _, tag = (perm_repo_id[0] if perm_repo_id else name or "").rpartition(":")
    if "/" in tag or not full:  # a port's colon, or none at all
        full, tag = f"{full}:{tag}" if full else tag, ""
    given = ([full], None) if perm_repo_id else (None, full)
    place = _of_repository(context, registry, *given)
    server = login_server(context, place.registry, **access)
    rows = server.listed(_deleted(place, "_tags"), "tags", repository_scope(place.repository, "deleted_read"))
    return _with_end(context, place, (row for row in rows if not tag or row["tag"] == tag))


def _deleted(place: Place, kind: str) -> str:
    return f"/acr/v1/_deleted/{place.repository}/{kind}"


def _with_end(context: Context, place: Place, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    policy = context.arm.registry(checked(place.registry), None)["properties"]["policies"].get("softDeletePolicy")
    if not policy:
        raise CLIError(f"Unable to retrieve soft-delete retention day policy for registry {place.registry}")
    return [{**row, "expiresAfter": _later(row["deletedAt"], int(policy["retentionDays"]))} for row in rows]


def _later(text: str, days: int) -> str:
    day, _, rest = text.partition("T")
    return f"{datetime.strptime(day, '%Y-%m-%d') + timedelta(days=days):%Y-%m-%d}T{rest}"


def restore(
    context: Context, registry: str | None = None, name: str | None = None, manifest_id: list[str] | None = None,
    digest: str | None = None, force: bool = False, yes: bool = False, **access: Any,
) -> Any:  # fmt: skip
    """Bring a soft-deleted manifest and its tag back."""
    place = _of_manifest(context, registry, manifest_id, name)
    server = login_server(context, place.registry, **access)
    scope = repository_scope(place.repository, "deleted_read", "deleted_restore")
    if not digest:
        rows = server.listed(_deleted(place, "_tags"), "tags", scope)
        digests = [row["digest"] for row in rows if row["tag"] == place.tag]
        if not digests:
            raise CLIError(f"No deleted manifests found for tag: {place.tag}")
        digest = digests[-1]
        if len(digests) > 1:
            context.confirm(f"Multiple deleted manifests found for tag: {place.tag}. Restoring most recently deleted "
                            f"manifest with digest: {digest}. Is this okay?", yes)  # fmt: skip
    query = {"force": str(force)}
    return server.call("POST", _deleted(place, f"_manifests/{digest}"), scope, json={"tag": place.tag}, params=query)
