"""Reading tags out of verified targets: in which role a reader looks first, and which roles it passes by.

Roles are walked as the reference does (notary tuf.go WalkTargets): breadth first from targets, each delegation only
for the paths that all above it gave away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from azext_trust.tuf import roles
from azext_trust.tuf.metadata import FileMeta, Targets

PULL_ORDER = (roles.RELEASES, roles.TARGETS)
"""Where docker's pull looks, in this order; tags of other roles are not released."""


@dataclass(frozen=True)
class SignedTag:
    """A tag as one role signs it."""

    name: str
    file: FileMeta
    role: str


def walk(
    loaded: Mapping[str, Targets], start: str = roles.TARGETS, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[Targets, tuple[str, ...]]]:
    """Yield verified targets at and below a role, each with the paths it may sign.

    Args:
        loaded: role to verified metadata; roles that are not there are passed by.
        start: the role to begin with.
        skip: roles not to yield; what lies below them is passed by too.
    """
    queue: deque[tuple[str, tuple[str, ...]]] = deque([(roles.TARGETS, ("",))])
    while queue:
        role, paths = queue.popleft()
        found = loaded.get(role)
        if found is None:
            continue
        above_start = start.startswith(role + "/")
        if not above_start and (role in skip or not (role == start or role.startswith(start + "/"))):
            continue
        if not above_start:
            yield found, paths
        for name, delegation in found.delegations.items():
            queue.append((name, roles.restrict(paths, delegation.role.paths)))


def find(loaded: Mapping[str, Targets], name: str, order: tuple[str, ...] = PULL_ORDER) -> SignedTag | None:
    """Return a tag as the first role in the order signs it, None when none does.

    Args:
        loaded: role to verified metadata.
        name: the tag.
        order: roles, the one that wins first; below each, its delegations that are not named themselves.
    """
    for start in order:
        for found, paths in walk(loaded, start, frozenset(order) - {start}):
            if roles.covers(paths, name) and name in found.targets:
                return SignedTag(name, FileMeta.from_dict(found.targets[name]), found.role)
    return None


def released(loaded: Mapping[str, Targets]) -> dict[str, SignedTag]:
    """Return all tags that docker's pull would take: signed by targets/releases or targets themselves."""
    return {name: found for name, found in listed(loaded, PULL_ORDER).items() if found.role in PULL_ORDER}


def listed(loaded: Mapping[str, Targets], order: tuple[str, ...] = (roles.TARGETS,)) -> dict[str, SignedTag]:
    """Return each tag once, as the first role in the order signs it (``notary list``)."""
    tags: dict[str, SignedTag] = {}
    for start in order:
        for found, paths in walk(loaded, start, frozenset(order) - {start}):
            for name, value in found.targets.items():
                if name not in tags and roles.covers(paths, name):
                    tags[name] = SignedTag(name, FileMeta.from_dict(value), found.role)
    return tags


def signatures(loaded: Mapping[str, Targets], name: str = "") -> list[SignedTag]:
    """Return a tag, or every tag, in every role that signs it."""
    return [
        SignedTag(tag, FileMeta.from_dict(value), found.role)
        for found, paths in walk(loaded)
        for tag, value in found.targets.items()
        if (not name or tag == name) and roles.covers(paths, tag)
    ]
