"""The device code flow (RFC 8628): a code for the terminal, a page for the person."""

from __future__ import annotations

import secrets
from html import escape

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import tokens
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import clients, errors, pages, people
from azext_trust.server.sts.discovery import resolve
from azext_trust.server.sts.token import check_scope, scope_of

SECONDS = 900
INTERVAL = 5
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowels and no look-alikes, as RFC 8628 section 6.1 advises."""
_WRONG = "That code didn't work. Check the code and try again."


def begin(store: Store, call: Call) -> Reply:
    """Hand out a device code and the user code to type."""
    form = call.form()
    if not form.get("client_id"):
        raise errors.refuse("missing", parameter="client_id")
    user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
    with store.write(moves="") as transaction:
        resolve(transaction, call.params["tenant"])
        client = clients.find(transaction, form["client_id"])
        check_scope(transaction, call, scope_of(form))
        grant = tokens.Grant(
            digest="", kind="", family="", client_id=client.id, user_code=user_code, expires="",
            properties={"scope": scope_of(form), "claims": form.get("claims", "")[:1024]},
        )  # fmt: skip
        code = minting.new_grant(transaction, "device", SECONDS, grant)
        transaction.record(
            Activity("Microsoft.aadiam/deviceCode", "/", "Allowed", "anonymous", call.correlation_id,
                     {"client": client.id})
        )  # fmt: skip
    where = f"{call.settings.origin}/common/oauth2/deviceauth"
    text = f"To sign in, use a web browser to open the page {where} and enter the code {user_code} to authenticate."
    return Reply(
        {
            "user_code": user_code, "device_code": code, "verification_uri": where, "expires_in": SECONDS,
            "interval": INTERVAL, "message": text,
        },
        headers=dict(errors.HEADERS),
    )  # fmt: skip


def page(transaction: Transaction, call: Call) -> Reply:
    """Ask for the code and for the person."""
    resolve(transaction, call.params["tenant"])
    return _form(transaction, call, _typed(call.query.get("user_code", call.query.get("otc", ""))))


def _typed(text: str) -> str:
    return text.strip().upper()[:20]


def _waiting(transaction: Transaction, user_code: str) -> tokens.Grant | None:
    """Return the device code that a user code is for, while it waits for a person."""
    row = tokens.by_user_code(transaction.session, user_code)
    if row is None or row.spent or row.principal_id or row.expires <= transaction.now_text():
        return None
    return row


def _form(transaction: Transaction, call: Call, user_code: str, problem: str = "", name: str = "") -> Reply:
    """Return the page; once it knows the code it says which application would be signed in, before anybody is."""
    row = _waiting(transaction, user_code)
    text = "Enter the code that is shown on your other device."
    if row is not None:
        client = clients.find(transaction, row.client_id)
        text = f"You are signing in to {client.name} on another device. Go on only if you started this there."
    extra = (
        '<label for="c">Code</label>'
        f'<input id="c" name="user_code" value="{escape(user_code)}" autocomplete="off" required>'
    )
    form = pages.Form("Enter code", text, problem=problem, name=name, extra=extra)
    return pages.sign_in(call, form, 400 if problem == pages.TOO_OLD else 200)


def confirm(store: Store, call: Call) -> Reply:
    """Bind a device code to the person who signs in here, or end it where the person declines."""
    form = call.form()
    name, user_code = form.get("username", ""), _typed(form.get("user_code", ""))
    try:
        if not pages.same_browser(call, form):
            problem = pages.TOO_OLD
        elif "cancel" in form:
            return _decline(store, call, user_code)
        else:
            user = people.check(store, call, name, form.get("password", ""), "device code")
            with store.write(moves="") as transaction:
                people.admit(transaction, user)
                row = _waiting(transaction, user_code)
                if row is not None:
                    row.principal_id = user.id
                    return pages.message("You're signed in", "You may now close this window.")
            problem = _WRONG
    except errors.SignInError as error:
        problem = error.message
    with store.read() as transaction:
        return _form(transaction, call, user_code, problem, name)


def _decline(store: Store, call: Call, user_code: str) -> Reply:
    with store.write(moves="") as transaction:
        row = _waiting(transaction, user_code)
        if row is not None:
            row.spent = tokens.ENDED
    return pages.message("You cancelled the sign-in", "You may now close this window.")
