"""What a registry occupies, against the most that its SKU may hold."""

from __future__ import annotations

from sqlmodel import Session

from azext_trust.server.store import blobs
from azext_trust.server.store.registries import Registry

_TIB = 1024**4
MOST: dict[str, int] = {"Basic": 40 * _TIB, "Standard": 40 * _TIB, "Premium": 40 * _TIB}
"""Bytes a registry may hold at most; what is included in the price is less (acr-content-trust-facts.md section 7)."""


def fits(session: Session, row: Registry, digest: str, size: int) -> bool:
    """Tell whether a registry may hold one more blob; one that it holds already takes no more room."""
    most = MOST[row.sku]
    return blobs.usage(session, row.id) + size <= most or blobs.holds(session, row.id, digest)
