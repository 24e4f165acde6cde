"""Images as audits see them: of every repository the tags with their digests, and the digests of all manifests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, select

from azext_trust.server.store.manifests import Manifest
from azext_trust.server.store.observations import ObservedImage, table_of
from azext_trust.server.store.repositories import Repository
from azext_trust.server.store.tags import Tag
from azext_trust.server.store.transaction import Transaction

Images = tuple[dict[str, str], frozenset[str]]
"""Tag to digest, and all digests; in hex."""
_OWN = table_of(Repository)


def read(transaction: Transaction, ids: list[str] | None) -> dict[tuple[str, str], Images]:
    """Return the images by registry id and repository, of registries or of all (None): held ones and observed ones."""
    return dict(_observed(transaction, ids)) | dict(_held(transaction, ids))


def _held(transaction: Transaction, ids: list[str] | None) -> Iterator[tuple[tuple[str, str], Images]]:
    """Yield what the cloud's own registries hold; a repository whose images are all deleted is not there."""
    tag, manifest = table_of(Tag), table_of(Manifest)
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    digests: dict[int, set[str]] = defaultdict(set)
    for key, digest in _rows(transaction, select(manifest.c.repository_id, manifest.c.digest)
                             .where(manifest.c.deleted == ""), manifest, ids):  # fmt: skip
        digests[key].add(digest.removeprefix("sha256:"))
    for key, name, digest in _rows(transaction, select(tag.c.repository_id, tag.c.name, tag.c.digest), tag, ids):
        tags[key][name] = digest.removeprefix("sha256:")
    query = select(_OWN.c.id, _OWN.c.registry_id, _OWN.c.name)
    if ids is not None:
        query = query.where(_OWN.c.registry_id.in_(ids))
    for key, registry_id, name in transaction.session.connection().execute(query):
        if key in digests:
            yield (registry_id, name), (tags.get(key, {}), frozenset(digests[key]))


def _rows(transaction: Transaction, query: Select[Any], table: Any, ids: list[str] | None) -> Any:
    if ids is not None:
        of = select(_OWN.c.id).where(_OWN.c.registry_id.in_(ids))
        query = query.where(table.c.repository_id.in_(of))
    return transaction.session.connection().execute(query)


def _observed(transaction: Transaction, ids: list[str] | None) -> Iterator[tuple[tuple[str, str], Images]]:
    """Yield what a twin saw of a live cloud's registries."""
    table = table_of(ObservedImage)
    query = select(table.c.registry_id, table.c.repository, table.c.tags, table.c.manifests)
    if ids is not None:
        query = query.where(table.c.registry_id.in_(ids))
    for registry_id, repository, tags, manifests in transaction.session.connection().execute(query):
        yield (registry_id, repository), (dict(tags), frozenset(manifests))
