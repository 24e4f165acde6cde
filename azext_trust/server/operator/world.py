"""Clock, retirement switch, what would be lost, and the embedded sign-in."""

from __future__ import annotations

from datetime import timedelta

from azext_trust.names import scopes
from azext_trust.server.gate import minting
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import authorization, facts, options, principals, registries, resources
from azext_trust.server.store import clock as clocks
from azext_trust.server.store import trust as trust_store
from azext_trust.server.store.transaction import Transaction

POSITIONS = ("off", "2026", "2028")
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def status(transaction: Transaction, call: Call) -> Reply:
    """Return tenant, retirement position, clock and revision."""
    return Reply(
        {
            "tenantId": transaction.tenant_id(),
            "domain": facts.get(transaction.session, facts.TENANT_DOMAIN),
            "retirement": transaction.retirement(),
            "now": transaction.now_text(),
            "revision": transaction.revision(),
        }
    )


def retirement(transaction: Transaction, call: Call) -> Reply:
    """Return the retirement switch's position (M5)."""
    return Reply({"position": transaction.retirement()})


def set_retirement(transaction: Transaction, call: Call) -> Reply:
    """Move the retirement switch: ``{"position": "off"|"2026"|"2028"}``. Nothing is deleted by it."""
    position = str(call.json().get("position", ""))
    if position not in POSITIONS:
        raise errors.bad_value("position", f"The position '{position}' is not one of {', '.join(POSITIONS)}.")
    before = transaction.retirement()
    move_retirement(transaction, position)
    call.change(before=before, after=position)
    return Reply({"position": position})


def move_retirement(transaction: Transaction, position: str) -> None:
    """Set the switch's position, for the operation above and for ``serve --retirement``."""
    facts.put(transaction.session, facts.RETIREMENT, position)


def shown_options(transaction: Transaction, call: Call) -> Reply:
    """Return how this cloud behaves where the real one can behave in more than one way."""
    return Reply(options.shown(options.get(transaction.session)))


def set_options(transaction: Transaction, call: Call) -> Reply:
    """Change some of the options: ``{"requestsPerMinute": 1200}``."""
    before = options.get(transaction.session)
    try:
        after = options.changed(before, call.json())
    except options.OptionError as error:
        raise errors.bad_value("options", str(error)) from None
    options.put(transaction.session, after)
    call.change(before=options.shown(before), after=options.shown(after))
    return Reply(options.shown(after))


def clock(transaction: Transaction, call: Call) -> Reply:
    """Return the cloud's present, how far it is ahead of the machine, and whether it stands still."""
    return Reply(
        {
            "now": transaction.now_text(),
            "offsetSeconds": float(facts.get(transaction.session, facts.CLOCK_OFFSET, "0")),
            "frozenAt": facts.get(transaction.session, facts.CLOCK_FROZEN) or None,
        }
    )


def set_clock(transaction: Transaction, call: Call) -> Reply:
    """Move the clock: ``{"offsetSeconds": n}``, ``{"advanceSeconds": n}``, ``{"frozenAt": time|null}``."""
    body = call.json()
    unknown = body.keys() - {"offsetSeconds", "advanceSeconds", "frozenAt"}
    if unknown or not body:
        raise errors.bad_value("clock", "The clock takes offsetSeconds, advanceSeconds and frozenAt.")
    before = transaction.now_text()
    try:
        _set(transaction, body)
        now = transaction.now()
    except (ValueError, OverflowError) as error:
        raise errors.bad_value("clock", f"The clock cannot be set so: {error}.") from None
    if now.year not in _YEARS:
        raise errors.bad_value("clock", f"The clock goes from the year {_YEARS[0]} to {_YEARS[-1]}.")
    call.change(before=before, after=clocks.to_text(now))
    return clock(transaction, call)


_YEARS = range(1970, 9000)
"""Tokens count seconds from 1970, and what is issued must end before year 10000."""


def _set(transaction: Transaction, body: dict[str, object]) -> None:
    session = transaction.session
    if "offsetSeconds" in body:
        facts.put(session, facts.CLOCK_OFFSET, str(float(str(body["offsetSeconds"]))))
    if "frozenAt" in body:
        frozen = body["frozenAt"]
        text = "" if frozen is None else clocks.to_text(clocks.from_iso(str(frozen)))
        facts.put(session, facts.CLOCK_FROZEN, text)
    if "advanceSeconds" in body:
        _advance(transaction, float(str(body["advanceSeconds"])))


def _advance(transaction: Transaction, seconds: float) -> None:
    session = transaction.session
    frozen = facts.get(session, facts.CLOCK_FROZEN)
    if frozen:
        facts.put(session, facts.CLOCK_FROZEN, clocks.to_text(clocks.from_text(frozen) + timedelta(seconds=seconds)))
    else:
        offset = float(facts.get(session, facts.CLOCK_OFFSET, "0"))
        facts.put(session, facts.CLOCK_OFFSET, str(offset + seconds))


def loss(transaction: Transaction, call: Call) -> Reply:
    """Return what disabling content trust on ``?registry=<resource id>`` would destroy (M4)."""
    scope = scopes.canonical(call.query.get("registry", ""))
    Authoriser(transaction, call.caller).require("Microsoft.ContainerRegistry/registries/read", scope)
    registry = registries.by_scope(transaction.session, scopes.key(scope))
    if registry is None:
        raise errors.no_such_registry(scope)
    lost = trust_store.loss(transaction.session, registry)
    return Reply({"repositories": lost.repositories, "signedTags": lost.signed_tags})


def sign_in(transaction: Transaction, call: Call) -> Reply:
    """Sign in as the first user of the seed who is Owner of the subscription: this person holds the files anyway.

    Body: ``{"scope": "..."}``, optional. The answer is the token service's, with ``upn`` and ``tenantId``.
    """
    owner = _first_owner(transaction)
    if owner is None:
        raise errors.bad_value("user", "No enabled user is Owner of a subscription: sign in with a user name.")
    scope = str(call.json().get("scope") or "https://management.core.windows.net//.default openid offline_access")
    issued = minting.user_tokens(transaction, call.settings, owner, AZURE_CLI, scope)
    call.change(after={"user": owner.upn})
    return Reply({**issued, "upn": owner.upn, "tenantId": transaction.tenant_id()})


def _first_owner(transaction: Transaction) -> principals.DirectoryObject | None:
    session = transaction.session
    keys = [f"/subscriptions/{row.id}" for row in resources.subscriptions(session)]
    # The seed writes its owners one after the other: the oldest assignment is the first user of the seed.
    for row in authorization.assignments_with_role(session, OWNER, keys):
        found = principals.by_id(session, row.principal_id)
        if found is not None and found.kind == principals.USER and found.enabled:
            return found
    return None
