"""The token endpoint: one function for each grant type (RFC 6749 section 4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import unquote_plus

from azext_trust.server.gate import minting, resources
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.minting import SignIn, Wanted
from azext_trust.server.store import clock, principals, tokens
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import clients, credentials, errors, people
from azext_trust.server.sts.discovery import ADFS, resolve

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRACE_SECONDS = 60
"""A spent refresh token still works this long: two processes of one client may use it at once."""

Form = dict[str, str]


def issue(store: Store, call: Call) -> Reply:
    """Answer a token request; each outcome is in the activity log."""
    form = call.form()
    _basic(call, form)
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            raise errors.refuse("missing", parameter=name)
    grant = _GRANTS.get(form["grant_type"])
    if grant is None:
        raise errors.refuse("unsupported_grant", grant=form["grant_type"])
    try:
        with store.read() as transaction:
            resolve(transaction, call.params["tenant"])
            check_scope(transaction, call, scope_of(form))
        answer = grant(store, call, form)
    except errors.SignInError as error:
        if error.code != "authorization_pending" and not error.recorded:
            with store.write(moves="") as transaction:
                name = form.get("username") or form["client_id"]
                people.record_refusal(transaction, call, name, form["grant_type"], error)
        raise
    headers = {**errors.HEADERS, "x-ms-request-id": call.request_id}
    return Reply(_version_1(form, answer) if _older(call) else answer, headers=headers)


def _basic(call: Call, form: Form) -> None:
    """Take client id and secret from Basic authentication (RFC 6749 section 2.3.1) when the form lacks them."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and not form.get("client_id"):
        try:
            client, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return
        form |= {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}


def _older(call: Call) -> bool:
    """Tell whether the request came to the endpoint of version 1.0, which AD FS's only looks like."""
    return "/v2.0/" not in call.path.lower() and call.params["tenant"].lower() != ADFS


def _version_1(form: Form, answer: dict[str, object]) -> dict[str, object]:
    """Return an answer in the shape of the endpoint of version 1.0: numbers are texts, the resource is named."""
    import jwt

    claims = jwt.decode(str(answer["access_token"]), options={"verify_signature": False})
    seconds = str(answer["expires_in"])
    return {
        **answer, "scope": claims.get("scp", ""), "expires_in": seconds, "ext_expires_in": seconds,
        "expires_on": str(claims["exp"]), "not_before": str(claims["nbf"]),
        "resource": form.get("resource") or claims["aud"],
    }  # fmt: skip


def scope_of(form: Form) -> str:
    """Return the scopes asked for; the older endpoint names a resource instead."""
    return form.get("scope") or (f"{form['resource']}/.default" if form.get("resource") else "")


def check_scope(transaction: Transaction, call: Call, scope: str) -> None:
    """Go on only with scopes of one resource that there is.

    Raises:
        errors.SignInError: AADSTS70011, 28000 or 500011.
    """
    try:
        asked = resources.read(scope)
    except resources.ScopeError as error:
        raise errors.refuse(f"scope_{error.problem}", scope=error.scope) from None
    if resources.find(transaction, call.settings, asked.resource) is None:
        tenant = minting.tenant_name(transaction)
        raise errors.refuse("no_such_resource", resource=asked.resource, tenant=tenant)


def wanted_of(form: Form, proof: str) -> Wanted:
    """Return what a request asks of its access token, the ``claims`` parameter among it (OpenID Connect Core 5.5).

    A challenge's `nbf` needs nothing more: a new token begins after whatever revoked the old one.
    """
    try:
        asked = json.loads(form.get("claims") or "{}")
        values = asked["access_token"]["xms_cc"]["values"]
        capabilities = tuple(str(text)[:16] for text in values)[:8] if isinstance(values, list) else ()
    except (ValueError, KeyError, TypeError, RecursionError):
        capabilities = ()
    return Wanted(proof=proof, capabilities=capabilities)


def _everything(call: Call) -> bool:
    return "/v2.0/" not in call.path.lower()


def _need(form: Form, *names: str) -> None:
    for name in names:
        if not form.get(name):
            raise errors.refuse("missing", parameter=name)


