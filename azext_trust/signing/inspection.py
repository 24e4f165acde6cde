"""What is signed by whom, with which keys, until when (``docker trust inspect``; our ``status``)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azext_trust.signing import delegations
from azext_trust.signing.draft import Repository
from azext_trust.signing.updater import Loaded
from azext_trust.tuf import keys, roles, walk

REPO_ADMIN = "Repo Admin"
"""Who signed, when only targets did (docker)."""


def inspect(repository: Repository, name: str, tag: str = "") -> dict[str, Any]:
    """Return what ``docker trust inspect`` prints of a repository, or of one of its tags.

    Args:
        repository: where.
        name: how the user named it; it is given back.
        tag: limits the signed tags to one.

    Raises:
        NotInitialized, RemoteError, TrustError: see `updater.load`.
    """
    return inspected(repository.load(), name, tag)


def inspected(loaded: Loaded, name: str, tag: str = "") -> dict[str, Any]:
    """Return what `inspect` does, of a verified collection."""
    root = loaded.trusted.root
    assert root is not None  # load() has verified one
    signers = [
        {"Name": found.role.partition("/")[2], "Keys": [{"ID": key_id} for key_id in found.key_ids]}
        for found in delegations.of(loaded.targets)
        if found.role != roles.RELEASES
    ]
    return {
        "Name": name,
        "SignedTags": signed_tags(loaded, tag),
        "Signers": sorted(signers, key=lambda signer: str(signer["Name"]), reverse=True),
        "AdministrativeKeys": [
            {"Name": "Root", "Keys": [{"ID": key_id} for key_id in root.of(roles.ROOT).keys]},
            {"Name": "Repository", "Keys": [{"ID": key_id} for key_id in root.of(roles.TARGETS).keys]},
        ],
    }


def signed_tags(loaded: Loaded, tag: str = "") -> list[dict[str, Any]]:
    """Return the released tags with their signers, in natural order of the tags."""
    rows: dict[tuple[str, str], list[str]] = {}
    found = walk.signatures(loaded.targets, tag)
    for one in found:
        if one.role in walk.PULL_ORDER:
            rows.setdefault((one.name, one.file.sha256), [])
    for one in found:
        if one.role not in walk.PULL_ORDER and (one.name, one.file.sha256) in rows:
            rows[one.name, one.file.sha256].append(one.role.partition("/")[2])
    return [
        {"SignedTag": name, "Digest": digest, "Signers": sorted(signers) or [REPO_ADMIN]}
        for (name, digest), signers in sorted(rows.items(), key=lambda row: natural(row[0][0]))
    ]


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key under which v2 comes before v10."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]


@dataclass(frozen=True)
class RoleStatus:
    """A role: its version, expiry, keys, and which of them are at hand."""

    role: str
    version: int
    expires: datetime
    key_ids: tuple[str, ...]
    at_hand: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """How a repository's trust data stand.

    Attributes:
        gun: the repository.
        roles: each role with metadata.
        tags: number of released tags.
        signers: names of the signers that are declared, in their order.
        server_snapshot: whether the server signs snapshots, as far as the keys here tell.
        pending: changes that docker noted and never published.
        stale: the server could not be asked.
        warnings: what docker would warn of.
    """

    gun: str
    roles: tuple[RoleStatus, ...]
    tags: int
    signers: tuple[str, ...]
    server_snapshot: bool
    pending: tuple[str, ...] = field(default=())
    stale: bool = False
    warnings: tuple[str, ...] = field(default=())


def status(repository: Repository) -> Status:
    """Return how a repository's trust data stand; errors as in `updater.load`."""
    loaded = repository.load()
    held = repository.store.ids()
    rows = _role_rows(loaded, held)
    snapshot = next(row for row in rows if row.role == roles.SNAPSHOT)
    return Status(
        repository.remote.gun, rows, len(walk.released(loaded.targets)), _signers(loaded), not snapshot.at_hand,
        tuple(map(str, repository.cache.pending())), loaded.stale, tuple(loaded.warnings),
    )  # fmt: skip


def _signers(loaded: Loaded) -> tuple[str, ...]:
    declared = (found.role for found in delegations.of(loaded.targets) if found.role != roles.RELEASES)
    return tuple(role.partition("/")[2] for role in declared)


def _role_rows(loaded: Loaded, held: frozenset[str]) -> tuple[RoleStatus, ...]:
    trusted = loaded.trusted
    root, timestamp, snapshot = trusted.root, trusted.timestamp, trusted.snapshot
    assert root is not None  # load() has verified all three
    assert timestamp is not None
    assert snapshot is not None
    rows = []
    for signed in (root, *loaded.targets.values(), snapshot, timestamp):
        name = signed.role
        above = loaded.targets.get(roles.parent(name))
        role = above.delegations[name].role if above else root.of(name)
        bare = tuple(keys.same_material(role.keys).values())
        rows.append(RoleStatus(name, signed.version, signed.expires, bare, tuple(one for one in bare if one in held)))
    return tuple(rows)
