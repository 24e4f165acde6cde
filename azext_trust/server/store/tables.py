"""Every table, for migrations and tests; the server imports only the nouns a request needs."""

from azext_trust.server.store import (
    activity,
    authorization,
    facts,
    lockouts,
    principals,
    registries,
    resources,
    tokens,
    trust,
)

__all__ = ["activity", "authorization", "facts", "lockouts", "principals", "registries", "resources", "tokens", "trust"]
