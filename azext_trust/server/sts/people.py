"""Users and their passwords, and the accounts that too many wrong ones lock."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from azext_trust.server.gate.call import Call
from azext_trust.server.store import lockouts, passwords, principals
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import errors

_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MDAwMDAwMDAwMDAwMDAwMA$bFJ6QbVY3Zmvu7SN7F9NBg0Oi0mXOlnLy0bJQYVt2BY"


@dataclass(frozen=True)
class _Held:
    user: principals.DirectoryObject | None
    rows: list[principals.Credential]
    locked: bool
    tenant: str


def check(store: Store, call: Call, name: str, password: str, way: str) -> principals.DirectoryObject:
    """Return the user whose name and password these are; a wrong password is counted and written down.

    Hashing takes long: no transaction is open meanwhile.

    Args:
        store: the state.
        call: the request.
        name: user principal name.
        password: what was given for its password.
        way: how the user signs in, for the activity log.

    Raises:
        errors.SignInError: unknown, locked, wrong, expired or disabled.
    """
    with store.read() as transaction:
        held = _held(transaction, name)
    problem = _problem(held, password)
    if problem is None and held.user is not None:
        return held.user
    error = errors.refuse(problem or "wrong_password", tenant=held.tenant)
    with store.write(moves="") as transaction:
        if problem == "wrong_password" and held.user is not None:
            lockouts.note(transaction.session, held.user.id, transaction.now(), _mark(transaction, password))
        record_refusal(transaction, call, name, way, error)
    raise error


def _held(transaction: Transaction, name: str) -> _Held:
    user = principals.user_by_upn(transaction.session, name)
    if user is None:
        return _Held(None, [], False, transaction.tenant_id())
    rows = principals.credentials(transaction.session, [user.id], "password")
    locked = lockouts.locked(transaction.session, user.id, transaction.now())
    return _Held(user, rows, locked, transaction.tenant_id())


def _problem(held: _Held, password: str) -> str | None:
    if held.user is None:
        passwords.verify_secret(_NOBODY, password)  # the time taken does not tell who exists
        return "no_such_user"
    if held.locked:
        return "locked"
    fitting = [row for row in held.rows if passwords.verify_secret(row.hashed, password)]
    if not fitting:
        return "wrong_password"
    # Only who knows the password learns what else is wrong with the account.
    if not held.user.enabled:
        return "disabled_user"
    return "password_expired" if fitting[0].properties.get("mustChange") is True else None


def _mark(transaction: Transaction, password: str) -> str:
    """Return what tells wrong passwords apart, keyed and cut short: no guess can be checked against it elsewhere."""
    key = transaction.vault.operator_key().encode()
    return hmac.new(key, b"wrong password:" + password.encode(), hashlib.sha256).hexdigest()[:8]


def admit(transaction: Transaction, user: principals.DirectoryObject) -> None:
    """Forget a user's wrong passwords, in the transaction that signs in.

    Raises:
        errors.SignInError: so many were tried at the same moment that the account is locked now.
    """
    if lockouts.locked(transaction.session, user.id, transaction.now()):
        raise errors.refuse("locked")
    lockouts.clear(transaction.session, user.id)


def record_refusal(transaction: Transaction, call: Call, name: str, way: str, error: errors.SignInError) -> None:
    """Write a refused sign-in down."""
    error.recorded = True
    details: dict[str, object] = {
        "callerName": name[:256], "way": way[:256], "reason": error.message, "number": error.number,
    }  # fmt: skip
    transaction.record(Activity("Microsoft.aadiam/signIn", "/", "Denied", "anonymous", call.correlation_id, details))


def record(transaction: Transaction, call: Call, principal: principals.DirectoryObject, way: str, client: str) -> None:
    """Write a sign-in down."""
    name = principal.upn or principal.app_id or principal.id
    details: dict[str, object] = {"callerName": name, "way": way, "client": client}
    transaction.record(Activity("Microsoft.aadiam/signIn", "/", "Allowed", principal.id, call.correlation_id, details))
