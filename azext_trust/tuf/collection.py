"""A repository on a Notary server: what is stored, what a publish makes of it, why one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.metadata import FileMeta


class Refused(Exception):
    """The upload is refused; nothing of it is kept.

    Args:
        code: the error's code: ``INVALID_UPDATE``, ``VERSION``, ``INVALID_ROLE``, ``MALFORMED_JSON``...
        name: for INVALID_UPDATE the reference's kind: ``ErrBadRoot``, ``ErrBadTargets``, ``ErrBadSnapshot``,
            ``ErrBadHierarchy``, ``ErrValidation``; else empty.
        message: the text that docker shows to its user.
        missing: for ErrBadHierarchy the role that is missing.
    """

    def __init__(self, code: str, name: str = "", message: str = "", missing: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.name = name
        self.message = message
        self.missing = missing


@dataclass(frozen=True)
class TagChanges:
    """What a publish changes in the signed tags of one role.

    Attributes:
        signed: tag to file, new or changed.
        removed: tags that are gone.
    """

    signed: Mapping[str, FileMeta] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Accepted:
    """The versions to store, all of them or none.

    Attributes:
        versions: role to metadata: what was uploaded, and what the server signed for it.
        numbers: role to version.
        tags: role to what changes among its tags.
        server_keys: ids of the server's keys that the root names; others may be forgotten when it is stored.
    """

    versions: Mapping[str, Envelope]
    numbers: Mapping[str, int]
    tags: Mapping[str, TagChanges]
    server_keys: frozenset[str]


@dataclass(frozen=True)
class Collection:
    """The current state of a repository on the server.

    Attributes:
        gun: its name.
        roles: role to its newest bytes; empty before the first publish.
    """

    gun: str
    roles: Mapping[str, bytes] = field(default_factory=dict)
