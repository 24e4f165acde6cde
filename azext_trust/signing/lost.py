"""A lost root key: what was signed under it, and the two ways out (M19)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from azext_trust.signing import cache
from azext_trust.tuf import keys, roles, walk
from azext_trust.tuf.errors import TufError
from azext_trust.tuf.metadata import Root, Targets

WAYS_OUT = (
    "Find the key: restore private/<key id>.key from a backup (aztrust trust key restore), or fetch it from another "
    "machine or colleague that initialised these repositories.",
    "Without it: disable content trust on the registry and enable it again. That deletes every signature of every "
    "repository there, for good, those under other root keys too ('aztrust acr config content-trust update --status "
    "disabled' counts them before it asks); then each tag is signed anew under a new root key, and each client deletes "
    "its cached root (aztrust trust cache clear). Azure itself has not let anybody enable it again since 2026.",
)


@dataclass(frozen=True)
class Concerned:
    """A repository under the lost key.

    Attributes:
        gun: the repository.
        certificate_ids: ids of the root's certificates around the lost key.
        other_root_keys: ids of further root keys, with which the repository can still be rescued.
        tags: released tags, each with its digest in hex.
    """

    gun: str
    certificate_ids: tuple[str, ...]
    other_root_keys: tuple[str, ...]
    tags: dict[str, str]


def concerned(root_key: str, collections: Iterable[tuple[str, bytes, dict[str, bytes]]]) -> list[Concerned]:
    """Return the repositories whose root is signed with a key.

    Args:
        root_key: id of the bare key, or the beginning of one; a certificate's id does as well.
        collections: name, root.json and targets roles of repositories; of those that cannot be read nothing is said.
    """
    found = []
    for gun, raw, targets in collections:
        try:
            root = Root.parse(raw)
        except TufError:
            continue
        bare = keys.same_material(root.of(roles.ROOT).keys)
        own = [one for one, key_id in bare.items() if root_key in (one, key_id) or key_id.startswith(root_key)]
        if own:
            others = sorted({key_id for one, key_id in bare.items() if one not in own})
            found.append(Concerned(gun, tuple(own), tuple(others), _tags(targets)))
    return found


def root_keys(collections: Iterable[tuple[str, bytes, dict[str, bytes]]]) -> set[str]:
    """Return the ids of the bare root keys of collections, in the form `concerned` takes."""
    found: set[str] = set()
    for _, raw, _ in collections:
        with suppress(TufError):
            found |= set(keys.same_material(Root.parse(raw).of(roles.ROOT).keys).values())
    return found


def cached(directory: Path) -> Iterable[tuple[str, bytes, dict[str, bytes]]]:
    """Yield what the local cache knows, in the form `concerned` takes."""
    for repository in cache.repositories(directory):
        root = repository.read(roles.ROOT)
        parts = {role: repository.read(role) for role in repository.cached_roles()}
        if root is not None:
            yield repository.gun, root, {role: raw for role, raw in parts.items() if raw is not None}


def _tags(parts: dict[str, bytes]) -> dict[str, str]:
    loaded = {}
    for role, raw in parts.items():
        try:
            loaded[role] = Targets.parse(raw, role)
        except TufError:
            continue
    return {name: found.file.sha256 for name, found in sorted(walk.released(loaded).items())}
