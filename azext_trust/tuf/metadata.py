"""Root, targets, snapshot and timestamp, each read from an envelope; unknown members stay where they are.

Nothing here believes anything: signatures are `verify`'s affair, expiry and versions `trusted`'s and `publish`'s.
The classes hold what was read and are never changed; `edit` makes new members from old ones.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

from azext_trust.tuf import canonical, roles, times
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import MalformedMetadata, WrongRole
from azext_trust.tuf.keys import PublicKey, unbase64

_FILE = frozenset({"length", "hashes", "custom"})
_ROLE = frozenset({"keyids", "threshold"})
_DELEGATED = frozenset({"keyids", "threshold", "name", "paths"})
_DELEGATIONS = frozenset({"keys", "roles"})
_DIGEST_SIZES = {"sha256": 32, "sha512": 64}
MAX_VERSION = 2**31 - 1
"""No honest repository gets here; beyond it databases and other readers count differently."""


@dataclass(frozen=True)
class FileMeta:
    """Length and digests of a file: metadata in a snapshot or timestamp, a manifest in targets.

    Attributes:
        length: bytes.
        hashes: ``sha256``, perhaps ``sha512``, to raw digests.
        custom: what the signer added, or None.
    """

    length: int
    hashes: Mapping[str, bytes]
    custom: Any = None

    @classmethod
    def from_dict(cls, value: Any) -> FileMeta:
        """Read a file's description.

        Raises:
            MalformedMetadata: it has another form.
        """
        check_file(value)
        return cls(
            value["length"], {name: unbase64(text) for name, text in value["hashes"].items()}, value.get("custom")
        )

    @classmethod
    def of(cls, envelope: Envelope) -> FileMeta:
        """Describe metadata, as snapshots and timestamps do."""
        return cls(len(envelope.raw), {"sha256": envelope.sha256, "sha512": envelope.sha512})

    def to_dict(self) -> dict[str, Any]:
        """Return it as metadata write it."""
        hashes = {name: base64.b64encode(digest).decode() for name, digest in self.hashes.items()}
        more = {} if self.custom is None else {"custom": self.custom}
        return {"hashes": hashes, "length": self.length, **more}

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex, empty when there is none."""
        return self.hashes.get("sha256", b"").hex()


def check_file(value: Any) -> None:
    """Check the form of a file's description without taking it apart: targets may hold tens of thousands.

    Raises:
        MalformedMetadata: it has another form.
    """
    if (
        type(value) is not dict
        or type(value.get("length")) is not int
        or type(value.get("hashes")) is not dict
        or value["length"] < 0
    ):
        raise MalformedMetadata("a file is described without length or hashes")
    canonical.check_spelling(value, _FILE)
    for name, text in value["hashes"].items():
        if type(text) is not str or len(text) > 512 or (name == "sha256" and len(text) != 44):
            raise MalformedMetadata(f"a {name} checksum is invalid")


@dataclass(frozen=True)
class Role:
    """Who may sign for a role.

    Attributes:
        name: the role.
        threshold: how many of them must.
        keys: key id to key.
        paths: for a delegation, prefixes of the targets it may name.
    """

    name: str
    threshold: int
    keys: Mapping[str, PublicKey]
    paths: tuple[str, ...] = ("",)

    def with_keys(self, held: Mapping[str, PublicKey]) -> Role:
        """Return the same role with other keys."""
        return Role(self.name, self.threshold, held, self.paths)


