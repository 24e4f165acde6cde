"""Federated credentials of managed identities: tokens of another issuer in place of a secret."""

from __future__ import annotations

import re
import uuid

from azext_trust.server.arm import bodies, errors, identities, paging
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import principals
from azext_trust.server.store.identities import Identity
from azext_trust.server.store.principals import Credential
from azext_trust.server.store.transaction import Transaction

KIND = f"{bodies.IDENTITY}/federatedIdentityCredentials"
MOST = 20
_NAME = re.compile(r"[a-zA-Z0-9][\w-]{2,119}", re.ASCII)
_MEMBERS = ("issuer", "subject", "audiences")


def _rows(transaction: Transaction, identity: Identity) -> list[Credential]:
    rows = principals.credentials(transaction.session, [identity.principal_id], "federated")
    return sorted(rows, key=lambda row: str(row.display_name).lower())


def _named(rows: list[Credential], name: str) -> Credential | None:
    return next((row for row in rows if str(row.display_name).lower() == name.lower()), None)


def _body(row: Credential, identity: Identity, group: str) -> dict[str, object]:
    scope = bodies.identity_id(identity, group)
    return {
        "id": f"{scope}/federatedIdentityCredentials/{row.display_name}", "name": row.display_name, "type": KIND,
        "properties": dict(row.properties),
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return an identity's federated credentials by name."""
    identity, group = identities.found(transaction, call)
    return paging.reply(call, [_body(row, identity, group.name) for row in _rows(transaction, identity)])


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one federated credential."""
    identity, group = identities.found(transaction, call)
    row = _named(_rows(transaction, identity), call.params["name"])
    if row is None:
        raise errors.no_resource(KIND, f"{identity.name}/{call.params['name']}", group.name)
    return bodies.reply(call, _body(row, identity, group.name))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a federated credential, or replace it."""
    identity, group = identities.found(transaction, call)
    rows, name = _rows(transaction, identity), call.params["name"]
    properties = _asked(call)
    row = _named(rows, name)
    _check(rows, row, name, properties)
    before = dict(row.properties) if row else None
    if row is None:
        row = Credential(id=str(uuid.uuid4()), owner_id=identity.principal_id, kind="federated", display_name=name,
                         start=transaction.now_text())  # fmt: skip
        transaction.session.add(row)
    row.properties = properties
    transaction.session.flush()
    call.change(before=before, after=properties)
    answer = bodies.reply(call, _body(row, identity, group.name), 200 if before else 201)
    if not before:
        answer.headers["location"] = str(_body(row, identity, group.name)["id"])
    return answer


def _asked(call: Call) -> dict[str, object]:
    given = call.json().get("properties")
    asked = {name: given[name] for name in _MEMBERS if given.get(name)} if isinstance(given, dict) else {}
    missing = [name for name in _MEMBERS if name not in asked]
    if missing:
        raise errors.refuse("bad_federated", reason=f"The property '{missing[0]}' is required.")
    audiences = asked["audiences"]
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise errors.refuse("bad_federated", reason="A federated credential has exactly one audience.")
    return asked


def _check(rows: list[Credential], row: Credential | None, name: str, properties: dict[str, object]) -> None:
    pair = (properties["issuer"], properties["subject"])
    if any(one is not row and (one.properties.get("issuer"), one.properties.get("subject")) == pair for one in rows):
        raise errors.refuse("same_federated")
    if row is None and not _NAME.fullmatch(name):
        raise errors.refuse("bad_federated", reason=f"The name '{name}' has 3 to 120 letters, digits, '-' or '_'.")
    if row is None and len(rows) >= MOST:
        raise errors.refuse("bad_federated", reason=f"The identity has {MOST} federated credentials already.")


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a federated credential; one that is not there is 204."""
    identity, _ = identities.found(transaction, call)
    row = _named(_rows(transaction, identity), call.params["name"])
    if row is None:
        return bodies.reply(call, None, 204)
    call.change(before=dict(row.properties))
    transaction.session.delete(row)
    return bodies.reply(call, None)
