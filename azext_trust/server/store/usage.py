"""How much a registry may hold."""

from __future__ import annotations

_TIB = 1024**4
MOST: dict[str, int] = {"Basic": 40 * _TIB, "Standard": 40 * _TIB, "Premium": 40 * _TIB}
"""Bytes a registry may hold at most; what is included in the price is less (acr-content-trust-facts.md section 7)."""
