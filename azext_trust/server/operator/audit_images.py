"""Images as audits see them: of every repository the tags with their digests, and the digests of all manifests."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from azext_trust.server.store.observations import ObservedImage, table_of
from azext_trust.server.store.transaction import Transaction

Images = tuple[dict[str, str], frozenset[str]]
"""Tag to digest, and all digests; in hex."""


def read(transaction: Transaction, ids: list[str] | None) -> Iterator[tuple[tuple[str, str], Images]]:
    """Yield registry id and repository with the images, of registries or of all (None)."""
    table = table_of(ObservedImage)
    query = select(table.c.registry_id, table.c.repository, table.c.tags, table.c.manifests)
    if ids is not None:
        query = query.where(table.c.registry_id.in_(ids))
    for registry_id, repository, tags, manifests in transaction.session.connection().execute(query):
        yield (registry_id, repository), (dict(tags), frozenset(manifests))
