"""Users."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.minting import SESSIONS_FROM
from azext_trust.server.graph import bodies, deleted, errors, expand, listing, query, rights
from azext_trust.server.store import directory_lists, facts, lockouts, passwords, principals
from azext_trust.server.store.directory_lists import Row
from azext_trust.server.store.transaction import Transaction

_TEXTS = ("givenName", "surname", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
          *bodies.USER_EXTRA)  # fmt: skip
_LISTS = ("businessPhones", "otherMails")
_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


def _full(transaction: Transaction, rows: Sequence[Row]) -> list[query.Body]:
    return [bodies.user(row, full=True) for row in rows if isinstance(row, principals.DirectoryObject)]


USERS = listing.Collection(
    "users", principals.DirectoryObject, (directory_lists.of_kind(principals.USER),), _full, bodies.user_shown
)


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
    return _entity(transaction, call, named(transaction, call.caller.id))


def _entity(transaction: Transaction, call: Call, row: principals.DirectoryObject) -> Reply:
    body = bodies.user(row, full="$select" in call.query)
    return query.entity(call, "users", expand.add(transaction, call, row.id, body))


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return users; filters may name members that a plain list does not show."""
    return listing.reply(transaction, call, USERS)


def counted(transaction: Transaction, call: Call) -> Reply:
    """Return how many users there are."""
    return listing.number(transaction, call, USERS)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one user."""
    return _entity(transaction, call, named(transaction, call.params["id"]))


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
    return strong(profile.get("password") if isinstance(profile, dict) else None)


def strong(password: object) -> str:
    """Return a password that meets Entra's rule: 8 to 256 characters of three kinds among four.

    Raises:
        ServiceError: it does not.
    """
    text = password if isinstance(password, str) else ""
    if not 8 <= len(text) <= 256 or sum(re.search(kind, text) is not None for kind in _CLASSES) < 3:
        raise errors.weak_password()
    return text


def set_password(transaction: Transaction, user_id: str, password: str, must_change: bool = False) -> None:
    """Replace a user's password; a lockout ends.

    Args:
        transaction: the change.
        user_id: the user's object id.
        password: the new one.
        must_change: whether the user has to change it at the next sign-in.
    """
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
        enabled=bool(body["accountEnabled"]), created=transaction.now_text(), properties=_kept(body),
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    set_password(transaction, row.id, password, _must_change(body))
    call.change(after={"id": row.id, "userPrincipalName": upn, "displayName": row.display_name})
    return query.entity(call, "users", bodies.user(row), 201)


def _kept(body: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {
        name: body[name] for name in _TEXTS if isinstance(body.get(name), str | None) and name in body
    }
    return found | {name: body[name] for name in _LISTS if isinstance(body.get(name), list)}


def update(transaction: Transaction, call: Call) -> Reply:
    """Change a user; 204 as Graph answers."""
    return _update(transaction, call, named(transaction, call.params["id"]))


def update_me(transaction: Transaction, call: Call) -> Reply:
    """Change what users may change of themselves."""
    if call.caller.kind != principals.USER:
        raise errors.delegated_only()
    call.params = {**call.params, "id": call.caller.id}
    if not rights.own_profile(transaction, call):
        raise errors.privileged()
    return _update(transaction, call, named(transaction, call.caller.id))


def _update(transaction: Transaction, call: Call, row: principals.DirectoryObject) -> Reply:
    rights.guard(transaction, call, row)
    body = call.json()
    before = {**bodies.user(row, full=True)}
    if body.get("userPrincipalName"):
        row.upn = _check_upn(transaction, body["userPrincipalName"], row.id)
        row.upn_key = row.upn.lower()
    if body.get("displayName"):
        row.display_name = str(body["displayName"])
        row.display_key = row.display_name.lower()
    if isinstance(body.get("accountEnabled"), bool):
        row.enabled = bool(body["accountEnabled"])
    row.properties = {**row.properties, **_kept(body)}
    password = _password(body)
    if password is not None:
        set_password(transaction, row.id, password, _must_change(body))
        _end_sessions(transaction, row)
    transaction.session.flush()
    call.change(before=before, after=bodies.user(row, full=True), passwordChanged=password is not None)
    return query.reply(call, None, 204)


def change_password(transaction: Transaction, call: Call) -> Reply:
    """Let a user change the own password, who shows the old one."""
    if call.caller.kind != principals.USER:
        raise errors.delegated_only()
    body = call.json()
    held = principals.credentials(transaction.session, [call.caller.id], "password")
    if not any(passwords.verify_secret(row.hashed, str(body.get("currentPassword") or "")) for row in held):
        raise errors.wrong_old_password()
    set_password(transaction, call.caller.id, strong(body.get("newPassword")))
    call.change(after={"passwordChanged": True})
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a user, who can be restored for 30 days; role assignments stay, orphaned."""
    row = named(transaction, call.params["id"])
    rights.guard(transaction, call, row)
    call.change(before=bodies.user(row))
    deleted.keep(transaction, row)
    return query.reply(call, None, 204)
