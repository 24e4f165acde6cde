"""Publishing and removing trust data: all of it in the gate's one transaction, or nothing."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.pipeline import entry
from azext_trust.server.notary import errors, multipart, place, read
from azext_trust.server.notary.keys import Held
from azext_trust.server.store import facts, trust_data
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.store.trust_data import Newest, Repository, Version
from azext_trust.tuf import roles
from azext_trust.tuf.publish import Accepted, Collection, Refused, validate_update

PUBLISH = "Microsoft.ContainerRegistry/registries/trustedCollections/write"


def publish(store: Store, call: Call) -> Reply:
    """Validate an upload against what is stored, sign snapshot and timestamp, store all of it (section 4.1).

    Two publishers follow one another: only one transaction writes at a time, so the second is validated against what
    the first stored, and gets VERSION.

    Raises:
        ServiceError: the upload is refused; nothing is stored.
    """
    parts = multipart.files(call)
    with store.write(moves=facts.CONTENT) as transaction:
        of = place.repository_of(transaction, call)
        held = Held(transaction, of)
        try:
            accepted = validate_update(
                Collection(of.gun, Newest(transaction.session, of)), parts, held, transaction.now()
            )
        except Refused as refusal:
            raise errors.refused(refusal) from None
        stored = _store(transaction, of, accepted)
        if roles.ROOT in accepted.versions:
            trust_data.forget_keys(transaction.session, of, held.retired(accepted.server_keys))
        call.change(after=_told(of, accepted))
        transaction.record(entry(call, PUBLISH, call.params["registry"], "Allowed", status=200))
    read.remember(call, stored, transaction)
    return Reply()


def _store(transaction: Transaction, of: Repository, accepted: Accepted) -> dict[str, Version]:
    stored = {}
    for role, envelope in accepted.versions.items():
        digest = envelope.sha256.hex()
        stored[role] = trust_data.add(transaction, of, role, accepted.numbers[role], envelope.raw, digest)
    trust_data.prune(transaction, of, accepted.versions)
    for role, changes in accepted.tags.items():
        signed = {tag: (file.sha256, file.length) for tag, file in changes.signed.items()}
        trust_data.change_tags(transaction.session, of, role, signed, changes.removed)
    return stored


_SHOWN = 20
"""How many tags of a publish the activity log names; of the rest it gives the number."""


def _told(of: Repository, accepted: Accepted) -> dict[str, object]:
    """Return what the activity log keeps: names, digests and counts, never metadata."""
    changes = {role: found for role, found in accepted.tags.items() if found.signed or found.removed}
    return {
        "gun": of.gun,
        "versions": dict(accepted.numbers),
        "signed": {role: {tag: file.sha256 for tag, file in list(found.signed.items())[:_SHOWN]}
                   for role, found in changes.items()},
        "removed": {role: sorted(found.removed)[:_SHOWN] for role, found in changes.items() if found.removed},
        "signedCount": sum(len(found.signed) for found in changes.values()),
        "removedCount": sum(len(found.removed) for found in changes.values()),
    }  # fmt: skip


def remove(transaction: Transaction, call: Call) -> Reply:
    """Delete all trust data of a repository (``notary delete --remote``); there may be none."""
    of = place.repository_of(transaction, call)
    call.change(after={"gun": of.gun, "versionsDeleted": trust_data.remove(transaction, of)})
    return Reply()
