"""Federated identity credentials of applications."""

from __future__ import annotations

import uuid

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import applications, errors, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

_MEMBERS = ("issuer", "subject", "description", "audiences")


def _body(row: principals.Credential) -> query.Body:
    held = row.properties
    return {
        "id": row.id, "name": row.display_name, "issuer": held.get("issuer"), "subject": held.get("subject"),
        "description": held.get("description"), "audiences": held.get("audiences"),
    }  # fmt: skip


def _rows(transaction: Transaction, call: Call) -> tuple[str, list[principals.Credential]]:
    owner = applications.named(transaction, call.params["id"]).id
    return owner, principals.credentials(transaction.session, [owner], "federated")


def _named(transaction: Transaction, call: Call) -> principals.Credential:
    wanted = call.params["name"].lower()
    for row in _rows(transaction, call)[1]:
        if wanted in (row.id, str(row.display_name).lower()):
            return row
    raise errors.no_object(call.params["name"])


def _what(call: Call) -> str:
    return f"applications('{call.params['id']}')/federatedIdentityCredentials"


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return an application's federated credentials."""
    return query.listing(call, _what(call), (_body(row) for row in _rows(transaction, call)[1]))


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one, by id or name."""
    return query.entity(call, _what(call), _body(_named(transaction, call)))


def create(transaction: Transaction, call: Call) -> Reply:
    """Add one: at most 20, names and issuer with subject unique."""
    owner, rows = _rows(transaction, call)
    body = call.json()
    for name in ("name", "issuer", "subject", "audiences"):
        if not body.get(name):
            raise errors.bad_request(f"Property '{name}' is required for a federated identity credential.")
    if len(rows) >= 20:
        raise errors.bad_request("An application can have at most 20 federated identity credentials.")
    wanted = (body["issuer"], body["subject"])
    same = [r for r in rows if r.display_name == body["name"]
            or (r.properties.get("issuer"), r.properties.get("subject")) == wanted]  # fmt: skip
    if same:
        raise errors.conflict("FederatedIdentityCredential with the same name, or issuer and subject, already exists.")
    row = principals.Credential(
        id=str(uuid.uuid4()), owner_id=owner, kind="federated", display_name=str(body["name"]),
        start=transaction.now_text(), properties={name: body.get(name) for name in _MEMBERS},
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    call.change(after=_body(row))
    return query.entity(call, _what(call), _body(row), 201)


def update(transaction: Transaction, call: Call) -> Reply:
    """Change one."""
    row, body = _named(transaction, call), call.json()
    before = _body(row)
    row.properties = {**row.properties, **{name: body[name] for name in _MEMBERS if name in body}}
    call.change(before=before, after=_body(row))
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Remove one."""
    row = _named(transaction, call)
    call.change(before=_body(row))
    transaction.session.delete(row)
    return query.reply(call, None, 204)
