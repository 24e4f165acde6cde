"""What somebody may do at a registry, in the words of its tokens: scopes asked for, actions held.

One place decides for the token service, for names and passwords shown directly, and for telling why something was
refused. Which permission an action takes is data (rbac/capabilities.json).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from azext_trust.names import images
from azext_trust.rbac import capabilities
from azext_trust.server.gate.authorise import Attributes, Authoriser, Denied
from azext_trust.server.gate.call import Caller
from azext_trust.server.gate.login_servers import LoginServer, Scope
from azext_trust.server.store.transaction import Transaction

ADMIN, SCOPE_MAP, ANONYMOUS = "AdminAccount", "ScopeMapToken", "Anonymous"
PRINCIPALS = ("User", "ServicePrincipal")
ACTIONS = (
    "pull", "push", "delete", "metadata_read", "metadata_write", "deleted_read", "deleted_restore",
    "quarantine_read", "quarantine_write",
)  # fmt: skip
"""The actions of a repository scope; each is a capability of the same name."""
CATALOGS = {"catalog": "catalog", "deleted_catalog": "deleted_read"}
"""The names of registry scopes, with the capability each takes."""
_ANYBODY = frozenset({"pull", "metadata_read"})
_SCOPE_MAP = {
    "content/read": "pull", "content/write": "push", "content/delete": "delete", "metadata/read": "metadata_read",
    "metadata/write": "metadata_write",
}  # fmt: skip
_NAME = "Microsoft.ContainerRegistry/registries/repositories:name"
READ = "Microsoft.ContainerRegistry/registries/read"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds or asks for a token.

    Attributes:
        kind: ``User``, ``ServicePrincipal``, ``AdminAccount``, ``ScopeMapToken`` or ``Anonymous``.
        id: a principal's object id, else empty.
        name: upn, client id, admin or token name, or empty.
        classic: the user holds the classic administrator flag.
        actions: a scope map's actions, ``repositories/team/web/content/read``.
        held: the capabilities that a refresh token carries, which limit what is held now; None limits nothing.
    """

    kind: str
    id: str = ""
    name: str = ""
    classic: bool = False
    actions: tuple[str, ...] = ()
    held: tuple[str, ...] | None = None

    def caller(self) -> Caller:
        """Return the holder as the activity log names it."""
        return Caller(self.id or self.name, self.kind, self.name or "anonymous", {}, self.classic)


NOBODY = Holder(ANONYMOUS)
_NEVER = {
    ADMIN: "the admin account can never sign",
    SCOPE_MAP: "tokens with repository permissions can neither read nor sign trust data",
    ANONYMOUS: "nobody signs without logging in",
}
"""Who can never use trust data, whatever roles there are (the article; acr-content-trust-facts.md section 4)."""


def is_trust(name: str) -> bool:
    """Tell whether a repository scope names a GUN: the first part of a GUN is a host, of a repository never."""
    first = name.split("/", 1)[0]
    return "/" in name and ("." in first or ":" in first)