def _password(store: Store, call: Call, form: Form) -> dict[str, object]:
    _need(form, "username", "password")
    if call.params["tenant"].lower() == "common":
        raise errors.refuse("not_common")
    with store.read() as transaction:
        public = clients.find(transaction, form["client_id"]).public
    client, proof = credentials.authenticate(store, call, form, needed=not public)
    user = people.check(store, call, form["username"], form["password"], "password")
    with store.write(moves="") as transaction:
        people.admit(transaction, user)
        people.record(transaction, call, user, "password", client.id)
        more = SignIn(public=proof == "0", everything=_everything(call), wanted=wanted_of(form, proof))
        return minting.user_tokens(transaction, call.settings, user, client.id, scope_of(form), more)


def _client(store: Store, call: Call, form: Form) -> dict[str, object]:
    if call.params["tenant"].lower() in ("common", "organizations"):
        raise errors.refuse("no_tenant_told")
    client, proof = credentials.authenticate(store, call, form, needed=True)
    asked = resources.read(scope_of(form))
    if asked.permissions != (resources.DEFAULT,):
        raise errors.refuse("scope_not_default", scope=scope_of(form))
    assert client.principal is not None  # who proved a credential has one
    with store.write(moves="") as transaction:
        people.record(transaction, call, client.principal, _WAYS[proof], client.id)
        token = minting.access_token(
            transaction, call.settings, client.principal, client.id, asked.resource, wanted_of(form, proof)
        )
        return {"token_type": "Bearer", "expires_in": minting.ACCESS_SECONDS, "ext_expires_in": minting.ACCESS_SECONDS,
                "access_token": token}  # fmt: skip


_WAYS = {credentials.SECRET: "secret", credentials.CERTIFICATE: "assertion"}


def _refresh(store: Store, call: Call, form: Form) -> dict[str, object]:
    _need(form, "refresh_token")
    digest = minting.digest(form["refresh_token"])
    with store.read() as transaction:
        held = transaction.session.get(tokens.Grant, digest)
    if held is None or held.kind != "refresh":
        raise errors.refuse("bad_grant")
    client, proof = credentials.authenticate(store, call, form, needed=held.properties.get("public") is False)
    with store.write(moves="") as transaction:
        row = transaction.session.get(tokens.Grant, digest)
        if row is None:
            raise errors.refuse("bad_grant")
        problem = _refresh_problem(transaction, row, client.id)
        if problem is None:
            user = _user(transaction, row)
            row.spent = row.spent or transaction.now_text()
            people.record(transaction, call, user, "refresh", client.id)
            more = SignIn(family=row.family, began=str(row.properties.get("began", "")), public=proof == "0",
                          everything=_everything(call), wanted=wanted_of(form, proof))  # fmt: skip
            scope = scope_of(form) or str(row.properties.get("scope", ""))
            return minting.user_tokens(transaction, call.settings, user, client.id, scope, more)
    raise problem


def _refresh_problem(transaction: Transaction, row: tokens.Grant, client_id: str) -> errors.SignInError | None:
    """Return why a refresh token is not good, and end its sign-in when somebody uses one that was replaced long ago."""
    if row.client_id != client_id:
        return errors.refuse("other_client", parameter="refresh_token' or 'assertion")
    issued, now = str(row.properties.get("issued", "")), transaction.now_text()
    if row.expires <= now:
        return errors.refuse("expired_refresh_token", issued=issued)
    reused = row.spent not in ("", tokens.ENDED) and _long_ago(transaction, row.spent)
    if reused:
        # Whoever holds the newer one may be a thief: the whole sign-in is ended (RFC 9700 section 4.14.2).
        tokens.end_family(transaction.session, row.family)
    if reused or row.spent == tokens.ENDED:
        return errors.refuse("revoked", issued=issued, valid_from=now)
    user = principals.by_id(transaction.session, row.principal_id or "")
    if user is None:
        return errors.refuse("no_such_user", tenant=transaction.tenant_id())
    began, valid_from = str(row.properties.get("began", "")), str(user.properties.get(minting.SESSIONS_FROM) or "")
    if began < valid_from:
        return errors.refuse("revoked", issued=began, valid_from=valid_from)
    return None if user.enabled else errors.refuse("disabled_user")


def _long_ago(transaction: Transaction, spent: str) -> bool:
    return clock.from_text(spent) + timedelta(seconds=GRACE_SECONDS) < transaction.now()


def _user(transaction: Transaction, row: tokens.Grant) -> principals.DirectoryObject:
    """Return the user behind a grant.

    Raises:
        errors.SignInError: it is gone or disabled.
    """
    user = principals.by_id(transaction.session, row.principal_id or "")
    if user is None:
        raise errors.refuse("no_such_user", tenant=transaction.tenant_id())
    if not user.enabled:
        raise errors.refuse("disabled_user")
    return user


