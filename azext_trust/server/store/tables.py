"""Every table, for migrations and tests; the server imports only the nouns a request needs."""

from azext_trust.server.store import (
    activity,
    authorization,
    consents,
    deleted_objects,
    facts,
    identities,
    management_locks,
    principals,
    registries,
    resources,
    scope_maps,
    tokens,
    trust,
)

__all__ = [
    "activity",
    "authorization",
    "consents",
    "deleted_objects",
    "facts",
    "identities",
    "management_locks",
    "principals",
    "registries",
    "resources",
    "scope_maps",
    "tokens",
    "trust",
]
