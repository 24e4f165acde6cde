"""The envelope of all metadata: a signed part and the signatures over its canonical form."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from azext_trust.tuf import canonical, keys
from azext_trust.tuf.errors import AmbiguousMetadata, MalformedMetadata

_ENVELOPE = frozenset({"signed", "signatures"})
_SIGNATURE = frozenset({"keyid", "method", "sig"})


@dataclass(frozen=True)
class Signature:
    """One signature.

    Attributes:
        key_id: the id under which the role's delegator names the key.
        method: ``ecdsa``, ``rsapss``, ``rsapkcs1v15`` or ``eddsa``.
        value: raw bytes.
    """

    key_id: str
    method: str
    value: bytes

    @classmethod
    def from_dict(cls, value: Any) -> Signature:
        """Read a signature.

        Raises:
            MalformedMetadata: it has another form.
        """
        if not isinstance(value, dict):
            raise MalformedMetadata("a signature is no object")
        canonical.check_spelling(value, _SIGNATURE)
        key_id, method = value.get("keyid"), value.get("method")
        if not isinstance(key_id, str) or not isinstance(method, str):
            raise MalformedMetadata("a signature has no keyid or no method")
        return cls(key_id, method, keys.unbase64(value.get("sig")))

    def to_dict(self) -> dict[str, Any]:
        """Return it as metadata write it."""
        return {"keyid": self.key_id, "method": self.method, "sig": base64.b64encode(self.value).decode()}


@dataclass(frozen=True)
class Envelope:
    """Metadata as bytes and as read, not yet believed.

    INVARIANT: `raw` is never written anew from `fields`, because its hash is what other metadata announce.

    Attributes:
        raw: the bytes as received or written.
        fields: the signed part; never changed in place.
        signatures: as they stand in the envelope.
        spelt: the bytes are exactly those that the reference would write for these fields, had it no unknown ones.
    """

    raw: bytes
    fields: dict[str, Any]
    signatures: tuple[Signature, ...]
    spelt: bool = False

    @cached_property
    def payload(self) -> bytes:
        """What signatures are made over: the canonical form of `fields`."""
        return canonical.encode(self.fields)

    @classmethod
    def parse(cls, raw: bytes) -> Envelope:
        """Read metadata of any role.

        Raises:
            MalformedMetadata: no envelope with a signed part.
            AmbiguousMetadata: readers would see different things.
        """
        value = canonical.decode(raw, distinct=False)
        if not isinstance(value, dict) or not isinstance(value.get("signed"), dict):
            raise MalformedMetadata("no envelope with a signed part")
        canonical.check_spelling(value, _ENVELOPE)
        payload = canonical.encode(value["signed"])
        listed = value.get("signatures")
        # Bytes that are exactly the canonical form hold no member twice; only others need the slower reading.
        spelt = raw == _spell(payload, listed) and value.keys() == _ENVELOPE
        if not spelt:
            canonical.decode(raw)
            canonical.encode(value)
        return cls._made(raw, value["signed"], _signatures(listed), payload, spelt)

    @classmethod
    def reread(cls, raw: bytes) -> Envelope:
        """Read metadata that this program has parsed and verified before: its own store's."""
        value = canonical.decode_again(raw)
        return cls(raw, value["signed"], _signatures(value["signatures"]), True)

    @classmethod
    def build(cls, fields: dict[str, Any], signatures: tuple[Signature, ...], payload: bytes) -> Envelope:
        """Write metadata in notary's form: ``signed``, then ``signatures``."""
        raw = _spell(payload, [signature.to_dict() for signature in signatures])
        return cls._made(raw, fields, signatures, payload, True)

    @classmethod
    def _made(
        cls, raw: bytes, fields: dict[str, Any], signatures: tuple[Signature, ...], payload: bytes, spelt: bool
    ) -> Envelope:
        made = cls(raw, fields, signatures, spelt)
        made.__dict__["payload"] = payload
        return made

    @cached_property
    def sha256(self) -> bytes:
        """The digest of the bytes."""
        return hashlib.sha256(self.raw).digest()

    @cached_property
    def sha512(self) -> bytes:
        """The longer digest of the bytes."""
        return hashlib.sha512(self.raw).digest()


def _signatures(listed: Any) -> tuple[Signature, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise MalformedMetadata("signatures is no list")
    return tuple(Signature.from_dict(one) for one in listed)


def _spell(payload: bytes, signatures: Any) -> bytes:
    try:
        listed = canonical.encode(signatures)
    except AmbiguousMetadata:
        return b""
    return b'{"signed":' + canonical.spell(payload) + b',"signatures":' + canonical.spell(listed) + b"}"
