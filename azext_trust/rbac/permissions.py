"""What permission objects say about an action: worked out once for each pair, then looked up."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import NamedTuple

from azext_trust.rbac import layer, match
from azext_trust.rbac.model import Permission

_REMEMBERED = 4096
"""How many actions' answers are kept."""


class Answer(NamedTuple):
    """What a list of permission objects says about one action.

    Attributes:
        pattern: the pattern that grants it, or None.
        removed_by: the not-pattern that took it away from every object that had it, or None.
        other_plane: the pattern that grants an action of this name in the other plane, or None.
    """

    pattern: str | None = None
    removed_by: str | None = None
    other_plane: str | None = None


NOTHING = Answer()


def granting_pattern(
    permissions: Iterable[Permission], action: str, is_data_action: bool
) -> tuple[str | None, str | None]:
    """Return the pattern that grants an action, or None and the not-pattern that took it away.

    Subtraction is local to a permission object (rbac-semantics.md section 1).
    """
    removed = None
    for permission in permissions:
        allow = permission.data_actions if is_data_action else permission.actions
        never = permission.not_data_actions if is_data_action else permission.not_actions
        pattern = match.first_match(allow, action)
        if pattern is not None:
            taken = match.first_match(never, action)
            if taken is None:
                return pattern, None
            removed = removed or taken
    return None, removed


def answer(permissions: Iterable[Permission], action: str, is_data_action: bool) -> Answer:
    """Return what permission objects say about an action."""
    permissions = tuple(permissions)
    pattern, removed = granting_pattern(permissions, action, is_data_action)
    if pattern is not None or removed is not None:
        return Answer(pattern, removed)
    return Answer(other_plane=granting_pattern(permissions, action, not is_data_action)[0])


class Answers:
    """The permission objects of roles or deny assignments by id, and what they say about actions asked before."""

    __slots__ = ("_answers", "_permissions")

    def __init__(self) -> None:
        self._permissions: MutableMapping[str, tuple[Permission, ...]] = {}
        self._answers: dict[tuple[str, bool], dict[str, Answer]] = {}

    def overlay(self) -> Answers:
        """Return permissions over these, which stay as they are."""
        above = Answers()
        above._permissions = layer.over(self._permissions)
        return above

    def put(self, name: str, permissions: tuple[Permission, ...]) -> None:
        """Set the permission objects of an id."""
        self._permissions[name] = permissions
        self._forget(name)

    def remove(self, name: str) -> None:
        """Remove an id."""
        self._permissions.pop(name, None)
        self._forget(name)

    def _forget(self, name: str) -> None:
        for known in self._answers.values():
            known.pop(name, None)

    def to(self, action: str, is_data_action: bool) -> dict[str, Answer]:
        """Return the answers to an action that are known already, by id; `find` works out those that are missing."""
        known = self._answers.get((action, is_data_action))
        if known is None:
            if len(self._answers) >= _REMEMBERED:
                self._answers = {}
            known = self._answers[action, is_data_action] = {}
        return known

    def find(self, name: str, action: str, is_data_action: bool) -> Answer:
        """Return what the permission objects of an id say about an action; nothing when there is no such id."""
        known = self.to(action, is_data_action)
        found = known.get(name)
        if found is None:
            found = known[name] = answer(self._permissions.get(name, ()), action, is_data_action)
        return found
