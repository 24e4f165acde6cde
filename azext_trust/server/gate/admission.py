"""Who may come in at a login server: a token that carries what the route needs, or a name and password."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from azext_trust.server.gate import sign_in
from azext_trust.server.gate.authenticate import NotAuthenticated, bearer
from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.grants import Holder, Rights, is_trust
from azext_trust.server.gate.login_servers import Need, Pass, RegistryCall, Scope
from azext_trust.server.gate.route import ANONYMOUS, SIGNED_IN, Route
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

STALE = "sign in again: roles changed since"
"""What the log says of a refusal that a newer token would not meet (M11)."""


@lru_cache(maxsize=64)
def _template(action: str) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    kind, _, rest = action.partition(":")
    name, _, actions = rest.rpartition(":")
    needed, *instead = actions.split("|")
    return kind, name, tuple(needed.split(",")), tuple(instead)


def need_of(action: str, params: Mapping[str, str]) -> Need:
    """Return what a route's action, ``repository:{name}:pull``, means for one request."""
    return _need(action, params.get("name") or params.get("gun") or "")


@lru_cache(maxsize=4096)
def _need(action: str, named: str) -> Need:
    kind, name, actions, instead = _template(action)
    return Need(Scope(kind, named if name in ("{name}", "{gun}") else name, actions), instead)


class Insufficient(Denied):
    """The caller is known, and lacks what the route needs.

    Args:
        denied: the missing permission.
        notes: more for the log.
    """

    def __init__(self, denied: Denied, notes: Mapping[str, object]) -> None:
        super().__init__(denied.action, denied.scope, denied.decision)
        self.notes = dict(notes)


def _named(need: Need) -> dict[str, object]:
    """Return what the log says of the place: the registry is the entry's scope, trust data are a repository's."""
    return {"gun": need.scope.name} if is_trust(need.scope.name) else {}


def admit(transaction: Transaction, call: RegistryCall, row: Route) -> None:
    """Let a request pass, or say why not; the call then knows its caller and what it may do.

    Raises:
        NotAuthenticated: no credentials, or none that are good here.
        Insufficient: the caller lacks a permission, or its token does.
    """
    if row.action == ANONYMOUS:
        return
    call.need = need = None if row.action == SIGNED_IN else need_of(row.action, call.params)
    try:
        named = sign_in.basic(call.headers.get("authorization", ""))
        if named is not None:
            _by_name(transaction, call, need, *named)
        else:
            _by_pass(transaction, call, need)
    except sign_in.SignInRefused as refused:
        call.details["reason"] = refused.reason
        raise NotAuthenticated("invalid") from None


def admit_at_once(call: RegistryCall, row: Route, revision: int) -> bool:
    """Let a request pass on what is remembered as of a revision; False where `admit` must look."""
    if row.action == ANONYMOUS:
        return True
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or call.door is None:
        return False
    shown = call.door.known_pass(token.strip(), call.here, revision)
    if shown is None or shown.grant != "access_token":
        return False
    call.need = need = None if row.action == SIGNED_IN else need_of(row.action, call.params)
    if need is not None and not need.met(shown.access):
        return False
    call.access = shown.access
    call.caller = sign_in.holder_of(shown).caller()
    return True


def _by_name(transaction: Transaction, call: RegistryCall, need: Need | None, name: str, password: str) -> None:
    assert call.door is not None
    holder, shown = sign_in.by_password(transaction, call.door, call.here, name, password)
    call.caller = holder.caller()
    if shown is not None:
        _check(transaction, call, need, shown)
        return
    if need is None:
        return
    rights = Rights(transaction, call.here, holder, call.origin)
    asked = Scope(need.scope.kind, need.scope.name, (*need.scope.actions, *need.instead))
    call.access = {(asked.kind, asked.name): frozenset(rights.granted(asked))}
    if not need.met(call.access):
        never = rights.never(need.scope)
        raise Insufficient(rights.refusal(need.scope), _named(need) | ({"reason": never} if never else {}))


def _by_pass(transaction: Transaction, call: RegistryCall, need: Need | None) -> None:
    assert call.door is not None
    shown = call.door.pass_of(transaction, bearer(call), call.here, "access_token")
    call.caller = sign_in.holder_of(shown).caller()
    _check(transaction, call, need, shown)


def _check(transaction: Transaction, call: RegistryCall, need: Need | None, shown: Pass) -> None:
    call.access = shown.access
    if need is None or need.met(shown.access):
        return
    raise _explained(transaction, call, need, shown)


def _explained(transaction: Transaction, call: RegistryCall, need: Need, shown: Pass) -> Insufficient:
    """Return the refusal with its cause: is the permission missing, or only the token too old or too narrow?"""
    holder = sign_in.holder_of(shown)
    found = principals.by_id(transaction.session, shown.holder_id) if shown.holder_id else None
    if found is not None:
        holder = Holder(found.kind, found.id, shown.subject, found.classic_administrator)
    rights = Rights(transaction, call.here, holder, call.origin)
    notes: dict[str, object] = {**_named(need), "tokenRevision": shown.revision, "revision": transaction.revision()}
    if set(rights.granted(need.scope)) >= set(need.scope.actions):
        notes["reason"] = STALE if _asked(shown, need.scope) else "the token was not asked for it"
    elif is_trust(need.scope.name) and need.scope.name.split("/", 1)[0].lower() != call.origin:
        notes["reason"] = "the name is of another login server"
    elif never := rights.never(need.scope):
        notes["reason"] = never
    return Insufficient(rights.refusal(need.scope), notes)


def _asked(shown: Pass, needed: Scope) -> bool:
    for text in shown.asked:
        scope = Scope.parse(text)
        if scope and (scope.kind, scope.name) == (needed.kind, needed.name):
            return "*" in scope.actions or set(scope.actions) >= set(needed.actions)
    return False
