"""The token service of a login server: refresh and access tokens that carry what RBAC allows at that moment (M11).

Sources: real-responses.md section 3, dct-wire-contract.md section 1, Azure/acr docs on AAD-OAuth and Token-BasicAuth.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import cast
from urllib.parse import parse_qs

from azext_trust.server.gate import grants, minting, sign_in
from azext_trust.server.gate.call import Reply, ServiceError
from azext_trust.server.gate.grants import NOBODY, Holder, Rights
from azext_trust.server.gate.login_servers import (
    ACCESS_SECONDS,
    ISSUER,
    NULL_USER,
    PRIVATE,
    REFRESH_SECONDS,
    Pass,
    RegistryCall,
    Scope,
)
from azext_trust.server.gate.pipeline import entry
from azext_trust.server.gate.sign_in import SignInRefused
from azext_trust.server.registry import errors
from azext_trust.server.store import tokens
from azext_trust.server.store.transaction import Store, Transaction

SIGN_IN = "aztrust/registries/signIn"
"""The operation under which refused sign-ins stand in the activity log; Azure has no name for it."""
MOST_SCOPES = 100


def exchange(store: Store, call: RegistryCall) -> Reply:
    """Return a refresh token for an access token of the directory."""
    form = call.form()
    if form.get("grant_type") not in ("access_token", "access_token_refresh_token"):
        raise errors.bad_request("grant_type must be access_token")
    try:
        with store.read() as transaction:
            holder = sign_in.by_directory_token(transaction, call.here, form.get("access_token", ""))
            rights = Rights(transaction, call.here, holder, call.origin)
            if not rights.any():
                raise SignInRefused("no permission on the registry", holder.name, holder.id)
            made = _refresh_token(transaction, call, rights)
    except SignInRefused as refused:
        raise _refused(store, call, refused) from None
    return _reply({"refresh_token": _signed(store, made)})


def issue(store: Store, call: RegistryCall) -> Reply:
    """Return an access token for a refresh token, or for a name and password, in a form (POST)."""
    form = parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    scopes = _scopes(form.get("scope", ()))
    grant, name = _one(form, "grant_type"), _one(form, "username")
    try:
        with store.read() as transaction:
            if grant == "refresh_token":
                assert call.door is not None
                holder = sign_in.by_refresh_token(transaction, call.door, call.here, _one(form, "refresh_token"))
                made = _access_token(transaction, call, holder, None, scopes)
            elif grant == "password":
                named = (name, _one(form, "password")) if name else None
                made = _for_name(transaction, call, named, scopes)
            else:
                raise errors.bad_request("grant_type must be refresh_token or password")
    except SignInRefused as refused:
        raise _refused(store, call, refused) from None
    return _reply({"access_token": _signed(store, made)})


def issue_for_name(store: Store, call: RegistryCall) -> Reply:
    """Return an access token for a name and password, or for nobody (GET)."""
    query = parse_qs(call.raw_query, keep_blank_values=True)
    scopes = _scopes(query.get("scope", ()))
    try:
        named = sign_in.basic(call.headers.get("authorization", ""))
        with store.read() as transaction:
            made = _for_name(transaction, call, named, scopes)
    except SignInRefused as refused:
        raise _refused(store, call, refused) from None
    body = {"access_token": _signed(store, made)}
    if named is not None and named[0] == NULL_USER and _one(query, "offline_token") == "true":
        # docker keeps it as its identity token, and asks with it from then on.
        body["refresh_token"] = named[1]
    return _reply(body)


def _reply(body: object) -> Reply:
    return Reply(body, 200, {**errors.HEADERS, "cache-control": "no-store"})


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _scopes(texts: Iterable[str]) -> list[Scope]:
    """Return the scopes asked for: members may be repeated, and hold several with spaces between them."""
    found = [Scope.parse(text) for joined in texts for text in joined.split()]
    if len(found) > MOST_SCOPES:
        raise errors.bad_request(f"more than {MOST_SCOPES} scopes")
    return [scope for scope in found if scope is not None]


def _refused(store: Store, call: RegistryCall, refused: SignInRefused) -> ServiceError:
    """Write a refused sign-in down and return its error; who shows nothing is not written down."""
    if refused.reason:
        call.caller = replace(call.caller, name=refused.name or "unknown", id=refused.who)
        with store.write(moves="") as transaction:
            transaction.record(entry(call, SIGN_IN, call.here.scope, "Denied", reason=refused.reason))
    return errors.sign_in_refused(refused.reason)


def _for_name(
    transaction: Transaction, call: RegistryCall, named: tuple[str, str] | None, scopes: list[Scope]
) -> dict[str, object]:  # fmt: skip
    """Return the claims for a name and password, or for nobody.

    Nobody gets an empty grant where trust is asked for, since notary asks anonymously first and gives up on a 401
    (dct-wire-contract.md section 0, rule 8); otherwise 401, as Azure answers, unless anybody may pull.
    """
    if named is None:
        if not call.here.anonymous_pull and not any(grants.is_trust(scope.name) for scope in scopes):
            raise SignInRefused("")
        return _access_token(transaction, call, NOBODY, None, scopes)
    assert call.door is not None
    holder, shown = sign_in.by_password(transaction, call.door, call.here, *named)
    return _access_token(transaction, call, holder, shown, scopes)


def _access_token(
    transaction: Transaction, call: RegistryCall, holder: Holder, shown: Pass | None, scopes: list[Scope]
) -> dict[str, object]:  # fmt: skip
    """Return an access token's claims: of each scope what is held now, and never more than a token shown carries."""
    rights = Rights(transaction, call.here, holder, call.origin)
    access: dict[tuple[str, str], list[str]] = {}
    for scope in scopes:
        held = _carried(shown, scope) if shown is not None else rights.granted(scope)
        known = access.setdefault((scope.kind, scope.name), [])
        known += [action for action in held if action not in known]
    listed = [{"type": kind, "name": name, "actions": held} for (kind, name), held in access.items() if held]
    asked = sorted({f"{scope.kind}:{scope.name}:{','.join(scope.actions)}" for scope in scopes})
    claims = _claims(transaction, call, holder, "access_token", ACCESS_SECONDS, asked)
    return {**claims, "access": listed, "roles": []}