@dataclass
class Rights:
    """What one holder may do at one registry, decided now.

    Args:
        transaction: a reading one.
        server: the registry.
        holder: who.
        origin: the host name clients use for the registry, lower case: GUNs begin with it.
    """

    transaction: Transaction
    server: LoginServer
    holder: Holder
    origin: str
    _authoriser: Authoriser | None = field(default=None, init=False)

    def granted(self, scope: Scope) -> tuple[str, ...]:
        """Return the actions of a scope that are held, in the order asked; ``*`` stands for all that are held."""
        if scope.kind == "registry":
            capability = CATALOGS.get(scope.name)
            return ("*",) if capability and self.may_list(capability) else ()
        if scope.kind != "repository":
            return ()
        if not is_trust(scope.name):
            return self._on_images(scope) if images.valid_repository(scope.name) else ()
        host, repository = images.split_gun(scope.name)
        if host.lower() != self.origin or not images.valid_repository(repository):
            return ()
        return self._expanded(Scope("", repository, scope.actions), ("pull", "push", "delete"), self.may_trust)

    def _on_images(self, scope: Scope) -> tuple[str, ...]:
        held = self._expanded(scope, ACTIONS, self.may)
        if not self.server.enabled("quarantinePolicy"):
            return held
        # Clients know nothing of quarantine: who may see or pass quarantined images may with every pull and push.
        more = {"pull": "quarantine_read", "push": "quarantine_write"}
        return (*held, *(added for action, added in more.items()
                         if action in held and added not in held and self.may(added, scope.name)))  # fmt: skip

    @staticmethod
    def _expanded(scope: Scope, known: tuple[str, ...], may: Callable[[str, str], bool]) -> tuple[str, ...]:
        asked = known if "*" in scope.actions else dict.fromkeys(scope.actions)
        return tuple(action for action in asked if action in known and may(action, scope.name))

    def may(self, action: str, repository: str) -> bool:
        """Tell whether an action on a repository's images is held."""
        kind = self.holder.kind
        if kind == ADMIN:
            return True
        if kind == ANONYMOUS:
            return self.server.anonymous_pull and action in _ANYBODY
        if kind == SCOPE_MAP:
            return any(_mapped(text, repository) == action for text in self.holder.actions)
        return self._missing(action, repository) is None

    def may_list(self, capability: str) -> bool:
        """Tell whether the registry's repositories, or its deleted ones, may be listed."""
        kind = self.holder.kind
        if kind == ADMIN:
            return True
        if kind == ANONYMOUS:
            return self.server.anonymous_pull and capability == "catalog"
        if kind == SCOPE_MAP:
            # Only who may read the metadata of all repositories may list them.
            return capability == "catalog" and any(
                _mapped(text, "*") == "metadata_read" for text in self.holder.actions
            )
        return self._missing(capability, "") is None

    def may_trust(self, action: str, repository: str) -> bool:
        """Tell whether trust data of a repository may be read, published or deleted (M8 to M10)."""
        if self.holder.kind == SCOPE_MAP:
            return False
        if action == "pull":
            return (
                self.may("pull", repository)
                if self.holder.kind not in PRINCIPALS
                else (self._missing("trust_read", repository) is None)
            )
        if self.holder.kind not in PRINCIPALS or self._missing("sign", repository) is not None:
            return False
        return action == "push" or self._missing("delete", repository) is None

    def refusal(self, scope: Scope) -> Denied:
        """Return why a scope is not held in full: the missing permission, with the evaluator's reasons."""
        for action in scope.actions:
            capability, repository = self._capability(scope, action)
            missing = self._missing(capability, repository) if self.holder.kind in PRINCIPALS else None
            if missing is not None:
                return missing
        capability, _ = self._capability(scope, scope.actions[0] if scope.actions else "pull")
        # What makes a signer comes last among the permissions of signing.
        return Denied(self._actions(capability)[-1 if capability == "sign" else 0][0], self.server.scope)

    def never(self, scope: Scope) -> str:
        """Return why no role could let this holder do what a trust scope is for, empty where one could (M9, M10)."""
        if not is_trust(scope.name) or self.holder.kind == SCOPE_MAP:
            return _NEVER[SCOPE_MAP] if is_trust(scope.name) else ""
        if not set(scope.actions) - {"pull"}:
            return ""
        if self.server.mode != capabilities.LEGACY:
            return "in mode rbac-abac nobody can sign"
        return _NEVER.get(self.holder.kind, "")

    def _capability(self, scope: Scope, action: str) -> tuple[str, str]:
        if scope.kind == "registry":
            return CATALOGS.get(scope.name, "catalog"), ""
        if is_trust(scope.name):
            return {"pull": "trust_read"}.get(action, "sign"), images.split_gun(scope.name)[1]
        return action if action in ACTIONS else "pull", scope.name

    def _actions(self, capability: str) -> tuple[tuple[str, ...], ...]:
        mode = self.server.mode
        return capabilities.needs(capability, mode) or capabilities.needs(capability, capabilities.LEGACY) or ()

    def _missing(self, capability: str, repository: str) -> Denied | None:
        """Return the first permission of a capability that is not held, or None."""
        if self._authoriser is None:
            self._authoriser = Authoriser(self.transaction, self.holder.caller())
        needed = capabilities.needs(capability, self.server.mode)
        if self.holder.held is not None and capability not in self.holder.held:
            return Denied(self._actions(capability)[-1][0], self.server.scope)
        if needed is None:
            # Nobody has it in this mode: signing under repository permissions.
            return Denied(self._actions(capability)[-1][0], self.server.scope)
        attributes = Attributes(request={_NAME: repository} if repository else {})
        for group in needed:
            decisions = [self._authoriser.decide(action, self.server.scope, attributes) for action in group]
            if not any(decision.allowed for decision in decisions):
                return Denied(group[0], self.server.scope, decisions[0])
        return None

    def held(self) -> list[str] | None:
        """Return the capabilities that a principal has at the registry, for a token to carry (M11).

        None where permissions may depend on the repository: they cannot be listed.
        """
        if self.server.mode != capabilities.LEGACY:
            return None
        return [name for name in capabilities.names() if self._missing(name, "") is None]

    def patterns(self) -> list[str]:
        """Return the action patterns that a principal's roles give at the registry."""
        if self._authoriser is None:
            self._authoriser = Authoriser(self.transaction, self.holder.caller())
        return self._authoriser.patterns(self.server.scope)

    def any(self) -> bool:
        """Tell whether a principal has anything to do with the registry, be it under a condition."""
        if self._authoriser is None:
            self._authoriser = Authoriser(self.transaction, self.holder.caller())
        if self._authoriser.allows(READ, self.server.scope):
            return True
        for capability in (*ACTIONS, "catalog"):
            for group in capabilities.needs(capability, self.server.mode) or ():
                decision = self._authoriser.decide(group[0], self.server.scope)
                if decision.allowed or decision.condition_refused:
                    return True
        return False


def _mapped(text: str, repository: str) -> str | None:
    """Return the token action that a scope map's action gives on a repository, or None.

    A wildcard stands alone or at the end, after a slash (acr-content-trust-facts.md section 8).
    """
    kind, _, rest = text.partition("/")
    for suffix, action in _SCOPE_MAP.items():
        if kind == "repositories" and rest.endswith("/" + suffix):
            pattern = rest[: -len(suffix) - 1]
            wild = pattern == "*" or (pattern.endswith("/*") and repository.startswith(pattern[:-1]))
            return action if wild or pattern == repository else None
    return None
