"""Holders that no role assignment makes: the admin account, anonymous pull, repository-scoped tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import Registry, ScopeToken, Unknown
from azext_trust.rbac.questions.rows import HolderRow

ADMIN, ANONYMOUS, TOKEN = "AdminAccount", "Anonymous", "ScopeMapToken"
OF_ADMIN = frozenset({
    "pull", "push", "delete", "metadata_read", "metadata_write", "catalog", "deleted_read", "deleted_restore",
    "trust_read",
})  # fmt: skip
OF_ANYBODY = frozenset({"pull", "metadata_read", "catalog", "trust_read"})
_OF_TOKEN = {
    "pull": "content/read", "push": "content/write", "delete": "content/delete", "metadata_read": "metadata/read",
    "metadata_write": "metadata/write",
}  # fmt: skip
"""Capabilities by the scope map's words; none of these three ever signs (M9, M10)."""


def holders(registry: Registry, asked: Asked, unknown: list[Unknown]) -> Iterator[HolderRow]:
    """Yield those that hold a capability at a registry."""
    word = asked.word
    if registry.admin and word in OF_ADMIN:
        yield _row(registry, word, ADMIN, f"{registry.name} (admin account)", notes="admin account is enabled")
    if registry.anonymous and word in OF_ANYBODY:
        yield _row(registry, word, ANONYMOUS, "anybody, without signing in", notes="anonymous pull is enabled")
    if word not in _OF_TOKEN:
        return
    if registry.tokens is None:
        unknown.append(Unknown(f"repository-scoped tokens of {registry.name}", "they could not be read", registry.id))
        return
    for token in registry.tokens:
        yield from _of_token(registry, asked, token)


def _of_token(registry: Registry, asked: Asked, token: ScopeToken) -> Iterator[HolderRow]:
    patterns = reach(token, asked.word)
    if asked.repository:
        patterns = tuple(pattern for pattern in patterns if covers(pattern, asked.repository))
    if not token.enabled or not patterns:
        return
    condition = "" if "*" in patterns or asked.repository else "repositories " + ", ".join(patterns)
    row = _row(registry, asked.word, TOKEN, f"{token.name} (token)", notes=f"scope map {token.scope_map}")
    yield replace(
        row, principal_id=f"{registry.id}/tokens/{token.name}", can_push=bool(reach(token, "push")),
        depends=bool(condition), condition=condition or None,
    )  # fmt: skip


def _row(registry: Registry, word: str, kind: str, name: str, *, notes: str) -> HolderRow:
    last = "anonymous" if kind == ANONYMOUS else "adminAccount"
    return HolderRow(
        f"{registry.id}/{last}", name, kind, registry.name, word, kind_words(kind), None, (), registry.id, None, None,
        kind == ADMIN, False, None, False, notes, registry.id,
    )  # fmt: skip


def kind_words(kind: str) -> str:
    """Return how such a holder comes to its rights, in words."""
    return {ADMIN: "admin account", ANONYMOUS: "anonymous pull", TOKEN: "repository-scoped token"}[kind]


def reach(token: ScopeToken, word: str) -> tuple[str, ...]:
    """Return the repository patterns on which a token has a capability: names, ``team/*`` or ``*``."""
    ending = _OF_TOKEN.get(word, "")
    found = (action.removeprefix("repositories/") for action in token.actions if action.startswith("repositories/"))
    return tuple(name[: -len(ending) - 1] for name in found if ending and name.endswith("/" + ending))


def covers(pattern: str, repository: str) -> bool:
    """Tell whether a scope map's pattern is about a repository; a wildcard stands alone or at the end."""
    wild = pattern == "*" or (pattern.endswith("/*") and repository.startswith(pattern[:-1]))
    return wild or pattern == repository