def _carried(shown: Pass, scope: Scope) -> tuple[str, ...]:
    held = shown.access.get((scope.kind, scope.name), frozenset())
    if "*" in scope.actions:
        return tuple(sorted(held))
    return tuple(action for action in scope.actions if action in held or "*" in held)


def _refresh_token(transaction: Transaction, call: RegistryCall, rights: Rights) -> dict[str, object]:
    claims = _claims(transaction, call, rights.holder, "refresh_token", REFRESH_SECONDS, [])
    permissions = {"actions": rights.patterns(), "notActions": []}
    claims[PRIVATE] = {**cast(dict[str, object], claims[PRIVATE]), "held": rights.held()}
    return {**claims, "tenant": transaction.tenant_id(), "permissions": permissions, "roles": []}


def _claims(
    transaction: Transaction, call: RegistryCall, holder: Holder, grant: str, seconds: int, asked: list[str]
) -> dict[str, object]:  # fmt: skip
    now, server = int(transaction.now().timestamp()), call.here
    own = {
        "registry": server.id, "mode": server.stamp, "kind": holder.kind, "id": holder.id,
        "revision": transaction.revision(), "asked": asked,
    }  # fmt: skip
    return {
        "jti": str(uuid.uuid4()), "sub": holder.name, "nbf": now, "exp": now + seconds, "iat": now, "iss": ISSUER,
        "aud": server.host, "version": "1.0", "grant_type": grant, PRIVATE: own,
    }  # fmt: skip


def _signed(store: Store, claims: dict[str, object]) -> str:
    with store.read() as transaction:
        if tokens.signing_keys(transaction.session):
            return minting.sign(transaction, claims)
    with store.write() as transaction:
        return minting.sign(transaction, claims)
