"""The authorization endpoint: a sign-in page that hands out codes (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import tokens
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import clients, errors, pages, people
from azext_trust.server.sts.clients import Client
from azext_trust.server.sts.discovery import resolve
from azext_trust.server.sts.token import check_scope, scope_of

CODE_SECONDS = 600
_CARRIED = (
    "client_id", "response_type", "redirect_uri", "scope", "resource", "state", "response_mode", "code_challenge",
    "code_challenge_method", "nonce",
)  # fmt: skip
_MODES = ("query", "fragment", "form_post")
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Fields = Mapping[str, str]


def page(transaction: Transaction, call: Call) -> Reply:
    """Show the sign-in page, or what is wrong with the request."""
    fields = _carried(call.query)
    client, refused = _begin(transaction, call, fields)
    if refused is not None or client is None:
        return refused or pages.trouble(errors.refuse("malformed"), call)
    if call.query.get("prompt") == "none":
        return _hand_over(fields, _error(errors.refuse("silent"), call))
    return _form(call, fields, client, name=call.query.get("login_hint", ""))


def _carried(fields: Fields) -> dict[str, str]:
    return {name: fields[name] for name in _CARRIED if name in fields}


def _form(call: Call, fields: Fields, client: Client, *, problem: str = "", name: str = "", status: int = 200) -> Reply:
    text = f"to continue to {client.name}"
    shown = pages.Form(
        "Sign in", text, dict(fields), problem, name, leaves_to=clients.origin_of(fields["redirect_uri"])
    )
    return pages.sign_in(call, shown, status)


def _begin(transaction: Transaction, call: Call, fields: Fields) -> tuple[Client | None, Reply | None]:
    """Return the client, or the answer that refuses.

    Until client and address are known to belong together, nobody is sent anywhere (RFC 6749 section 4.1.2.1).
    """
    try:
        resolve(transaction, call.params["tenant"])
        client = _client(transaction, call, fields)
    except errors.SignInError as error:
        return None, pages.trouble(error, call)
    try:
        _check(transaction, call, fields, client)
    except errors.SignInError as error:
        return client, _hand_over(fields, _error(error, call))
    return client, None


def _client(transaction: Transaction, call: Call, fields: Fields) -> Client:
    if not fields.get("client_id"):
        raise errors.refuse("missing", parameter="client_id")
    client = clients.find(transaction, fields["client_id"])
    if not fields.get("redirect_uri"):
        raise errors.refuse("no_redirect")
    if not client.platform(fields["redirect_uri"], call.settings.origin):
        raise errors.refuse("wrong_redirect", address=fields["redirect_uri"], client=client.id)
    if fields.get("response_mode", "query") not in _MODES:
        raise errors.refuse("response_mode", value=fields["response_mode"])
    return client


def _check(transaction: Transaction, call: Call, fields: Fields, client: Client) -> None:
    if fields.get("response_type") != "code":
        raise errors.refuse("response_type", value=fields.get("response_type", ""))
    method, challenge = fields.get("code_challenge_method", "plain"), fields.get("code_challenge", "")
    if method not in ("S256", "plain") or ("code_challenge_method" in fields and not challenge):
        raise errors.refuse("bad_parameter", parameter="code_challenge_method")
    if challenge and not _CHALLENGE.fullmatch(challenge):
        raise errors.refuse("challenge_size")
    if client.platform(fields["redirect_uri"], call.settings.origin) == "spa" and method != "S256":
        raise errors.refuse("spa_needs_pkce")
    check_scope(transaction, call, scope_of(dict(fields)))


def sign_in(store: Store, call: Call) -> Reply:
    """Check the posted name and password and send a code to the application."""
    form = call.form()
    fields, name = _carried(form), form.get("username", "")
    with store.read() as transaction:
        client, refused = _begin(transaction, call, fields)
    if refused is not None or client is None:
        return refused or pages.trouble(errors.refuse("malformed"), call)
    if not pages.same_browser(call, form):
        return _form(call, fields, client, problem=pages.TOO_OLD, name=name, status=400)
    if "cancel" in form:
        return _hand_over(fields, _error(errors.refuse("declined"), call))
    try:
        user = people.check(store, call, name, form.get("password", ""), "browser")
        with store.write(moves="") as transaction:
            people.admit(transaction, user)
            code = _new_code(transaction, fields, client, user.id)
    except errors.SignInError as error:
        return _form(call, fields, client, problem=error.message, name=name)
    return _hand_over(fields, {"code": code})


def _new_code(transaction: Transaction, fields: Fields, client: Client, user_id: str) -> str:
    kept: dict[str, object] = {k: v for k, v in fields.items() if k not in ("state", "response_mode", "client_id")}
    kept["scope"] = scope_of(dict(fields))
    grant = tokens.Grant(digest="", kind="", family="", client_id=client.id, principal_id=user_id, expires="",
                         properties=kept)  # fmt: skip
    return minting.new_grant(transaction, "code", CODE_SECONDS, grant)


def _error(error: errors.SignInError, call: Call) -> dict[str, str]:
    """Return a refusal as an application receives it (RFC 6749 section 4.1.2.1)."""
    uri = f"{call.settings.origin}/error?code={error.number}"
    return {"error": error.code, "error_description": errors.described(error, call), "error_uri": uri}


def _hand_over(fields: Fields, answer: dict[str, str]) -> Reply:
    """Send an answer to the application in the response mode it asked for."""
    answer |= {"state": fields["state"]} if "state" in fields else {}
    address = fields["redirect_uri"]
    mode = fields.get("response_mode", "query")
    if mode == "form_post":
        return pages.post_back(address, answer, clients.origin_of(address))
    mark = "#" if mode == "fragment" else "&" if "?" in address else "?"
    headers = {
        "location": address + mark + urlencode(answer),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return Reply(None, 302, headers)


def signed_out(transaction: Transaction, call: Call) -> Reply:
    """Say that the sign-out is done: no session is kept here."""
    return pages.message("You signed out", "It's a good idea to close all browser windows.")


def explain(transaction: Transaction, call: Call) -> Reply:
    """Say what an AADSTS number means: what `error_uri` leads to."""
    code = call.query.get("code", "").removeprefix("AADSTS")
    text = errors.meaning(code) or "This cloud answers with no error of this number."
    return pages.message(f"AADSTS{code[:10]}" if code.isdigit() else "Errors", text)
