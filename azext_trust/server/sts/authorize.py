"""The authorization endpoint: a sign-in page that hands out codes (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import principals, tokens
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import credentials, errors, pages
from azext_trust.server.sts.discovery import resolve
from azext_trust.server.sts.token import record_refusal

CODE_SECONDS = 600
_CARRIED = (
    "client_id", "response_type", "redirect_uri", "scope", "state", "response_mode", "code_challenge",
    "code_challenge_method", "nonce",
)  # fmt: skip


def page(transaction: Transaction, call: Call) -> Reply:
    """Show the sign-in page, or what is wrong with the request."""
    try:
        _check(transaction, call, call.query)
    except errors.SignInError as error:
        return pages.message("Sorry, but we're having trouble signing you in.", error.message, error.status)
    return pages.sign_in("Sign in", _carried(call.query), name=call.query.get("login_hint", ""))


def _carried(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields[name] for name in _CARRIED if name in fields}


def _check(transaction: Transaction, call: Call, fields: Mapping[str, str]) -> None:
    resolve(transaction, call.params["tenant"])
    for name in ("client_id", "redirect_uri"):
        if not fields.get(name):
            raise errors.missing(name)
    if fields.get("response_type", "code") != "code":
        raise errors.SignInError(400, "unsupported_response_type", 700054, "Only the response type 'code' is enabled.")
    if fields.get("code_challenge") and fields.get("code_challenge_method") != "S256":
        raise errors.SignInError(400, "invalid_request", 9002313, "Only the code challenge method 'S256' is offered.")
    credentials.client_known(transaction, fields["client_id"])
    if not _registered(transaction, call, fields["client_id"], fields["redirect_uri"]):
        raise errors.wrong_redirect(fields["redirect_uri"], fields["client_id"])
    scope = fields.get("scope", "")
    resource = minting.resource_of(scope, call.settings)
    if not minting.known_resource(transaction, call.settings, resource):
        raise errors.no_such_resource(resource, minting.tenant_name(transaction))


def _registered(transaction: Transaction, call: Call, client_id: str, address: str) -> bool:
    """Tell whether codes may be sent there: loopback for native clients (RFC 8252 section 7.3), else as registered."""
    if client_id.lower() == credentials.PORTAL:
        return address == call.settings.origin + credentials.PORTAL_REDIRECT
    parts = urlsplit(address)
    application = principals.application_by_app_id(transaction.session, client_id)
    if parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return True
    held: set[str] = set()
    for part in ("web", "spa", "publicClient"):
        found = application.properties.get(part) if application else None
        addresses = found.get("redirectUris") if isinstance(found, dict) else None
        held.update(addresses if isinstance(addresses, list) else ())
    return address in held


def sign_in(store: Store, call: Call) -> Reply:
    """Check the posted name and password and send a code to the application."""
    form = call.form()
    try:
        with store.read() as transaction:
            _check(transaction, call, form)
    except errors.SignInError as error:
        return pages.message("Sorry, but we're having trouble signing you in.", error.message, error.status)
    if not pages.same_browser(call, form):
        return pages.sign_in(
            "Sign in", _carried(form), problem="The page was too old. Please sign in again.", status=400
        )
    try:
        with store.read() as transaction:
            user = credentials.user(transaction, form.get("username", ""), form.get("password", ""))
    except errors.SignInError as error:
        record_refusal(store, call, form.get("username", ""), "browser", error)
        return pages.sign_in("Sign in", _carried(form), problem=error.message, name=form.get("username", ""))
    with store.write() as transaction:
        grant = tokens.Grant(
            digest="", kind="", family="", client_id=form["client_id"].lower(), principal_id=user.id, expires="",
            properties=dict(_carried(form)),
        )  # fmt: skip
        code = minting.new_grant(transaction, "code", CODE_SECONDS, grant)
    return _hand_over(form, code)


def _hand_over(form: Mapping[str, str], code: str) -> Reply:
    fields = {"code": code, **({"state": form["state"]} if "state" in form else {})}
    address = form["redirect_uri"]
    mode = form.get("response_mode", "query")
    if mode == "form_post":
        return pages.post_back(address, fields)
    mark = "#" if mode == "fragment" else "&" if "?" in address else "?"
    return Reply(None, 302, {"location": address + mark + urlencode(fields), "cache-control": "no-store"})


def signed_out(transaction: Transaction, call: Call) -> Reply:
    """Say that the sign-out is done: no session is kept here."""
    return pages.message("You signed out", "It's a good idea to close all browser windows.")
