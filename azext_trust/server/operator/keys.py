"""Signing keys and access tokens: replaced and revoked as Entra does behind the scenes."""

from __future__ import annotations

from azext_trust.server.gate import signing_keys
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import facts, tokens
from azext_trust.server.store.transaction import Transaction


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the keys that are published, newest first, and which one signs."""
    keys, now = tokens.signing_keys(transaction.session), transaction.now()
    signing = signing_keys.signing(keys, now)
    value = [
        {"kid": key.kid, "signsFrom": key.created, "signing": key is signing}
        for key in signing_keys.published(keys, now)
    ]
    return Reply({"value": value})


def rotate(transaction: Transaction, call: Call) -> Reply:
    """Sign with a new key from now on: ``{"forget": true}`` also deletes the older ones, and with them their tokens."""
    forget = call.json().get("forget", False)
    if not isinstance(forget, bool):
        raise errors.bad_value("forget", "'forget' is true or false.")
    made = signing_keys.rotate(transaction, forget=forget)
    call.change(after={"kid": made.kid, "olderForgotten": forget})
    return listed(transaction, call)


def revoke(transaction: Transaction, call: Call) -> Reply:
    """Challenge all access tokens made until now; sign-ins go on, and bring new ones (continuous access evaluation)."""
    before, after = facts.get(transaction.session, tokens.VALID_FROM), transaction.now_text()
    facts.put(transaction.session, tokens.VALID_FROM, after)
    call.change(before=before or None, after=after)
    return Reply({"validFrom": after})
