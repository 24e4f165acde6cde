"""The generic resource list: how az finds a registry by name (az-wire-contract.md section 0, row 8)."""

from __future__ import annotations

import re

from azext_trust.server.arm import bodies, errors, groups
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import registries, resources
from azext_trust.server.store.transaction import Transaction

_TERM = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


def _conditions(text: str) -> dict[str, str]:
    """Read ``a eq 'x' and b eq 'y'``.

    Raises:
        ServiceError: another form.
    """
    found: dict[str, str] = {}
    if not text.strip():
        return found
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        term = _TERM.fullmatch(part.strip("() "))
        if term is None or term[1].lower() not in ("resourcetype", "name", "resourcegroup", "location"):
            raise errors.bad_filter(text)
        found[term[1].lower()] = term[2].replace("''", "'").lower()
    return found


def in_subscription(transaction: Transaction, call: Call) -> Reply:
    """Return the resources of a subscription that the caller may read."""
    return _listed(transaction, call, None)


def in_group(transaction: Transaction, call: Call) -> Reply:
    """Return the resources of a group that the caller may read."""
    return _listed(transaction, call, groups.found(transaction, call).name)


def _listed(transaction: Transaction, call: Call, group: str | None) -> Reply:
    wanted = _conditions(call.query.get("$filter", ""))
    authoriser = Authoriser(transaction, call.caller)
    names = {row.name_key: row.name for row in resources.groups(transaction.session, call.params["subscription"])}
    value = []
    if wanted.get("resourcetype", bodies.TYPE.lower()) == bodies.TYPE.lower():
        for row in registries.in_subscription(transaction.session, call.params["subscription"], group):
            fits = (
                wanted.get("name", row.name_key) == row.name_key
                and wanted.get("resourcegroup", row.group_key) == row.group_key
                and wanted.get("location", row.location) == row.location
            )
            spelled = names.get(row.group_key, row.group_key)
            if fits and authoriser.allows(f"{bodies.TYPE}/read", bodies.registry_scope(row, spelled)):
                value.append(bodies.head(row, spelled))
    return bodies.reply(call, {"value": value})
