"""Every table, for migrations and tests; the server imports only the nouns a request needs."""

from azext_trust.server.store import (
    activity,
    authorization,
    blobs,
    changes,
    facts,
    imports,
    lockouts,
    manifests,
    principals,
    registries,
    repositories,
    resources,
    tags,
    tokens,
    trust,
)

__all__ = [
    "activity",
    "authorization",
    "blobs",
    "changes",
    "facts",
    "imports",
    "lockouts",
    "manifests",
    "principals",
    "registries",
    "repositories",
    "resources",
    "tags",
    "tokens",
    "trust",
]
