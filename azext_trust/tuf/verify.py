"""Single checks: signatures against a role, bytes against what was announced, expiry. Each says what is missing."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from azext_trust.tuf import keys, times
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import (
    EndlessDataAttack,
    ForgedMetadata,
    FreezeAttack,
    MissingHash,
    MixAndMatchAttack,
    RepeatedKey,
    Unsigned,
    WrongKeyId,
)
from azext_trust.tuf.metadata import FileMeta, Role, Signed

MAX_METADATA = 100 * 1024 * 1024
"""Largest metadata a client reads when nothing announces the size (notary const.go)."""
MAX_TIMESTAMP = 1024 * 1024
"""Largest timestamp: nothing announces it."""


@dataclass(frozen=True)
class Verdict:
    """What the signatures of some metadata amount to.

    Attributes:
        role: the role whose keys were asked.
        threshold: how many keys must have signed.
        valid: ids of the keys that did; certificates around one key are one key, and the first stands for it.
        invalid: ids of keys of the role whose signature is wrong.
        foreign: ids of keys that the role does not have.
        repeated: ids left out of `valid` because their key is counted already.
    """

    role: str
    threshold: int
    valid: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many signatures are missing."""
        return max(self.threshold - len(self.valid), 0)

    def __bool__(self) -> bool:
        return self.missing == 0


def examine(envelope: Envelope, role: Role) -> Verdict:
    """Weigh the signatures of metadata against a role (TUF specification section 4.2.1: threshold of unique keys).

    Args:
        envelope: what was signed.
        role: whose keys must have signed it.

    Raises:
        WrongKeyId: a key of the role that signed stands under an id that is not its own.
    """
    own = keys.same_material(role.keys)
    counted: dict[str, str] = {}
    invalid, foreign, repeated = [], [], []
    for signature in envelope.signatures:
        key = role.keys.get(signature.key_id)
        if key is None:
            foreign.append(signature.key_id)
            continue
        if key.id != signature.key_id:
            raise WrongKeyId(role.name, role.threshold)
        if not key.verify(signature.method, signature.value, envelope.payload):
            invalid.append(signature.key_id)
        elif counted.setdefault(own[signature.key_id], signature.key_id) != signature.key_id:
            repeated.append(signature.key_id)
    return Verdict(
        role.name, role.threshold, tuple(counted.values()), tuple(invalid), tuple(foreign), tuple(repeated)
    )  # fmt: skip


def require_signatures(envelope: Envelope, role: Role) -> Verdict:
    """Go on only with enough valid signatures.

    Raises:
        Unsigned: there is none at all.
        RepeatedKey: there would be enough, were one key not counted twice.
        ForgedMetadata: there are too few.
    """
    if not envelope.signatures:
        raise Unsigned(role.name, role.threshold)
    verdict = examine(envelope, role)
    if verdict:
        return verdict
    if len(verdict.valid) + len(set(verdict.repeated)) >= role.threshold:
        raise RepeatedKey(role.name, role.threshold, verdict.valid)
    raise ForgedMetadata(role.name, role.threshold, verdict.valid)


def require_announced(raw: bytes, announced: FileMeta, role: str) -> None:
    """Go on only with the bytes that snapshot or timestamp announced.

    Raises:
        EndlessDataAttack: there are more bytes than announced.
        MissingHash: no digest of a known kind was announced.
        MixAndMatchAttack: a digest differs.
    """
    require_size(raw, announced.length, role)
    require_hashes(raw, announced, role)


def require_hashes(raw: bytes, announced: FileMeta, role: str) -> None:
    """Go on only with bytes of the announced digests.

    Raises:
        MissingHash: no digest of a known kind was announced.
        MixAndMatchAttack: a digest differs.
    """
    known = {name: digest for name, digest in announced.hashes.items() if name in ("sha256", "sha512")}
    if not known:
        raise MissingHash(role)
    for name, digest in known.items():
        if not hmac.compare_digest(hashlib.new(name, raw).digest(), digest):
            raise MixAndMatchAttack(role, name, digest.hex())


def require_size(raw: bytes, limit: int, role: str) -> None:
    """Go on only with no more bytes than allowed.

    Raises:
        EndlessDataAttack: there are more.
    """
    if len(raw) > limit:
        raise EndlessDataAttack(role, len(raw), limit)


def require_unexpired(signed: Signed, now: datetime) -> None:
    """Go on only with metadata that are still good.

    Raises:
        FreezeAttack: they have expired.
    """
    if signed.expires < now:
        raise FreezeAttack(signed.role, times.in_words(signed.expires))
