"""Users."""

from __future__ import annotations

import uuid

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.minting import SESSIONS_FROM
from azext_trust.server.graph import bodies, errors, query
from azext_trust.server.store import facts, lockouts, passwords, principals
from azext_trust.server.store.transaction import Transaction

_TEXTS = ("givenName", "surname", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
          *bodies.USER_EXTRA)  # fmt: skip


def named(transaction: Transaction, name: str) -> principals.DirectoryObject:
    """Return the user with this object id or user principal name.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    found = principals.user_by_upn(transaction.session, name) or principals.by_id(transaction.session, name)
    if found is None or found.kind != principals.USER:
        raise errors.no_object(name)
    return found


def me(transaction: Transaction, call: Call) -> Reply:
    """Return the signed-in user."""
    if call.caller.kind != principals.USER:
        raise errors.delegated_only()
    return query.entity(call, "users", bodies.user(named(transaction, call.caller.id), full=_full(call)))


def _full(call: Call) -> bool:
    return "$select" in call.query or "$filter" in call.query or "$search" in call.query


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return users; filters may name members that a plain list does not show."""
    wanted = query.simple(call)
    if wanted and wanted[0] == "userprincipalname":
        found = principals.user_by_upn(transaction.session, wanted[1])
        rows = [found] if found else []
    else:
        rows = principals.of_kind(transaction.session, principals.USER)
    reply = query.listing(call, "users", (bodies.user(row, full=True) for row in rows))
    if "$select" not in call.query:
        shown = {row.id: bodies.user(row) for row in rows}
        query.show_as(reply, shown)
    return reply


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one user."""
    return query.entity(call, "users", bodies.user(named(transaction, call.params["id"]), full=_full(call)))


def _check_upn(transaction: Transaction, upn: object, own: str = "") -> str:
    text = str(upn or "")
    name, _, domain = text.rpartition("@")
    if not name or len(text) > 113 or any(letter in text for letter in " <>()[]{}\"\\/,;:'\n"):
        raise errors.bad_request("Invalid value specified for property 'userPrincipalName' of resource 'User'.")
    if domain.lower() != facts.get(transaction.session, facts.TENANT_DOMAIN).lower():
        raise errors.wrong_domain()
    other = principals.user_by_upn(transaction.session, text)
    if other is not None and other.id != own:
        raise errors.taken("userPrincipalName")
    return text


def _must_change(body: dict[str, object]) -> bool:
    profile = body.get("passwordProfile")
    return isinstance(profile, dict) and profile.get("forceChangePasswordNextSignIn") is True


def _password(body: dict[str, object]) -> str | None:
    profile = body.get("passwordProfile")
    if profile is None:
        return None
    if not isinstance(profile, dict) or not isinstance(profile.get("password"), str) or not profile["password"]:
        raise errors.bad_request("The specified password does not comply with password complexity requirements. "
                                 "Please provide a different password.")  # fmt: skip
    return str(profile["password"])


def _set_password(transaction: Transaction, user_id: str, password: str, must_change: bool) -> None:
    lockouts.clear(transaction.session, user_id)
    for row in principals.credentials(transaction.session, [user_id], "password"):
        transaction.session.delete(row)
    transaction.session.add(
        principals.Credential(
            id=str(uuid.uuid4()), owner_id=user_id, kind="password", hashed=passwords.hash_secret(password),
            start=transaction.now_text(), properties={"mustChange": must_change},
        )
    )  # fmt: skip


def revoke_sessions(transaction: Transaction, call: Call) -> Reply:
    """End a user's sign-ins, the caller's where none is named (Graph: user, revokeSignInSessions).

    Refresh tokens are refused from now on, access tokens challenged.
    """
    row = named(transaction, call.params.get("id", call.caller.id))
    _end_sessions(transaction, row)
    call.change(after={"id": row.id, SESSIONS_FROM: row.properties[SESSIONS_FROM]})
    return query.reply(call, {"@odata.context": query.context(call, "Edm.Boolean"), "value": True})


def _end_sessions(transaction: Transaction, row: principals.DirectoryObject) -> None:
    row.properties = {**row.properties, SESSIONS_FROM: transaction.now_text()}


def create(transaction: Transaction, call: Call) -> Reply:
    """Create a user."""
    body = call.json()
    for name in ("displayName", "mailNickname", "userPrincipalName", "accountEnabled"):
        if body.get(name) in (None, ""):
            raise errors.bad_request(f"A value is required for property '{name}' of resource 'User'.")
    upn, password = _check_upn(transaction, body["userPrincipalName"]), _password(body)
    if password is None:
        raise errors.bad_request("A password must be specified to create a new user.")
    row = principals.DirectoryObject(
        id=str(uuid.uuid4()), kind=principals.USER, display_name=str(body["displayName"]),
        display_key=str(body["displayName"]).lower(), upn=upn, upn_key=upn.lower(),
        enabled=bool(body["accountEnabled"]), created=transaction.now_text(),
        properties={name: body[name] for name in _TEXTS if isinstance(body.get(name), str)},
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    _set_password(transaction, row.id, password, _must_change(body))
    call.change(after={"id": row.id, "userPrincipalName": upn, "displayName": row.display_name})
    return query.entity(call, "users", bodies.user(row), 201)


def update(transaction: Transaction, call: Call) -> Reply:
    """Change a user; 204 as Graph answers."""
    row, body = named(transaction, call.params["id"]), call.json()
    before = {**bodies.user(row, full=True)}
    if body.get("userPrincipalName"):
        row.upn = _check_upn(transaction, body["userPrincipalName"], row.id)
        row.upn_key = row.upn.lower()
    if body.get("displayName"):
        row.display_name = str(body["displayName"])
        row.display_key = row.display_name.lower()
    if isinstance(body.get("accountEnabled"), bool):
        row.enabled = bool(body["accountEnabled"])
    row.properties = {**row.properties, **{name: body[name] for name in _TEXTS if name in body}}
    password = _password(body)
    if password is not None:
        _set_password(transaction, row.id, password, _must_change(body))
        _end_sessions(transaction, row)
    transaction.session.flush()
    call.change(before=before, after=bodies.user(row, full=True), passwordChanged=password is not None)
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a user; its role assignments stay, orphaned."""
    row = named(transaction, call.params["id"])
    call.change(before=bodies.user(row))
    principals.remove(transaction.session, row.id)
    return query.reply(call, None, 204)
