"""Repository-scoped tokens of registries as audits see them: status, and the actions of their scope maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlmodel import Session, col, select

from azext_trust.rbac.questions.facts import ScopeToken
from azext_trust.server.store import scope_maps
from azext_trust.server.store.scope_maps import RegistryToken, ScopeMap


def of(session: Session, registry_ids: list[str] | None) -> Mapping[str, tuple[ScopeToken, ...]]:
    """Return the tokens of registries, or of all (None), by the registry's row id."""
    tokens, maps = select(RegistryToken).order_by(col(RegistryToken.name_key)), select(ScopeMap)
    if registry_ids is not None:
        tokens = tokens.where(col(RegistryToken.registry_id).in_(registry_ids))
        maps = maps.where(col(ScopeMap.registry_id).in_(registry_ids))
    rows = list(session.exec(tokens))
    actions = {(row.registry_id, row.name_key): row.actions for row in session.exec(maps)} if rows else {}
    found: dict[str, list[ScopeToken]] = defaultdict(list)
    for row in rows:
        system = scope_maps.SYSTEM_MAPS.get(row.scope_map_key, ("", ()))[1]
        held = actions.get((row.registry_id, row.scope_map_key), system)
        enabled = row.status == scope_maps.ENABLED
        found[row.registry_id].append(ScopeToken(row.name, enabled, row.scope_map_key, tuple(held)))
    return {key: tuple(held) for key, held in found.items()}
