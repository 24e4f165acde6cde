"""Management locks at subscriptions, resource groups and resources (Microsoft.Authorization/locks, REST reference)."""

from __future__ import annotations

import re
import uuid

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors, existing
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import management_locks
from azext_trust.server.store.management_locks import ManagementLock
from azext_trust.server.store.transaction import Transaction

_LEVELS = {level.lower(): level for level in (management_locks.CAN_NOT_DELETE, management_locks.READ_ONLY)}
_KIND = "Microsoft.Authorization/locks"
_NAME = re.compile(r"[^<>%&:?/\x00-\x1f]{1,260}")
NOTES = 512
"""The most characters of a lock's notes."""


def _body(row: ManagementLock) -> dict[str, object]:
    properties: dict[str, object] = {"level": row.level}
    if row.notes is not None:
        properties["notes"] = row.notes
    if row.owners:
        properties["owners"] = row.owners
    return {
        "properties": properties, "id": f"{row.scope.rstrip('/')}/providers/{_KIND}/{row.name}", "type": _KIND,
        "name": row.name,
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the locks at a scope and below; with ``atScope()`` those of the scope alone."""
    key = scopes.key(call.params["scope"])
    existing.require(transaction, key)
    text = call.query.get("$filter", "").strip()
    if text and text.lower() != "atscope()":
        raise errors.bad_filter(text)
    session = transaction.session
    rows = management_locks.at(session, [key]) if text else management_locks.around(session, key)
    return bodies.reply(call, {"value": [_body(row) for row in rows]})


def _found(transaction: Transaction, call: Call) -> ManagementLock:
    row = management_locks.named(transaction.session, scopes.key(call.params["scope"]), call.params["name"])
    if row is None:
        existing.require(transaction, call.params["scope"])
        raise errors.refuse("no_lock", name=call.params["name"])
    return row


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one lock."""
    return bodies.reply(call, _body(_found(transaction, call)))


def put(transaction: Transaction, call: Call) -> Reply:
    """Lock a scope, or change a lock's level and notes."""
    name, scope = call.params["name"], scopes.canonical(call.params["scope"])
    existing.require(transaction, scope)
    level, notes, owners = _asked(call)
    if not _NAME.fullmatch(name):
        raise errors.refuse("bad_lock", reason=f"The lock name '{name}' is not valid: it has 1 to 260 characters, "
                            "none of them <, >, %, &, :, ? or /.")  # fmt: skip
    row = management_locks.named(transaction.session, scopes.key(scope), name)
    before = _body(row) if row else None
    if row is None:
        row = ManagementLock(
            id=str(uuid.uuid4()), scope=scope, scope_key=scopes.key(scope), name=name, name_key=name.lower(),
            level=level, created=transaction.now_text(), created_by=call.caller.name,
        )  # fmt: skip
        transaction.session.add(row)
    row.level, row.notes, row.owners = level, notes, owners
    transaction.session.flush()
    call.change(before=before, after=_body(row))
    return bodies.reply(call, _body(row), 200 if before else 201)


def _asked(call: Call) -> tuple[str, str | None, list[dict[str, str]]]:
    given = call.json().get("properties")
    if not isinstance(given, dict):
        raise errors.invalid_content("The required property 'properties' was not found in the request.")
    level = _LEVELS.get(str(given.get("level")).lower())
    if level is None:
        raise errors.refuse("bad_lock_level", level=given.get("level"))
    notes = given.get("notes")
    if notes is not None and (not isinstance(notes, str) or len(notes) > NOTES):
        raise errors.refuse("bad_lock", reason=f"The notes of a lock are a text of at most {NOTES} characters.")
    owners = given.get("owners") or []
    if not isinstance(owners, list) or not all(isinstance(owner, dict) for owner in owners):
        raise errors.invalid_content("The property 'owners' must be a list of objects.")
    return level, notes, [{"applicationId": str(owner.get("applicationId"))} for owner in owners]


def delete(transaction: Transaction, call: Call) -> Reply:
    """Remove a lock; one that is not there is 204."""
    row = management_locks.named(transaction.session, scopes.key(call.params["scope"]), call.params["name"])
    if row is None:
        return bodies.reply(call, None, 204)
    call.change(before=_body(row))
    transaction.session.delete(row)
    return bodies.reply(call, None)