class Signed:
    """What all metadata have.

    Args:
        envelope: where it was read.
        role: whose metadata it is to be.

    Raises:
        WrongRole: its ``_type`` is another role's.
        MalformedMetadata: a member is missing or of another kind.
    """

    ROLE: ClassVar[str]
    MEMBERS: ClassVar[frozenset[str]] = frozenset({"_type", "expires", "version"})
    FLOOR: ClassVar[str] = "version cannot be less than one"

    def __init__(self, envelope: Envelope, role: str = "") -> None:
        self.envelope = envelope
        self.role = role or self.ROLE
        self.fields = envelope.fields
        canonical.check_spelling(self.fields, self.MEMBERS)
        self._check_common()
        self._check()

    @classmethod
    def parse(cls, raw: bytes, role: str = "") -> Self:
        """Read metadata from bytes; same errors as the class and as `Envelope.parse`."""
        return cls(Envelope.parse(raw), role)

    @classmethod
    def reread(cls, raw: bytes, role: str = "") -> Self:
        """Read metadata that this program has verified before: its own store's."""
        return cls(Envelope.reread(raw), role)

    def _check_common(self) -> None:
        expected, kind = roles.type_of(self.role), self.fields.get("_type")
        if kind != expected:
            raise WrongRole(f"{self.role} type metadata invalid: expected type {expected}, not {str(kind)[:60]}")
        version = self.fields.get("version")
        if type(version) is not int:
            raise self._invalid("version is no whole number")
        if version < 1:
            raise self._invalid(self.FLOOR)
        if version > MAX_VERSION:
            raise self._invalid("version is too large")
        times.read(self.fields.get("expires"))

    def _check(self) -> None:
        raise NotImplementedError

    def _invalid(self, reason: str) -> MalformedMetadata:
        return MalformedMetadata(f"{self.role} type metadata invalid: {reason}")

    @property
    def version(self) -> int:
        """The version, 1 or higher."""
        return int(self.fields["version"])

    @cached_property
    def expires(self) -> datetime:
        """Until when it is good."""
        return times.read(self.fields["expires"])

    def to_bytes(self) -> bytes:
        """Return the bytes as received or written, never written anew."""
        return self.envelope.raw

    def _map(self, value: Any, name: str, optional: bool = False) -> dict[str, Any]:
        if optional and value is None:
            return {}
        if not isinstance(value, dict):
            raise self._invalid(f"{name} is no object")
        return value

    def _check_keys(self, held: Mapping[str, PublicKey], name: str, value: Any) -> None:
        """Check who may sign for a role: ``keyids`` and ``threshold``."""
        threshold, key_ids = value.get("threshold"), value.get("keyids")
        if type(threshold) is not int or threshold < 1:
            raise self._invalid(f"invalid threshold specified for {name}: {threshold} ")
        # Go writes an empty list of keys as null.
        if key_ids is not None and not (isinstance(key_ids, list) and all(isinstance(one, str) for one in key_ids)):
            raise self._invalid(f"keyids of {name} is no list")
        for key_id in key_ids or ():
            if key_id not in held:
                raise self._invalid(f"key ID {key_id} specified in {name} without corresponding key")


def _read_keys(value: Mapping[str, Any]) -> dict[str, PublicKey]:
    return {key_id: PublicKey.from_dict(key) for key_id, key in value.items()}


class Root(Signed):
    """Who may sign for the four base roles."""

    ROLE = roles.ROOT
    MEMBERS = Signed.MEMBERS | {"consistent_snapshot", "keys", "roles"}
    FLOOR = "version cannot be less than 1"

    def _check(self) -> None:
        self.keys = _read_keys(self._map(self.fields.get("keys"), "keys"))
        named = self._map(self.fields.get("roles"), "roles")
        # Other roles are allowed: old clients wrote root.N for each earlier version.
        for name in roles.BASE_ROLES:
            if not isinstance(named.get(name), dict):
                raise self._invalid(f"missing {name} role specification")
            canonical.check_spelling(named[name], _ROLE)
            self._check_keys(self.keys, name, named[name])

    def of(self, name: str) -> Role:
        """Return who may sign for a base role."""
        value = self.fields["roles"][name]
        return Role(name, value["threshold"], {one: self.keys[one] for one in value.get("keyids") or ()})


@lru_cache(maxsize=256)
def stored_root(raw: bytes) -> Root:
    """Read a root from one's own store: every publish of a repository asks for the same one.

    Args:
        raw: bytes that this program has accepted before.
    """
    return Root.parse(raw)