def _code(store: Store, call: Call, form: Form) -> dict[str, object]:
    _need(form, "code", "redirect_uri")
    digest = minting.digest(form["code"])
    with store.read() as transaction:
        platform = clients.find(transaction, form["client_id"]).platform(form["redirect_uri"], call.settings.origin)
    if platform == "spa" and not call.headers.get("origin"):
        raise errors.refuse("spa_needs_origin")
    client, proof = credentials.authenticate(store, call, form, needed=platform == "web")
    with store.write(moves="") as transaction:
        row = transaction.session.get(tokens.Grant, digest)
        problem = _code_problem(transaction, row, client.id, form)
        if problem is None and row is not None:
            user, asked = _user(transaction, row), row.properties
            row.spent = transaction.now_text()
            people.record(transaction, call, user, "browser", client.id)
            more = SignIn(nonce=str(asked.get("nonce") or "") or None, family=row.family, public=proof == "0",
                          everything=_everything(call), wanted=wanted_of(form, proof))  # fmt: skip
            scope = scope_of(form) or str(asked.get("scope", ""))
            return minting.user_tokens(transaction, call.settings, user, client.id, scope, more)
    raise problem or errors.refuse("bad_grant")


def _code_problem(
    transaction: Transaction, row: tokens.Grant | None, client_id: str, form: Form
) -> errors.SignInError | None:
    if row is None or row.kind != "code":
        return errors.refuse("bad_grant")
    if row.client_id != client_id:
        return errors.refuse("other_client", parameter="code")
    if row.spent:
        # A code that is shown twice was stolen: what it brought is ended too (RFC 6749 section 4.1.2).
        tokens.end_family(transaction.session, row.family)
        return errors.refuse("spent_code")
    if row.expires <= transaction.now_text():
        return errors.refuse("expired_code")
    expected = str(row.properties.get("redirect_uri", ""))
    if form["redirect_uri"] != expected:
        return errors.refuse("other_redirect", address=form["redirect_uri"], expected=expected)
    return None if _verified(row, form.get("code_verifier", "")) else errors.refuse("wrong_verifier")


def _verified(row: tokens.Grant, verifier: str) -> bool:
    """Tell whether a code verifier fits what the authorization request said (RFC 7636 section 4.6).

    One that was never asked for does not fit either: somebody took the challenge away (RFC 9700 section 4.8.2).
    """
    challenge = str(row.properties.get("code_challenge") or "")
    made = verifier
    if row.properties.get("code_challenge_method") == "S256" and verifier:
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(made.encode(), challenge.encode())


def _device(store: Store, call: Call, form: Form) -> dict[str, object]:
    code = form.get("device_code") or form.get("code")
    if not code:
        raise errors.refuse("missing", parameter="device_code")
    with store.read() as transaction:
        public = clients.find(transaction, form["client_id"]).public
        row = transaction.session.get(tokens.Grant, minting.digest(code))
        _check_device(transaction, row, form["client_id"].lower())
    client, proof = credentials.authenticate(store, call, form, needed=not public)
    with store.write(moves="") as transaction:
        row = transaction.session.get(tokens.Grant, minting.digest(code))
        _check_device(transaction, row, client.id)
        assert row is not None  # checked
        user = _user(transaction, row)
        row.spent = transaction.now_text()
        people.record(transaction, call, user, "device code", client.id)
        scope = str(row.properties.get("scope", ""))
        asked = {"claims": form.get("claims") or str(row.properties.get("claims") or "")}
        more = SignIn(family=row.family, public=proof == "0", everything=_everything(call),
                      wanted=wanted_of(asked, proof))  # fmt: skip
        return minting.user_tokens(transaction, call.settings, user, client.id, scope, more)


def _check_device(transaction: Transaction, row: tokens.Grant | None, client_id: str) -> None:
    if row is None or row.kind != "device" or row.client_id != client_id:
        raise errors.refuse("bad_device")
    if row.spent:
        raise errors.refuse("device_declined" if row.spent == tokens.ENDED else "bad_device")
    if row.expires <= transaction.now_text():
        raise errors.refuse("expired_device")
    if row.principal_id is None:
        raise errors.refuse("pending")


_GRANTS: dict[str, Callable[[Store, Call, Form], dict[str, object]]] = {
    "password": _password,
    "client_credentials": _client,
    "refresh_token": _refresh,
    "authorization_code": _code,
    DEVICE: _device,
    "device_code": _device,
}
