"""What the server refuses although the reference takes it, because some client would stumble over it (section 9).

`Envelope.parse` refuses already what readers understand differently: members that occur twice, floats, control
characters. Here is what a client of notary's kind can read and then cannot work with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography import x509

from azext_trust.tuf import certificates, keys, roles, times
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import AmbiguousMetadata, MalformedMetadata, WrongKeyId
from azext_trust.tuf.keys import PublicKey
from azext_trust.tuf.metadata import Root, Targets


def check_root(root: Root) -> None:
    """Refuse a root whose keys stand under ids that are not theirs.

    Raises:
        WrongKeyId: a key's id is another.
    """
    _check_ids(roles.ROOT, root.keys)


def check_targets(targets: Targets) -> None:
    """Refuse targets that docker can read and then not change.

    Raises:
        MalformedMetadata: an object is null or missing to which docker adds members; a digest is no digest.
        WrongKeyId: a delegation's key stands under an id that is not its own.
    """
    declared = targets.fields.get("delegations")
    parts = [targets.fields.get("targets"), declared, declared and declared.get("keys")]
    if not all(isinstance(part, dict) for part in parts):
        raise MalformedMetadata(f"{targets.role} type metadata invalid: targets, delegations or their keys are null")
    for name in targets.targets:
        if not name:
            raise MalformedMetadata(f"{targets.role} type metadata invalid: a target has no name")
    _check_ids(targets.role, targets.keys)
    for key in targets.keys.values():
        _check_delegation_key(key)


def _check_ids(role: str, held: Mapping[str, PublicKey]) -> None:
    for key_id, key in held.items():
        if key.id != key_id:
            raise WrongKeyId(role)


def _check_delegation_key(key: PublicKey) -> None:
    """Refuse a certificate that makes the reference's client give up the whole collection."""
    if key.kind not in (keys.ECDSA_X509, keys.RSA_X509):
        return
    try:
        flaw = certificates.weakness(x509.load_pem_x509_certificate(key.public), None)
    except ValueError as error:
        flaw = str(error)
    if flaw:
        raise MalformedMetadata(f"the certificate of key {key.id} is invalid: {flaw}")


_KNOWN: dict[str, Any] = {
    "root": {"_type", "expires", "version", "consistent_snapshot", "keys", "roles"},
    "targets": {"_type", "expires", "version", "targets", "delegations"},
}


def check_spelling(envelope: Envelope, role: str) -> None:
    """Refuse what the reference's client would spell in another way, where it signs the snapshot over its spelling.

    Raises:
        AmbiguousMetadata: order, white space, unknown members or a moment differ from what Go writes.
    """
    fields = envelope.fields
    known = _KNOWN["root" if role == roles.ROOT else "targets"]
    if not envelope.spelt or fields.keys() != known or times.spelling(fields["expires"]) != fields["expires"]:
        raise AmbiguousMetadata(
            f"{role} is not spelt as notary spells it, and the snapshot key is the client's: "
            "sign it again with notary or let the server manage the snapshot"
        )
