"""What a repository's newest metadata tell of roles, keys, expiry and tags, read leniently: for looking, not for trusting.

Nothing is verified here. What cannot be read is left out: an audit must also show repositories that are broken.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azext_trust.tuf import keys as tuf_keys
from azext_trust.tuf import roles
from azext_trust.tuf.errors import MalformedMetadata, UnusableKey


@dataclass(frozen=True, slots=True)
class KeySeen:
    """A public key: its id without a certificate, kind, bits (0: unknown), end of its certificate (ISO 8601)."""

    id: str
    kind: str
    size: int = 0
    expires: str = ""


@dataclass(frozen=True, slots=True)
class RoleSeen:
    """A role's newest metadata.

    Attributes:
        role: its name.
        version: its number, 0 for a delegation that has no metadata yet.
        expires: ISO 8601, or empty.
        keys: those that may sign it.
        threshold: how many of them must.
        tags: of targets roles: tag to SHA-256 (hex).
    """

    role: str
    version: int
    expires: str
    keys: tuple[KeySeen, ...]
    threshold: int
    tags: Mapping[str, str]


Contents = Mapping[str, bytes]
"""Role to the newest bytes of its metadata."""
_Fields = Mapping[str, Mapping[str, Any]]


def overview(contents: Contents, *, tags: bool = True) -> list[RoleSeen]:
    """Return what metadata tell, in the order of roles.

    Args:
        contents: the newest of each role.
        tags: whether the tags are wanted too.
    """
    fields = {role: _signed(raw) for role, raw in contents.items()}
    return [*_present(fields, tags), *_awaited(fields)]


def _present(fields: _Fields, tags: bool) -> Iterator[RoleSeen]:
    root = fields.get(roles.ROOT, {})
    for role, said in sorted(fields.items()):
        held, threshold = _root_role(root, role) if role in roles.BASE_ROLES else _delegated(fields, role)
        expires = str(said.get("expires", ""))
        found = _tags(said) if tags and roles.is_targets(role) else {}
        yield RoleSeen(
            role, _number(said.get("version")), expires[:19] + "Z" if expires else "", held, threshold, found
        )


def _awaited(fields: _Fields) -> Iterator[RoleSeen]:
    """Yield delegations that have no metadata of their own yet."""
    for role, said in fields.items():
        for one in _delegations(said) if roles.is_targets(role) else ():
            name = str(one.get("name"))
            if name not in fields:
                held, threshold = _delegated(fields, name)
                yield RoleSeen(name, 0, "", held, threshold, {})


def _signed(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)["signed"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _tags(said: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    targets = said.get("targets")
    for tag, file in targets.items() if isinstance(targets, Mapping) else ():
        try:
            found[str(tag)] = base64.b64decode(file["hashes"]["sha256"]).hex()
        except (KeyError, TypeError, binascii.Error):
            continue
    return found


Held = tuple[tuple[KeySeen, ...], int]


def _root_role(root: Mapping[str, Any], role: str) -> Held:
    listed = root.get("roles")
    said = listed.get(role) if isinstance(listed, Mapping) else None
    return _held(root.get("keys"), said)


def _delegated(fields: _Fields, role: str) -> Held:
    parent = fields.get(roles.parent(role), {})
    given = parent.get("delegations")
    keys = given.get("keys") if isinstance(given, Mapping) else None
    return _held(keys, next((one for one in _delegations(parent) if one.get("name") == role), None))


def _delegations(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = said.get("delegations")
    listed = given.get("roles") if isinstance(given, Mapping) else None
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _held(keys: object, said: object) -> Held:
    if not isinstance(keys, Mapping) or not isinstance(said, Mapping):
        return (), 1
    ids = said.get("keyids")
    found = [_key(str(name), keys.get(name)) for name in ids] if isinstance(ids, list) else []
    return tuple(key for key in found if key is not None), _number(said.get("threshold")) or 1


def _key(name: str, said: object) -> KeySeen | None:
    try:
        return _read(name, str(said["keytype"]), str(said["keyval"]["public"]))  # type: ignore[index]  # TypeError is caught
    except (KeyError, TypeError):
        return None


@lru_cache(maxsize=65536)
def _read(name: str, kind: str, public: str) -> KeySeen:
    """Return a key by the id that it has without a certificate: under that its private half is filed."""
    try:
        held = tuf_keys.PublicKey(kind, base64.b64decode(public))
        bare = held.bare() if kind.endswith("-x509") else held
        material = tuf_keys.material(bare)
        own = bare.id
    except (UnusableKey, MalformedMetadata, binascii.Error, ValueError):
        return KeySeen(name, kind)
    size = material.key_size if isinstance(material, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else 256
    ends = ""
    if kind.endswith("-x509"):
        ends = x509.load_pem_x509_certificate(held.public).not_valid_after_utc.isoformat()
    return KeySeen(own, kind.removesuffix("-x509"), size, ends)
