"""What OpenID Connect clients ask about the signed-in user (OpenID Connect Core 1.0 section 5.3)."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.sts import errors


def show(transaction: Transaction, call: Call) -> Reply:
    """Return the caller's names, as Graph's ``/oidc/userinfo``."""
    user = principals.by_id(transaction.session, call.caller.id)
    if user is None or user.kind != principals.USER:
        raise errors.refuse("bad_assertion")
    body: dict[str, object] = {"sub": call.caller.claims.get("sub"), "name": user.display_name}
    for claim, name in (("given_name", "givenName"), ("family_name", "surname"), ("email", "mail")):
        if user.properties.get(name):
            body[claim] = user.properties[name]
    return Reply(body, headers=dict(errors.HEADERS))
