"""Which scope lies in which: the text shows most of it, management groups must be told (rbac-semantics.md section 3)."""

from __future__ import annotations

from collections.abc import MutableMapping

from azext_trust.names import scopes
from azext_trust.rbac import layer

ROOT = "/"
_MANAGEMENT = "/providers/microsoft.management/managementgroups/"
_REMEMBERED = 131072
"""How many scopes' chains are kept; whoever asks for ever new ones must not fill the memory."""


def management_group_key(name: str) -> str:
    """Return the scope key of a management group."""
    return _MANAGEMENT + name.lower()


class ScopeTree:
    """The tree of scopes; scopes are given in any case and compared by their keys."""

    __slots__ = ("_chains", "_parents")

    def __init__(self) -> None:
        self._parents: MutableMapping[str, str] = {}
        self._chains: dict[str, tuple[str, ...]] = {}

    def overlay(self) -> ScopeTree:
        """Return a tree over this one, which stays as it is."""
        above = ScopeTree()
        above._parents = layer.over(self._parents)
        return above

    def put_parent(self, scope: str, parent: str | None) -> None:
        """Say what a subscription or management group lies in; None for the tenant root."""
        key = scopes.key(scope)
        wanted = scopes.key(parent) if parent else None
        if self._parents.get(key) == wanted:
            return
        if wanted is None:
            del self._parents[key]
        else:
            self._parents[key] = wanted
        self._chains = {}

    def parents(self) -> list[tuple[str, str]]:
        """Return every scope whose parent was told, with its parent."""
        return list(self._parents.items())

    def chain(self, scope: str) -> tuple[str, ...]:
        """Return the keys from a scope up to ``/``, management groups included."""
        found = self._chains.get(scope)
        if found is None:
            if len(self._chains) >= _REMEMBERED:
                self._chains = {}
            found = self._chains[scope] = self._climb(scope)
        return found

    def _climb(self, scope: str) -> tuple[str, ...]:
        # A dict keeps the order and ends a circle of management groups.
        chain = dict.fromkeys(key for key in scopes.textual_ancestors(scopes.key(scope)) if key != ROOT)
        above = self._parents.get(next(reversed(chain))) if chain else None
        while above is not None and above not in chain:
            chain[above] = None
            above = self._parents.get(above)
        chain.pop(ROOT, None)
        return (*chain, ROOT)
