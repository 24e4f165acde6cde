"""The smallest change that allows something: least privilege, as an exact command of az."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations

from azext_trust.names import scopes
from azext_trust.rbac import operations, roles
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Decision, RoleDefinition
from azext_trust.rbac.permissions import answer
from azext_trust.rbac.questions import wording
from azext_trust.rbac.questions.facts import Person, Registry

_ANY = 10_000
"""Counted for a pattern of all providers: more than any provider offers."""
_MOST_TOGETHER = 2


@lru_cache(maxsize=8192)
def weight(role: RoleDefinition) -> int:
    """Return how much a role gives: the operations known here, and much more for patterns over all providers."""
    given = [pattern for one in role.permissions for pattern in (*one.actions, *one.data_actions)]
    wide = sum(_ANY for pattern in given if pattern.startswith("*"))
    # What lies in other providers cannot be counted; each pattern over them counts a little.
    return wide + len(known_operations(role)) + len(given)


@lru_cache(maxsize=8192)
def known_operations(role: RoleDefinition) -> frozenset[str]:
    """Return the known operations that a role gives, in their own spelling."""
    return frozenset(known.name for known in operations.operations().values() if gives(role, known.name))


def gives(role: RoleDefinition, action: str) -> bool:
    """Tell whether a role gives an action."""
    return answer(role.permissions, action, operations.is_data_action(action)).pattern is not None


def roles_for(index: Index, missing: Sequence[str], scope: str) -> tuple[RoleDefinition, ...]:
    """Return the smallest roles that give all missing actions at a scope; empty when none do.

    One or two where that is enough; else those that give most for their size, one after the other.

    Args:
        index: which roles there are; where definitions are not known the built-in ones are taken.
        missing: actions.
        scope: where they are to be assigned.
    """
    chain = index.tree.chain(scope)
    useful: dict[frozenset[str], RoleDefinition] = {}
    for role in _candidates(index):
        given = frozenset(action for action in missing if gives(role, action))
        if given and _assignable(role, chain) and (given not in useful or _order(role) < _order(useful[given])):
            useful[given] = role
    best: tuple[RoleDefinition, ...] = ()
    for size in range(1, _MOST_TOGETHER + 1):
        for chosen in combinations(useful.items(), size):
            found = tuple(role for _, role in chosen)
            enough = frozenset().union(*(given for given, _ in chosen)) >= set(missing)
            if enough and (not best or _total(found) < _total(best)):
                best = found
    best = best or _greedy(useful, set(missing))
    return tuple(sorted(best, key=lambda role: role.name)) if missing else ()


def _greedy(useful: dict[frozenset[str], RoleDefinition], missing: set[str]) -> tuple[RoleDefinition, ...]:
    chosen: list[RoleDefinition] = []
    while missing:
        gains = [
            (weight(role) / len(given & missing), role.name, given) for given, role in useful.items() if given & missing
        ]
        if not gains:
            return ()
        given = min(gains, key=lambda gain: gain[:2])[2]
        chosen.append(useful[given])
        missing = missing - given
    return tuple(chosen)


def _candidates(index: Index) -> Iterable[RoleDefinition]:
    known = list(index.role_definitions())
    return [role for role in known if role.condition is None] or roles.built_in_roles().values()


def _order(role: RoleDefinition) -> tuple[int, str]:
    return weight(role), role.name


def _total(chosen: Iterable[RoleDefinition]) -> tuple[int, int, str]:
    found = tuple(chosen)
    return sum(map(weight, found)), len(found), " ".join(sorted(role.name for role in found))


def _assignable(role: RoleDefinition, chain: tuple[str, ...]) -> bool:
    return any(scopes.key(at) in chain for at in role.assignable_scopes)


def grant_command(role: str, principal_id: str, kind: str, scope: str) -> str:
    """Return the command that assigns a role."""
    who = wording.assignee_option(principal_id, kind)
    return f"az role assignment create --role {wording.quoted(role)} {who} --scope {wording.quoted(scope)}"


def revoke_command(assignment_id: str) -> str:
    """Return the command that removes a role assignment."""
    return f"az role assignment delete --ids {wording.quoted(assignment_id)}"


def fix(
    index: Index, person: Person, scope: str, missing: Sequence[str], decisions: Iterable[Decision]
) -> str | None:  # fmt: skip
    """Return the one smallest change that gives a principal the missing actions, None when no command does.

    Args:
        index: what is known.
        person: who; somebody who is in no directory cannot be given anything.
        scope: where.
        missing: the actions that are not allowed.
        decisions: the evaluator's on these actions.
    """
    denied = [found.denied_by for found in decisions if found.denied_by is not None]
    commands = [
        f"az role deny-assignment delete --ids "
        f"{wording.quoted(f'{deny.scope.rstrip(chr(47))}/providers/Microsoft.Authorization/denyAssignments/{deny.id}')}"
        for deny in dict.fromkeys(denied)
    ]
    ungranted = [
        action for action, found in zip(missing, decisions, strict=True) if not found.grants
    ]  # fmt: skip
    if person.kind == "Unknown":
        return None
    chosen = roles_for(index, ungranted, scope)
    if ungranted and not chosen:
        return None
    commands += [grant_command(role.name, person.id, person.kind, scope) for role in chosen]
    return " && ".join(commands) or None


def mode_command(registry: Registry) -> str:
    """Return the command that switches a registry to the mode in which signing exists."""
    return f"az acr update --name {registry.name} --role-assignment-mode rbac"
