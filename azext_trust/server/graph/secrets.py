"""Client secrets: made here, shown once, kept as a hash."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import applications, credentials, errors, query, service_principals
from azext_trust.server.store import clock, passwords, principals
from azext_trust.server.store.transaction import Transaction


def add_to_application(transaction: Transaction, call: Call) -> Reply:
    """Add a client secret to an application."""
    return _add(transaction, call, applications.named(transaction, call.params["id"]).id)


def add_to_service_principal(transaction: Transaction, call: Call) -> Reply:
    """Add a client secret to a service principal."""
    return _add(transaction, call, service_principals.named(transaction, call.params["id"]).id)


def remove_from_application(transaction: Transaction, call: Call) -> Reply:
    """Remove a client secret from an application."""
    return _remove(transaction, call, applications.named(transaction, call.params["id"]).id)


def remove_from_service_principal(transaction: Transaction, call: Call) -> Reply:
    """Remove a client secret from a service principal."""
    return _remove(transaction, call, service_principals.named(transaction, call.params["id"]).id)


def _moment(text: object, default: datetime) -> datetime:
    if not text:
        return default
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise errors.bad_request(f"Invalid value '{text}' for a date and time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _add(transaction: Transaction, call: Call, owner_id: str) -> Reply:
    given = call.json().get("passwordCredential")
    asked = given if isinstance(given, dict) else {}
    start = _moment(asked.get("startDateTime"), transaction.now())
    end = _moment(asked.get("endDateTime"), transaction.now() + timedelta(days=730))
    if end <= start:
        raise errors.bad_request("Credential lifetime is invalid: the end is not after the start.")
    secret = passwords.new_secret()
    name = asked.get("displayName")
    row = principals.Credential(
        id=str(uuid.uuid4()), owner_id=owner_id, kind="secret", display_name=str(name) if name else None,
        hint=secret[:3], hashed=passwords.hash_secret(secret), start=clock.to_text(start), end=clock.to_text(end),
    )  # fmt: skip
    transaction.session.add(row)
    call.change(after={"keyId": row.id, "displayName": row.display_name, "endDateTime": row.end})
    body: query.Body = {
        "@odata.context": query.context(call, "microsoft.graph.passwordCredential"), "customKeyIdentifier": None,
        "displayName": row.display_name, "endDateTime": row.end, "hint": row.hint, "keyId": row.id,
        "secretText": secret, "startDateTime": row.start,
    }  # fmt: skip
    return query.reply(call, body)


def _remove(transaction: Transaction, call: Call, owner_id: str) -> Reply:
    return credentials.remove(transaction, call, owner_id, "secret", "password")
