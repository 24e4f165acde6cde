"""A registry's policies, compared one by one: what a body repeats unchanged is no change (M1 to M5)."""

from __future__ import annotations

from collections.abc import Callable

from azext_trust.server.arm import errors
from azext_trust.server.gate.call import Call
from azext_trust.server.store import registries, trust
from azext_trust.server.store.transaction import Transaction

_STATUS = ("enabled", "disabled")
_DAYS = {"retentionPolicy": ("days", 0, 365), "softDeletePolicy": ("retentionDays", 1, 90)}
_PREMIUM_ONLY = {"quarantinePolicy": "enabled", "retentionPolicy": "enabled", "exportPolicy": "disabled"}
"""A status that only Premium may have (acr-content-trust-facts.md section 7)."""


def apply(transaction: Transaction, call: Call, row: registries.Registry, wanted: dict[str, object], sku: str) -> None:
    """Bring a body's policies into a registry.

    Args:
        transaction: a writing one; disabling content trust erases within it.
        call: receives what was lost, for the activity entry.
        row: the registry.
        wanted: the body's ``policies``; those it lacks stay as they are.
        sku: the SKU the registry will have.

    Raises:
        ServiceError: a value that is not offered, a feature the SKU lacks, trust that is retired.
    """
    for name in wanted:
        if name not in row.policies and name != "trustPolicy":
            raise errors.invalid_content(f"Could not find member '{name}' on object of type 'Policies'.")
    if isinstance(wanted.get("trustPolicy"), dict):
        _trust(transaction, call, row, dict(wanted["trustPolicy"]), sku)  # type: ignore[call-overload]  # just checked
    kept = {name: dict(policy) for name, policy in row.policies.items()}
    for name, policy in kept.items():
        given = wanted.get(name)
        if isinstance(given, dict):
            _merge(name, policy, given, transaction.now_text)
        if sku != "Premium" and policy["status"] == _PREMIUM_ONLY.get(name):
            if isinstance(given, dict) and given.get("status"):
                raise errors.sku_not_supported(sku)
            # Leaving Premium switches what only Premium has off.
            policy["status"] = "enabled" if policy["status"] == "disabled" else "disabled"
    row.policies = kept


def _status(name: str, given: dict[str, object]) -> str | None:
    value = given.get("status")
    if value is None:
        return None
    if str(value).lower() not in _STATUS:
        raise errors.bad_policy(name, "status", value, ", ".join(_STATUS))
    return str(value).lower()


def _merge(name: str, policy: dict[str, object], given: dict[str, object], now: Callable[[], str]) -> None:
    before = dict(policy)
    policy["status"] = _status(name, given) or policy["status"]
    if name in _DAYS:
        member, least, most = _DAYS[name]
        value = given.get(member, policy[member])
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise errors.bad_policy(name, member, value, f"{least} to {most}")
        policy[member] = value
        if policy != before:
            policy["lastUpdatedTime"] = now()


def _trust(transaction: Transaction, call: Call, row: registries.Registry, given: dict[str, object], sku: str) -> None:
    if str(given.get("type", "Notary")) != "Notary":
        raise errors.bad_policy("trustPolicy", "type", given["type"], "Notary")
    wanted = _status("trustPolicy", given)
    position = transaction.retirement()
    # Compared with what is shown: in 2028 a repeated "disabled" erases nothing of what is kept unseen.
    shown = "enabled" if registries.trust_in_force(row, position) else "disabled"
    if wanted == "disabled":
        trust.finish_erasing(transaction)
    if wanted is None or wanted == shown:
        return
    if wanted == "enabled":
        _enable(row, position, sku)
        return
    lost = trust.erase(transaction, row)
    row.trust_enabled = False
    if position != "off":
        row.trust_enabled_before_retirement = False
    call.details["erased"] = {"repositories": lost.repositories, "signedTags": lost.signed_tags}


def _enable(row: registries.Registry, position: str, sku: str) -> None:
    if position == "2028" or (position == "2026" and not row.trust_enabled_before_retirement):
        raise errors.trust_retired()
    if sku != "Premium":
        raise errors.sku_not_supported(sku)
    row.trust_enabled = True
    if position == "off":
        row.trust_enabled_before_retirement = True
