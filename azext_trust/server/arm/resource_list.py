"""The generic resource list: how az finds a resource by name (az-wire-contract.md section 0, row 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from azext_trust.server.arm import bodies, errors, filters, groups, paging
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import identities, registries, resources
from azext_trust.server.store.transaction import Transaction

_MEMBERS = frozenset({"resourcetype", "name", "resourcegroup", "location", "tagname", "tagvalue"})
_EXPANDED = ("createdTime", "changedTime", "provisioningState")


@dataclass(frozen=True)
class Listed:
    """A resource as lists and exports need it: what is shown, its type and group, and when it was made and changed."""

    shown: dict[str, object]
    kind: str
    group: str
    created: str
    changed: str

    def facts(self) -> dict[str, object]:
        """Return what a filter may ask about."""
        held = self.shown.get("tags")
        found: dict[str, object] = {
            "resourcetype": self.kind, "name": self.shown["name"], "resourcegroup": self.group,
            "location": self.shown["location"],
        }  # fmt: skip
        return found | (filters.tags(held) if isinstance(held, dict) else {})


def everything(transaction: Transaction, subscription: str, group: str | None = None) -> Iterator[Listed]:
    """Yield the resources of a subscription, or of one of its groups, by type and name."""
    session = transaction.session
    names = resources.group_names(session, subscription)
    for registry in registries.in_subscription(session, subscription, group):
        spelled = names.get(registry.group_key, registry.group_key)
        yield Listed(bodies.head(registry, spelled), bodies.TYPE, spelled, registry.created, registry.modified)
    for identity in identities.in_subscription(session, subscription, group):
        spelled = names.get(identity.group_key, identity.group_key)
        head = bodies.identity_head(identity, spelled)
        yield Listed(head, bodies.IDENTITY, spelled, identity.created, identity.modified)


def in_subscription(transaction: Transaction, call: Call) -> Reply:
    """Return the resources of a subscription that the caller may read."""
    return _listed(transaction, call, None)


def in_group(transaction: Transaction, call: Call) -> Reply:
    """Return the resources of a group that the caller may read."""
    return _listed(transaction, call, groups.found(transaction, call).name)


def _listed(transaction: Transaction, call: Call, group: str | None) -> Reply:
    test = filters.parse(call.query.get("$filter", ""), _MEMBERS)
    wanted = {part.strip().lower() for part in call.query.get("$expand", "").split(",") if part.strip()}
    if not wanted <= {name.lower() for name in _EXPANDED}:
        raise errors.bad_filter(call.query["$expand"])
    authoriser = Authoriser(transaction, call.caller)
    value = [
        {**one.shown, **_expanded(one, wanted)}
        for one in everything(transaction, call.params["subscription"], group)
        if test(one.facts()) and authoriser.allows(f"{one.kind}/read", str(one.shown["id"]))
    ]
    return paging.reply(call, value)


def _expanded(one: Listed, wanted: set[str]) -> dict[str, object]:
    held = {"createdTime": one.created, "changedTime": one.changed, "provisioningState": "Succeeded"}
    return {name: held[name] for name in _EXPANDED if name.lower() in wanted}
