"""The token endpoint: one function for each grant type (RFC 6749 section 4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

from sqlmodel import col, update

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import clock, principals, tokens
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import credentials, errors
from azext_trust.server.sts.discovery import resolve

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRACE_SECONDS = 60
"""A spent refresh token still works this long: two processes of one client may use it at once."""


def issue(store: Store, call: Call) -> Reply:
    """Answer a token request; each outcome is in the activity log."""
    form = call.form()
    _basic(call, form)
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            raise errors.missing(name)
    grant = _GRANTS.get(form["grant_type"])
    if grant is None:
        raise errors.unsupported_grant(form["grant_type"])
    try:
        with store.read() as transaction:
            resolve(transaction, call.params["tenant"])
            _check_resource(transaction, call, form)
        return Reply(grant(store, call, form), headers={**errors.HEADERS, "x-ms-request-id": call.request_id})
    except errors.SignInError as error:
        if error.code != "authorization_pending":
            record_refusal(store, call, form.get("username") or form["client_id"], form["grant_type"], error)
        raise


def _basic(call: Call, form: dict[str, str]) -> None:
    """Take client id and secret from Basic authentication (RFC 6749 section 2.3.1) when the form lacks them."""
    from urllib.parse import unquote_plus

    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and not form.get("client_id"):
        try:
            client, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return
        form |= {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}


def record_refusal(store: Store, call: Call, name: str, way: str, error: errors.SignInError) -> None:
    """Write a refused sign-in down."""
    details: dict[str, object] = {"callerName": name, "way": way, "reason": error.message, "number": error.number}
    with store.write() as transaction:
        transaction.record(
            Activity("Microsoft.aadiam/signIn", "/", "Denied", "anonymous", call.correlation_id, details)
        )


def _record(transaction: Transaction, call: Call, principal: principals.DirectoryObject, way: str, client: str) -> None:
    name = principal.upn or principal.app_id or principal.id
    details: dict[str, object] = {"callerName": name, "way": way, "client": client}
    transaction.record(Activity("Microsoft.aadiam/signIn", "/", "Allowed", principal.id, call.correlation_id, details))


def scope_of(form: dict[str, str]) -> str:
    """Return the scopes asked for; the older endpoint names a resource instead."""
    return form.get("scope") or (f"{form['resource']}/.default" if form.get("resource") else "")


def _check_resource(transaction: Transaction, call: Call, form: dict[str, str]) -> None:
    scope = scope_of(form)
    resource = minting.resource_of(scope, call.settings)
    if scope and not minting.known_resource(transaction, call.settings, resource):
        raise errors.no_such_resource(resource, minting.tenant_name(transaction))


Form = dict[str, str]


def _password(store: Store, call: Call, form: Form) -> dict[str, object]:
    for name in ("username", "password"):
        if not form.get(name):
            raise errors.missing(name)
    with store.read() as transaction:  # hashing takes long: not while others wait to write
        credentials.client_known(transaction, form["client_id"])
        user = credentials.user(transaction, form["username"], form["password"])
    with store.write() as transaction:
        _record(transaction, call, user, "password", form["client_id"])
        return minting.user_tokens(transaction, call.settings, user, form["client_id"], scope_of(form))


def _client(store: Store, call: Call, form: Form) -> dict[str, object]:
    with store.read() as transaction:
        principal = credentials.application(transaction, call, form)
    with store.write() as transaction:
        way = "assertion" if form.get("client_assertion") else "secret"
        _record(transaction, call, principal, way, form["client_id"])
        resource = minting.resource_of(scope_of(form), call.settings)
        client = form["client_id"].lower()
        return {
            "token_type": "Bearer",
            "expires_in": minting.ACCESS_SECONDS,
            "ext_expires_in": minting.ACCESS_SECONDS,
            "access_token": minting.access_token(transaction, call.settings, principal, client, resource),
        }


def _refresh(store: Store, call: Call, form: Form) -> dict[str, object]:
    if not form.get("refresh_token"):
        raise errors.missing("refresh_token")
    ended = ""
    with store.write() as transaction:
        row = transaction.session.get(tokens.Grant, minting.digest(form["refresh_token"]))
        issued = str(row.properties.get("issued", "")) if row else ""
        user = _holder(transaction, row, "refresh", form["client_id"])
        if row is None or user is None:
            ended = issued or "-"
        elif row.spent and _long_spent(transaction, row):
            # Somebody uses a token that was replaced long ago: the whole sign-in is ended (RFC 9700 section 4.14.2).
            _end_family(transaction, row.family)
            ended = issued
        else:
            row.spent = row.spent or transaction.now_text()
            _record(transaction, call, user, "refresh", form["client_id"])
            return minting.user_tokens(
                transaction, call.settings, user, row.client_id, scope_of(form), family=row.family
            )
    raise errors.dead_refresh_token(ended.strip("-"))


def _holder(
    transaction: Transaction, row: tokens.Grant | None, kind: str, client_id: str
) -> principals.DirectoryObject | None:
    """Return the user behind a grant that is in force for this client."""
    if row is None or row.kind != kind or row.expires <= transaction.now_text() or row.spent == "ended":
        return None
    if row.client_id.lower() != client_id.lower() or row.principal_id is None:
        return None
    user = principals.by_id(transaction.session, row.principal_id)
    if user is not None and not user.enabled:
        raise errors.disabled_user()
    return user


def _long_spent(transaction: Transaction, row: tokens.Grant) -> bool:
    return clock.from_text(row.spent) + timedelta(seconds=GRACE_SECONDS) < transaction.now()


def _end_family(transaction: Transaction, family: str) -> None:
    transaction.session.exec(update(tokens.Grant).where(col(tokens.Grant.family) == family).values(spent="ended"))


def _code(store: Store, call: Call, form: Form) -> dict[str, object]:
    if not form.get("code"):
        raise errors.missing("code")
    with store.write() as transaction:
        row = transaction.session.get(tokens.Grant, minting.digest(form["code"]))
        spent = row is not None and row.spent != ""
        if row is not None and spent:
            _end_family(transaction, row.family)
        user = None if spent else _holder(transaction, row, "code", form["client_id"])
        if row is not None and user is not None:
            asked = row.properties
            if form.get("redirect_uri", "") != asked.get("redirect_uri"):
                raise errors.wrong_redirect(form.get("redirect_uri", ""), form["client_id"])
            _check_verifier(str(asked.get("code_challenge") or ""), form.get("code_verifier", ""))
            row.spent = transaction.now_text()
            _record(transaction, call, user, "browser", form["client_id"])
            return minting.user_tokens(
                transaction, call.settings, user, row.client_id, scope_of(form) or str(asked.get("scope", "")),
                nonce=str(asked.get("nonce") or "") or None, family=row.family,
            )  # fmt: skip
    raise errors.spent_code() if spent else errors.dead_code()


def _check_verifier(challenge: str, verifier: str) -> None:
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if challenge and not hmac.compare_digest(made, challenge):
        raise errors.wrong_verifier()


def _device(store: Store, call: Call, form: Form) -> dict[str, object]:
    code = form.get("device_code") or form.get("code")
    if not code:
        raise errors.missing("device_code")
    with store.write() as transaction:
        row = transaction.session.get(tokens.Grant, minting.digest(code))
        if row is None or row.kind != "device" or row.spent:
            raise errors.bad_device()
        if row.expires <= transaction.now_text():
            raise errors.expired_device()
        if row.principal_id is None:
            raise errors.pending()
        user = _holder(transaction, row, "device", form["client_id"])
        if user is None:
            raise errors.bad_device()
        row.spent = transaction.now_text()
        _record(transaction, call, user, "device code", form["client_id"])
        scope = str(row.properties.get("scope", ""))
        return minting.user_tokens(transaction, call.settings, user, row.client_id, scope, family=row.family)


_GRANTS: dict[str, Callable[[Store, Call, Form], dict[str, object]]] = {
    "password": _password,
    "client_credentials": _client,
    "refresh_token": _refresh,
    "authorization_code": _code,
    DEVICE: _device,
    "device_code": _device,
}
