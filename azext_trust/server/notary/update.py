"""Publishing and removing trust data: all of it in the gate's one transaction, or nothing."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.notary import errors, multipart, place
from azext_trust.server.notary.keys import Held
from azext_trust.server.store import trust_data
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust_data import Newest, Repository
from azext_trust.tuf import roles
from azext_trust.tuf.publish import Accepted, Collection, Refused, validate_update


def publish(transaction: Transaction, call: Call) -> Reply:
    """Validate an upload against what is stored, sign snapshot and timestamp, store all of it (section 4.1).

    Two publishers follow one another: the gate's transaction is the only one that writes, so the second is validated
    against what the first stored, and gets VERSION.

    Raises:
        ServiceError: the upload is refused; nothing is stored.
    """
    of = place.repository_of(transaction, call)
    held = Held(transaction, of)
    try:
        collection = Collection(of.gun, Newest(transaction.session, of))
        accepted = validate_update(collection, multipart.files(call), held, transaction.now())
    except Refused as refusal:
        raise errors.refused(refusal) from None
    _store(transaction, of, accepted)
    if roles.ROOT in accepted.versions:
        trust_data.forget_keys(transaction.session, of, held.retired(accepted.server_keys))
    call.change(after=_told(of, accepted))
    return Reply()


def _store(transaction: Transaction, of: Repository, accepted: Accepted) -> None:
    for role, envelope in accepted.versions.items():
        trust_data.add(transaction, of, role, accepted.numbers[role], envelope.raw)
    trust_data.prune(transaction, of, accepted.versions)
    for role, changes in accepted.tags.items():
        signed = {tag: (file.sha256, file.length) for tag, file in changes.signed.items()}
        trust_data.change_tags(transaction.session, of, role, signed, changes.removed)


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
