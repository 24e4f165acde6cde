"""Login servers: the registry behind a host name, and the tokens that are good at it.

Tokens are JWTs with the claims of Azure's (real-responses.md section 3), signed with the cloud's keys. What a token
allows was decided when it was cut (M11); what is checked on every request is that its registry still is the one
served under this name, and that the registry's role assignment mode was not switched since.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azext_trust.names import scopes
from azext_trust.server.gate.authenticate import NotAuthenticated, verified_claims
from azext_trust.server.gate.call import Call, Settings
from azext_trust.server.gate.memory import Memory
from azext_trust.server.store import facts, registries
from azext_trust.server.store.clock import shifted, to_text
from azext_trust.server.store.transaction import Store, Transaction

ISSUER = "Azure Container Registry"
ACCESS_SECONDS = 4500
REFRESH_SECONDS = 3 * 3600
MOST_TOKENS = 20000
"""How many verified tokens are remembered."""
MOST_REMEMBERED = 32 * 1024 * 1024
"""Bytes of manifests that are remembered."""
NULL_USER = "00000000-0000-0000-0000-000000000000"
"""The user name that goes with a refresh or access token as password."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A token scope: ``repository:team/web:pull,push``, ``registry:catalog:*``."""

    kind: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Scope | None:
        """Read a scope: the type ends at the first colon, actions begin at the last; None when it is none."""
        kind, _, rest = text.partition(":")
        name, colon, actions = rest.rpartition(":")
        if not kind or not colon or not name:
            return None
        return cls(kind, name, tuple(action for action in actions.split(",") if action))


@dataclass(frozen=True, slots=True)
class Need:
    """What a route needs: a scope, and for one action perhaps another that does as well.

    Attributes:
        scope: as a challenge names it.
        instead: actions any of which may stand for the scope's.
    """

    scope: Scope
    instead: tuple[str, ...] = ()

    def met(self, access: Mapping[tuple[str, str], frozenset[str]]) -> bool:
        """Tell whether a token's access meets the need."""
        held = access.get((self.scope.kind, self.scope.name), frozenset())
        if "*" in held or held.issuperset(self.scope.actions):
            return True
        return not held.isdisjoint(self.instead)


@dataclass(frozen=True, slots=True)
class LoginServer:
    """A registry as its login server needs it.

    Attributes:
        id: the registry row's id.
        name: the registry's name as created.
        host: the login server, ``myregistry.azurecr.io``, with the port when it is not 443.
        scope: the registry's resource id.
        mode: its role assignment mode.
        stamp: changes whenever the mode is switched.
        row: everything else.
        revision: the state's when this was read.
    """

    id: str
    name: str
    host: str
    scope: str
    mode: str
    stamp: str
    row: registries.Registry
    revision: int = -1

    def enabled(self, policy: str) -> bool:
        """Tell whether a policy is enabled: ``quarantinePolicy``, ``softDeletePolicy`` ..."""
        return self.row.policies.get(policy, {}).get("status") == "enabled"

    @property
    def anonymous_pull(self) -> bool:
        """Whether anybody may pull."""
        return self.row.properties.get("anonymousPullEnabled") is True


def login_server(row: registries.Registry, settings: Settings, revision: int = -1) -> LoginServer:
    """Return a registry's login server as of a revision."""
    mode = str(row.properties.get("roleAssignmentMode", "LegacyRegistryPermissions"))
    stamp = f"{mode}#{row.properties.get(registries.MODE_SWITCHES, 0)}"
    scope = scopes.registry_id(row.subscription_id, row.group_key, row.name)
    return LoginServer(row.id, row.name, settings.login_server(row.name), scope, mode, stamp, row, revision)


@dataclass(frozen=True, slots=True)
class Pass:
    """A verified token.

    Attributes:
        subject: upn, client id, admin or token name; empty for anonymous.
        kind: the holder's kind, see `grants.Holder`.
        holder_id: object id of a principal, else empty.
        access: (type, name) -> actions.
        expires: Unix time.
        registry_id: the registry it was cut for.
        stamp: the registry's then.
        revision: the state's when it was cut.
        grant: ``access_token`` or ``refresh_token``.
        asked: the scopes that were asked for, granted or not.
        held: of a refresh token the capabilities it carries; None limits nothing.
    """

    subject: str
    kind: str
    holder_id: str
    access: Mapping[tuple[str, str], frozenset[str]]
    expires: float
    registry_id: str
    stamp: str
    revision: int
    grant: str
    asked: tuple[str, ...]
    held: tuple[str, ...] | None = None


PRIVATE = "aztrust"
"""The one claim of our own: what the checks on every request need."""


