"""The change feed: a line for each new timestamp and each deletion (notary server/handlers/changefeed.go)."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.notary import errors, place
from azext_trust.server.store import trust_data
from azext_trust.server.store.transaction import Transaction

DEFAULT_LINES = 100
MAX_LINES = 10_000


def of_repository(transaction: Transaction, call: Call) -> Reply:
    """Return lines of one repository."""
    of = place.repository_of(transaction, call)
    return _answer(transaction, call, of.registry_id, of.gun)


def of_registry(transaction: Transaction, call: Call) -> Reply:
    """Return lines of all repositories of the registry."""
    return _answer(transaction, call, place.registry_of(transaction, call).trust_space, "")


def _answer(transaction: Transaction, call: Call, registry_id: str, gun: str) -> Reply:
    count = _number(call, "records") or DEFAULT_LINES
    count = max(-MAX_LINES, min(MAX_LINES, count))
    after = _number(call, "change_id") if call.query.get("change_id") else 0
    lines = trust_data.changes(transaction.session, registry_id, gun, after, count)
    records = [
        {"ID": str(line.id), "CreatedAt": line.created, "GUN": line.gun, "Version": line.version,
         "SHA256": line.sha256, "Category": line.category}
        for line in lines
    ]  # fmt: skip
    return Reply({"count": len(records), "records": records})


def _number(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    try:
        number = int(text)
    except ValueError:
        number = 2**31
    if not text.isascii() or abs(number) >= 2**31:
        raise errors.invalid_parameters(f"invalid {name} parameter: {text[:40]!r} is no number of 32 bits")
    return number
