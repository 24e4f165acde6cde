"""The admin account's two passwords, and a registry's usage against its SKU's limits."""

from __future__ import annotations

import json
import secrets
import string

from azext_trust.server.arm import bodies, errors, registries
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import blobs, scope_maps
from azext_trust.server.store import registries as rows
from azext_trust.server.store.transaction import Transaction

_ALPHABET = string.ascii_letters + string.digits + "+/"
_NAMES = ("password", "password2")


def new_password() -> str:
    """Return a random password of the service's shape: 52 letters, digits, plus and slash."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(52))


def _passwords(transaction: Transaction, row: rows.Registry) -> dict[str, str]:
    """Return the two passwords, made when first asked for. They are shown again, so they are encrypted, not hashed."""
    if not row.admin_sealed:
        _keep(transaction, row, {name: new_password() for name in _NAMES})
    plain: dict[str, str] = json.loads(transaction.vault.decrypt(row.admin_sealed, f"admin:{row.id}"))
    return plain


def _keep(transaction: Transaction, row: rows.Registry, passwords: dict[str, str]) -> None:
    row.admin_sealed = transaction.vault.encrypt(json.dumps(passwords).encode(), f"admin:{row.id}")


def _enabled(transaction: Transaction, call: Call) -> rows.Registry:
    row, _ = registries.found(transaction, call)
    if not row.admin_enabled:
        raise errors.admin_disabled(row.name)
    return row


def _answer(call: Call, row: rows.Registry, passwords: dict[str, str]) -> Reply:
    value = [{"name": name, "value": passwords[name]} for name in _NAMES]
    return bodies.reply(call, {"username": row.name, "passwords": value})


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the admin account's name and passwords."""
    row = _enabled(transaction, call)
    return _answer(call, row, _passwords(transaction, row))


def regenerate(transaction: Transaction, call: Call) -> Reply:
    """Make one of the two passwords anew; the other stays."""
    row = _enabled(transaction, call)
    name = str(call.json().get("name", ""))
    if name not in _NAMES:
        raise errors.bad_policy("regenerateCredential", "name", name, ", ".join(_NAMES))
    passwords = _passwords(transaction, row) | {name: new_password()}
    _keep(transaction, row, passwords)
    call.change(after={"regenerated": name})
    return _answer(call, row, passwords)


_GIB = 1024**3
LIMITS: dict[str, dict[str, int]] = {
    "Basic": {"Size": 10 * _GIB, "Webhooks": 2, "Geo-replications": -1, "IPRules": 0, "VNetRules": 0,
              "PrivateEndpointConnections": 0, "ScopeMaps": 100, "Tokens": 100},
    "Standard": {"Size": 100 * _GIB, "Webhooks": 10, "Geo-replications": -1, "IPRules": 0, "VNetRules": 0,
                 "PrivateEndpointConnections": 0, "ScopeMaps": 500, "Tokens": 500},
    "Premium": {"Size": 500 * _GIB, "Webhooks": 500, "Geo-replications": -1, "IPRules": 100, "VNetRules": 100,
                "PrivateEndpointConnections": 200, "ScopeMaps": 50000, "Tokens": 50000},
}  # fmt: skip
"""Included storage and limits of each SKU (acr-content-trust-facts.md section 7)."""


def usages(transaction: Transaction, call: Call) -> Reply:
    """Return usage against the SKU's limits; what cannot be used here stands at zero."""
    row, _ = registries.found(transaction, call)
    maps, held = scope_maps.counts(transaction.session, row.id)
    used = {"Size": blobs.usage(transaction.session, row.id), "ScopeMaps": maps, "Tokens": held}
    value = [
        {"name": name, "limit": limit, "currentValue": used.get(name, 0),
         "unit": "Bytes" if name == "Size" else "Count"}
        for name, limit in LIMITS[row.sku].items()
    ]  # fmt: skip
    return bodies.reply(call, {"value": value})
