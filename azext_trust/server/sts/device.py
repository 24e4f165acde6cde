"""The device code flow (RFC 8628): a code for the terminal, a page for the person."""

from __future__ import annotations

import secrets

from sqlmodel import select

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import tokens
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import credentials, errors, pages
from azext_trust.server.sts.discovery import resolve
from azext_trust.server.sts.token import record_refusal, scope_of

SECONDS = 900
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowels and no look-alikes, as RFC 8628 section 6.1 advises."""


def begin(store: Store, call: Call) -> Reply:
    """Hand out a device code and the user code to type."""
    form = call.form()
    if not form.get("client_id"):
        raise errors.missing("client_id")
    user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
    with store.write() as transaction:
        resolve(transaction, call.params["tenant"])
        credentials.client_known(transaction, form["client_id"])
        resource = minting.resource_of(scope_of(form), call.settings)
        if not minting.known_resource(transaction, call.settings, resource):
            raise errors.no_such_resource(resource, minting.tenant_name(transaction))
        grant = tokens.Grant(
            digest="", kind="", family="", client_id=form["client_id"].lower(), user_code=user_code, expires="",
            properties={"scope": scope_of(form)},
        )  # fmt: skip
        code = minting.new_grant(transaction, "device", SECONDS, grant)
        transaction.record(
            Activity("Microsoft.aadiam/deviceCode", "/", "Allowed", "anonymous", call.correlation_id,
                     {"client": form["client_id"]})
        )  # fmt: skip
    where = f"{call.settings.origin}/common/oauth2/deviceauth"
    text = f"To sign in, use a web browser to open the page {where} and enter the code {user_code} to authenticate."
    return Reply(
        {
            "user_code": user_code, "device_code": code, "verification_uri": where, "expires_in": SECONDS,
            "interval": 5, "message": text,
        },
        headers=dict(errors.HEADERS),
    )  # fmt: skip


def _code_input(value: str) -> str:
    from html import escape

    return (
        '<label for="c">Code shown on your device</label>'
        f'<input id="c" name="user_code" value="{escape(value)}" autocomplete="off" required>'
    )


def page(transaction: Transaction, call: Call) -> Reply:
    """Ask for the code and for the person."""
    resolve(transaction, call.params["tenant"])
    return pages.sign_in("Enter code", {}, extra=_code_input(call.query.get("user_code", "")))


def confirm(store: Store, call: Call) -> Reply:
    """Bind a device code to the person who signs in here."""
    form = call.form()
    name, user_code = form.get("username", ""), form.get("user_code", "").strip().upper()
    extra = _code_input(user_code)
    if not pages.same_browser(call, form):
        return pages.sign_in(
            "Enter code", {}, extra=extra, problem="The page was too old. Please try again.", status=400
        )
    try:
        with store.read() as transaction:
            user = credentials.user(transaction, name, form.get("password", ""))
    except errors.SignInError as error:
        record_refusal(store, call, name, "device code", error)
        return pages.sign_in("Enter code", {}, extra=extra, problem=error.message, name=name)
    with store.write() as transaction:
        row = transaction.session.exec(select(tokens.Grant).where(tokens.Grant.user_code == user_code)).first()
        if row is None or row.spent or row.principal_id or row.expires <= transaction.now_text():
            return pages.sign_in(
                "Enter code", {}, extra=extra, name=name,
                problem="That code didn't work. Check the code and try again.",
            )  # fmt: skip
        row.principal_id = user.id
    return pages.message("You're signed in", "You may now close this window.")