@dataclass(frozen=True)
class Delegation:
    """A delegation as its parent declares it: `role` with its keys, and the ids in the declared order."""

    role: Role
    key_ids: tuple[str, ...]


class Targets(Signed):
    """Signed tags, and delegations of the right to sign some."""

    ROLE = roles.TARGETS
    MEMBERS = Signed.MEMBERS | {"targets", "delegations"}

    def __init__(self, envelope: Envelope, role: str = "", known: Targets | None = None) -> None:
        # Of tens of thousands of targets, those that stand in the version before were checked with it.
        self._known = known.targets if known else {}
        super().__init__(envelope, role)

    @classmethod
    def reread(cls, raw: bytes, role: str = roles.TARGETS) -> Self:
        """Read targets that this program has verified before: nothing in them is checked again."""
        envelope = Envelope.reread(raw)
        trusted = cls.__new__(cls)
        trusted.targets = envelope.fields.get("targets") or {}
        return cls(envelope, role, trusted)

    def _check(self) -> None:
        self.targets: dict[str, dict[str, Any]] = self._map(self.fields.get("targets"), "targets", True)
        for name, value in self.targets.items():
            if self._known.get(name) != value:
                check_file(value)
        declared = self._map(self.fields.get("delegations"), "delegations", True)
        canonical.check_spelling(declared, _DELEGATIONS)
        self.keys = _read_keys(self._map(declared.get("keys"), "delegation keys", True))
        self.delegations: dict[str, Delegation] = {}
        listed = declared.get("roles")
        if listed is not None and not isinstance(listed, list):
            raise self._invalid("delegation roles is no list")
        for value in listed or ():
            self._read_delegation(value)

    def _read_delegation(self, value: Any) -> None:
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(name, str) or not roles.is_delegation(name) or roles.parent(name) != self.role:
            raise self._invalid(f"delegation role {name} invalid")
        canonical.check_spelling(value, _DELEGATED)
        self._check_keys(self.keys, name, value)
        paths = value.get("paths", [])
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise self._invalid(f"paths of {name} is no list")
        if name in self.delegations:
            raise self._invalid(f"delegation role {name} is declared twice")
        key_ids = tuple(value.get("keyids") or ())
        role = Role(name, value["threshold"], {one: self.keys[one] for one in key_ids}, tuple(paths))
        self.delegations[name] = Delegation(role, key_ids)

    def file(self, name: str) -> FileMeta | None:
        """Return what is signed under a name."""
        value = self.targets.get(name)
        return None if value is None else FileMeta.from_dict(value)


class _Listing(Signed):
    """Metadata that announce other metadata."""

    MEMBERS = Signed.MEMBERS | {"meta"}
    NEEDED: ClassVar[tuple[str, ...]]
    MISSING: ClassVar[str] = "missing {} sha256 checksum information"

    def _check(self) -> None:
        listed = self._map(self.fields.get("meta"), "meta")
        for value in listed.values():
            check_file(value)
        self._meta = listed
        for name in self.NEEDED:
            found = self.meta(name)
            if found is None or "sha256" not in found.hashes:
                raise self._invalid(self.MISSING.format(name))
        for name in listed:
            for algorithm, digest in FileMeta.from_dict(listed[name]).hashes.items():
                if len(digest) != _DIGEST_SIZES.get(algorithm, len(digest)):
                    raise self._invalid(f"invalid {name} checksum information, {algorithm} checksum invalid")

    def meta(self, role: str) -> FileMeta | None:
        """Return what is announced of a role."""
        value = self._meta.get(role)
        return None if value is None else FileMeta.from_dict(value)

    @property
    def listed(self) -> frozenset[str]:
        """The roles that are announced."""
        return frozenset(self._meta)


class Snapshot(_Listing):
    """Which root, targets and delegations belong together."""

    ROLE = roles.SNAPSHOT
    NEEDED = (roles.ROOT, roles.TARGETS)


class Timestamp(_Listing):
    """Which snapshot is the newest."""

    ROLE = roles.TIMESTAMP
    NEEDED = (roles.SNAPSHOT,)
