"""Who is in which group, nested to any depth, cycles included. Principals are numbers here (see `Numbers`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from azext_trust.rbac import bits, layer


class Numbers:
    """Small numbers for ids: sets of them are bits, and comparing them is cheap. A number is never used again."""

    __slots__ = ("_id", "_next", "_number")

    def __init__(self) -> None:
        self._number: MutableMapping[str, int] = {}
        self._id: MutableMapping[int, str] = {}
        self._next = 0

    def overlay(self) -> Numbers:
        """Return numbers that go on where these end; these stay as they are."""
        above = Numbers()
        above._number, above._id, above._next = layer.over(self._number), layer.over(self._id), self._next
        return above

    def of(self, name: str) -> int:
        """Return the number of an id (lower case), a new one at the first time."""
        number = self._number.get(name)
        if number is None:
            number = self._number[name] = self._next
            self._id[number] = name
            self._next += 1
        return number

    def known(self, name: str) -> int | None:
        """Return the number of an id, or None."""
        return self._number.get(name)

    def name(self, number: int) -> str:
        """Return the id that has a number."""
        return self._id[number]


class Memberships:
    """The graph of groups and members, with what was worked out from it.

    Worked out when asked, kept until a change touches it: the groups above a group, with the way (`_above`) and as
    bits (`_above_bits`), and all members of a group as bits (`_members_of`). Groups numbered early make these short.
    """

    __slots__ = ("_above", "_above_bits", "_members", "_members_of", "_parents")

    def __init__(self) -> None:
        self._parents: MutableMapping[int, set[int]] = {}
        self._members: MutableMapping[int, set[int]] = {}
        self._above: MutableMapping[int, Mapping[int, int]] = {}
        self._above_bits: MutableMapping[int, int] = {}
        self._members_of: MutableMapping[int, int] = {}

    def overlay(self) -> Memberships:
        """Return a graph over this one, which stays as it is."""
        above = Memberships()
        above._parents, above._members = layer.over(self._parents), layer.over(self._members)
        above._above, above._above_bits = layer.over(self._above), layer.over(self._above_bits)
        above._members_of = layer.over(self._members_of)
        return above

    def add(self, group: int, member: int) -> None:
        """Put a direct member into a group."""
        layer.writable(self._parents, member, set).add(group)
        layer.writable(self._members, group, set).add(member)
        self._changed(group, member)

    def add_all(self, edges: Iterable[tuple[int, int]]) -> None:
        """Put many members into groups; all that was worked out is forgotten once."""
        for group, member in edges:
            layer.writable(self._parents, member, set).add(group)
            layer.writable(self._members, group, set).add(member)
        self._above, self._above_bits, self._members_of = {}, {}, {}

    def remove(self, group: int, member: int) -> None:
        """Take a direct member out of a group; nothing happens when it is not in it."""
        if group not in self._parents.get(member, ()):
            return
        self._changed(group, member)
        layer.writable(self._parents, member, set).discard(group)
        layer.writable(self._members, group, set).discard(member)

    def remove_all(self, number: int) -> None:
        """Take a principal out of all groups, and all members out of it."""
        for group in tuple(self._parents.get(number, ())):
            self.remove(group, number)
        for member in tuple(self._members.get(number, ())):
            self.remove(number, member)

    def _changed(self, group: int, member: int) -> None:
        # Called while the edge is there: the groups above are those whose members change.
        for above in self.above(group):
            layer.forget(self._members_of, above)
        if member in self._members or member in self._above:
            # Nesting changed, which is rare: what lies above is worked out anew for those who ask.
            self._above, self._above_bits = {}, {}

    def holds(self, group: int, member: int) -> bool:
        """Tell whether a principal is a direct member of a group."""
        return group in self._parents.get(member, ())

    def edges(self) -> Iterator[tuple[int, int]]:
        """Yield every group with each of its direct members."""
        for group, members in self._members.items():
            for member in members:
                yield group, member

    def above(self, group: int) -> Mapping[int, int]:
        """Return a group and every group it is in, transitively, each with the one below it on a shortest way there.

        Of several shortest ways it is always the same one.
        """
        found = self._above.get(group)
        if found is None:
            found = self._above[group] = self._climb(group)
        return found

    def _climb(self, group: int) -> dict[int, int]:
        came = {group: group}
        edge = [group]
        while edge:
            reached = []
            for at in edge:
                for parent in sorted(self._parents.get(at, ())):
                    if parent not in came:
                        came[parent] = at
                        reached.append(parent)
            edge = reached
        return came

    def groups_of(self, number: int) -> int:
        """Return, as bits, every group a principal is in, transitively."""
        found = 0
        for group in self._parents.get(number, ()):
            above = self._above_bits.get(group)
            if above is None:
                above = self._above_bits[group] = bits.of(self.above(group))
            found |= above
        return found

    def closure(self, number: int) -> set[int]:
        """Return a principal and every group it is in, transitively."""
        found = {number}
        for group in self._parents.get(number, ()):
            found.update(self.above(group))
        return found

    def has_members(self, number: int) -> bool:
        """Tell whether a principal has, or had, members."""
        return number in self._members

    def expanded(self, number: int) -> int:
        """Return, as bits, a principal and all its members, transitively."""
        if number not in self._members:
            return 1 << number
        found = self._members_of.get(number)
        if found is None:
            found = self._members_of[number] = self._descend(number)
        return found

    def _descend(self, group: int) -> int:
        seen, edge, mask = {group}, [group], 0
        while edge:
            for member in self._members.get(edge.pop(), ()):
                if member in seen:
                    continue
                known = self._members_of.get(member)
                if known is not None:
                    mask |= known
                    continue
                seen.add(member)
                if member in self._members:
                    edge.append(member)
        return mask | bits.of(seen)

    def chain(self, number: int, group: int) -> tuple[int, ...]:
        """Return a shortest way from a principal to a group it is in: from a direct group to that one.

        Of several shortest ways it is always the same one. Empty for the principal itself.
        """
        best: tuple[int, ...] = ()
        for direct in sorted(self._parents.get(number, ())) if group != number else ():
            came = self.above(direct)
            if group in came:
                way = [group]
                while way[-1] != direct:
                    way.append(came[way[-1]])
                if not best or len(way) < len(best):
                    best = tuple(reversed(way))
        return best
