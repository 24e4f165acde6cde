"""Trust data and images of a registry, read at its login server."""

from __future__ import annotations

import json
from typing import Any

from azext_trust.audit.collected import Collected
from azext_trust.clients.notary import Notary
from azext_trust.clients.notary_errors import NoTrustData, RemoteError
from azext_trust.clients.registry import LoginServer, RegistryError
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError
from azext_trust.rbac.questions.facts import Registry, Unknown
from azext_trust.rbac.questions.trust import RELEASES, TARGETS, Key, Metadata, Repository, SignedTag
from azext_trust.tuf import overview, roles

LARGEST = 16 * 1024 * 1024
"""Bytes of metadata that are read at most."""
_PULL = "pull"


def read(connection: Connection, registry: Registry, found: Collected, *, needed: bool) -> None:
    """Read a registry's repositories into what is collected; what may not be read becomes a gap where it is needed."""
    if not registry.trust:
        return
    try:
        server = LoginServer(connection, registry.login_server)
        names = catalog(server)
    except (CloudError, RegistryError) as error:
        if needed:
            unknown = Unknown(
                f"trust data of {registry.name}", f"the login server refuses: {_line(error)}", registry.id
            )
            found.gaps.at.setdefault(registry.key, []).append(unknown)
        return
    found.repositories[registry.key] = [_repository(connection, server, registry, name) for name in names]


def _line(error: Exception) -> str:
    """Return the telling line of az's texts, which begin with a time."""
    lines = str(error).splitlines()
    return lines[-1] if lines else ""


def catalog(server: LoginServer) -> list[str]:
    """Return the names of a registry's repositories."""
    return [str(name) for name in server.listed("/acr/v1/_catalog", "repositories", "registry:catalog:*")]


def _repository(connection: Connection, server: LoginServer, registry: Registry, name: str) -> Repository:
    gun = f"{registry.login_server}/{name}"
    contents = metadata(connection, server, gun)
    seen = overview.overview(contents)
    rows = [
        Metadata(one.role, one.version, one.expires,
                 tuple(Key(key.id, key.kind, key.size, key.expires) for key in one.keys), one.threshold,
                 one.role == roles.TIMESTAMP)
        for one in seen
    ]  # fmt: skip
    signed = [
        SignedTag(tag, one.role, digest)
        for one in seen for tag, digest in one.tags.items()
        if one.role in (TARGETS, RELEASES) or one.role.startswith("targets/")
    ]  # fmt: skip
    tags, manifests = images(server, name)
    return Repository(gun, name, tuple(rows), tuple(signed), tags, manifests)


def metadata(connection: Connection, server: LoginServer, gun: str) -> dict[str, bytes]:
    """Return the newest metadata of a repository: the base roles, and every delegation below targets."""

    def authorise(needs: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {server.access_token(f'repository:{gun}:{_PULL}')}"}

    remote = Notary(connection.session, f"https://{server.host}", gun, authorise)
    contents: dict[str, bytes] = {}
    edge = [roles.ROOT, roles.SNAPSHOT, roles.TIMESTAMP, roles.TARGETS]
    while edge:
        role = edge.pop()
        try:
            contents[role] = remote.fetch(role, LARGEST)
        except NoTrustData:
            continue
        except RemoteError:
            # Trust is off, or this repository may not be read: its images are seen all the same.
            return contents
        if roles.is_targets(role):
            edge += [name for name in _delegations(contents[role]) if name not in contents]
    return contents


def _delegations(raw: bytes) -> list[str]:
    try:
        listed = json.loads(raw)["signed"]["delegations"]["roles"]
        return [str(one["name"]) for one in listed]
    except (ValueError, KeyError, TypeError):
        return []


def images(server: LoginServer, name: str) -> tuple[dict[str, str] | None, frozenset[str] | None]:
    """Return a repository's tags with their digests, and all manifests; None where they may not be read."""
    scope = f"repository:{name}:metadata_read"
    try:
        tags: list[Any] = server.listed(f"/acr/v1/{name}/_tags", "tags", scope)
        manifests: list[Any] = server.listed(f"/acr/v1/{name}/_manifests", "manifests", scope)
    except (CloudError, RegistryError):
        return None, None
    held = {str(one["name"]): str(one["digest"]).removeprefix("sha256:") for one in tags}
    return held, frozenset(str(one["digest"]).removeprefix("sha256:") for one in manifests)