def read_pass(transaction: Transaction, token: str, host: str) -> Pass:
    """Return what a token says, once one of our keys signed it for this login server and it is in force.

    Raises:
        NotAuthenticated: it is not good here.
    """
    claims = verified_claims(transaction, token)
    own = claims.get(PRIVATE)
    if claims.get("iss") != ISSUER or claims.get("aud") != host or not isinstance(own, dict):
        raise NotAuthenticated("audience")
    listed = claims.get("access")
    access = {
        (str(entry["type"]), str(entry["name"])): frozenset(entry["actions"])
        for entry in (listed if isinstance(listed, list) else [])
    }
    return Pass(
        str(claims.get("sub", "")), str(own["kind"]), str(own["id"]), access, float(str(claims["exp"])),
        str(own["registry"]), str(own["mode"]), int(own["revision"]), str(claims.get("grant_type")),
        tuple(str(text) for text in own.get("asked", ())),
        None if own.get("held") is None else tuple(str(name) for name in own["held"]),
    )  # fmt: skip


@dataclass
class _Known:
    """What is known as of a revision."""

    revision: int
    offset: float
    frozen: str
    servers: dict[str, LoginServer | None] = field(default_factory=dict)


class Door:
    """Finds login servers and verifies tokens; remembers both as long as nothing changed.

    Args:
        store: the state.
        settings: how the cloud is published.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._passes: dict[str, Pass] = {}
        self.memory: Memory[Any] = Memory(MOST_REMEMBERED)

    def _current(self, revision: int) -> _Known | None:
        known = self._known
        return known if known is not None and known.revision == revision else None

    def _load(self) -> _Known:
        # The revision is read in the same transaction as what it stands for.
        with self.store.read() as transaction:
            session = transaction.session
            offset = float(facts.get(session, facts.CLOCK_OFFSET, "0"))
            known = _Known(transaction.revision(), offset, facts.get(session, facts.CLOCK_FROZEN))
        with self._lock:
            if self._known is None or self._known.revision < known.revision:
                self._known = known
            return self._known

    def server(self, name: str) -> LoginServer | None:
        """Return the login server of a name; None when no registry has it. May ask the database."""
        known = self._current(self.store.moments.now().revision) or self._load()
        key = name.lower()
        if key not in known.servers:
            with self.store.read() as transaction:
                row = registries.by_name(transaction.session, key)
                revision = transaction.revision()
                found = login_server(row, self.settings, revision) if row is not None else None
                if revision != known.revision:
                    return found
            # Unknown names are not remembered: there is no end of them.
            if found is None:
                return None
            known.servers[key] = found
        return known.servers[key]

    def now(self) -> datetime:
        """Return the cloud's present (UTC), from what is remembered of its clock."""
        known = self._known or self._load()
        return shifted(known.offset, known.frozen or None)

    def now_text(self) -> str:
        """Return the cloud's present as Azure writes it."""
        return to_text(self.now())

    def known_server(self, name: str, revision: int) -> LoginServer | None:
        """Return a login server when it is remembered as of this revision; asks nobody."""
        known = self._current(revision)
        return known.servers.get(name.lower()) if known is not None else None

    def known_pass(self, token: str, server: LoginServer, revision: int) -> Pass | None:
        """Return what a token says when that is remembered and still holds; asks nobody."""
        known, found = self._current(revision), self._passes.get(token)
        if known is None or found is None:
            return None
        now = shifted(known.offset, known.frozen or None).timestamp()
        return found if now < found.expires and _fits(found, server) else None

    def pass_of(self, transaction: Transaction, token: str, server: LoginServer, grant: str) -> Pass:
        """Return what a token says.

        Args:
            transaction: a reading one.
            token: its text.
            server: where it is shown.
            grant: ``access_token`` or ``refresh_token``, whichever is wanted.

        Raises:
            NotAuthenticated: it is not good here, or no longer.
        """
        found = self._passes.get(token)
        if found is None:
            found = read_pass(transaction, token, server.host)
            if len(self._passes) >= MOST_TOKENS:
                self._passes.clear()
            self._passes[token] = found
        if transaction.now().timestamp() >= found.expires:
            self._passes.pop(token, None)
            raise NotAuthenticated("expired")
        if found.grant != grant:
            raise NotAuthenticated("invalid")
        if not _fits(found, server):
            raise NotAuthenticated("stale")
        return found


def _fits(found: Pass, server: LoginServer) -> bool:
    return found.registry_id == server.id and found.stamp == server.stamp


@dataclass
class RegistryCall(Call):
    """A request to a login server.

    Attributes:
        door: verifies tokens.
        server: the registry's login server.
        need: what the route needs, once that is known; challenges name it.
        access: what the token shown carries, (type, name) -> actions; of a name and password what they may do here.
    """

    door: Door | None = None
    server: LoginServer | None = None
    need: Need | None = None
    access: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @property
    def here(self) -> LoginServer:
        """The login server; there is one from admission on."""
        assert self.server is not None
        return self.server

    @property
    def origin(self) -> str:
        """The host as the client wrote it: token service and GUNs carry it."""
        return self.headers.get("host", self.here.host).lower()

    def now_text(self) -> str:
        """Return the cloud's present as Azure writes it, without a transaction."""
        assert self.door is not None
        return self.door.now_text()
