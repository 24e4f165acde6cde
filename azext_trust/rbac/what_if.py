"""What a change would do: ask an index and an overlay of it, and compare. Nothing is changed by it.

``after = index.overlay()``, then ``after.put_assignment(...)`` and so on, then `difference`.
"""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.rbac import bits
from azext_trust.rbac.index import Index
from azext_trust.rbac.who_can import Holders


@dataclass(frozen=True, slots=True)
class Difference:
    """Who gains and who loses, at one scope; ids in rising order.

    Attributes:
        gains: can afterwards and could not before.
        loses: could before and cannot afterwards.
        depends: can before and after, but only after (or only before) without a condition.
    """

    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gains or self.loses or self.depends)


def difference(before: Holders | None, after: Holders | None) -> Difference:
    """Compare two answers to who can; None is nobody (signing in a registry whose mode does not know it)."""
    if before is not None and after is not None and _shares_numbers(before.question.index, after.question.index):
        return _of_bits(before, after)
    sure_before, all_before = _ids(before)
    sure_after, all_after = _ids(after)
    moved = (sure_before ^ sure_after) & all_before & all_after
    return Difference(
        tuple(sorted(all_after - all_before)), tuple(sorted(all_before - all_after)), tuple(sorted(moved))
    )


def _shares_numbers(before: Index, after: Index) -> bool:
    return after is before or after.below is before


def _of_bits(before: Holders, after: Holders) -> Difference:
    sure_before, sure_after = before.people(), after.people()
    all_before, all_after = sure_before | before.people(depends=True), sure_after | after.people(depends=True)
    if sure_before == sure_after and all_before == all_after:
        return Difference()
    name = after.question.index.numbers.name
    masks = (all_after & ~all_before, all_before & ~all_after, (sure_before ^ sure_after) & all_before & all_after)
    gains, loses, moved = (tuple(sorted(name(number) for number in bits.numbers(mask))) for mask in masks)
    return Difference(gains, loses, moved)


def _ids(holders: Holders | None) -> tuple[set[str], set[str]]:
    if holders is None:
        return set(), set()
    sure = set(holders.ids())
    return sure, sure | set(holders.ids(depends=True))
