"""Why: each path from assignment over groups, role and pattern to a right, and what was taken away on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from azext_trust.rbac import bits, decide, operations, what_can
from azext_trust.rbac.model import Decision, DenyAssignment, Grant, Query
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import wording
from azext_trust.rbac.questions.answers import Answer, answer
from azext_trust.rbac.questions.asked import Asked, Place
from azext_trust.rbac.questions.facts import Person, Tenant, Unknown
from azext_trust.rbac.questions.rows import PathRow
from azext_trust.rbac.what_can import Held
from azext_trust.rbac.who_can import WhoCan


def why(tenant: Tenant, asked: Asked) -> Answer:
    """Return every path to a right, or, where there is none, what came near.

    Raises:
        AskError: it cannot be asked so.
    """
    from azext_trust.rbac.questions import verdicts

    place, unknown = verdicts.one_place(tenant, asked)
    person = asking.principal(tenant, asked.assignee)
    if place is None:
        return answer([], unknown)
    held = what_can.held(tenant.state.index, person.id)
    rows: list[PathRow] = []
    names = _Names(tenant, person, asked.word, held)
    for group in asking.needs(asked, place) or ():
        for action in group:
            rows += _of_action(tenant, asked, place, names, action)
    unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    needed = [action for group in asking.needs(asked, place) or () for action in group]
    for hidden in hidden_holders(tenant, asked, place, needed).values():
        unknown.append(Unknown(f"members of group {hidden.label} ({hidden.id})", tenant.sight.why_hidden(hidden.id)))
    return answer(rows, unknown)


class _Names:
    """What all rows of one answer share."""

    def __init__(self, tenant: Tenant, person: Person, word: str, held: Iterable[Held]) -> None:
        self.held = list(held)
        self.person = person
        self.word = word
        self.people: Mapping[str, Person] = tenant.people(
            {person.id, *(group for row in self.held for group in row.group_chain)}
        )

    def row(self, action: str, effect: str, **said: object) -> PathRow:
        """Return a row; what is not said is empty."""
        chain = said.pop("groups", ())
        filled: dict[str, object] = {
            "assignment_id": None, "role": None, "role_id": None, "pattern": None, "scope": None, "condition": None,
            "condition_verdict": "", "detail": "", "via": wording.via(chain, self.people), **said,  # type: ignore[arg-type]
        }  # fmt: skip
        name = wording.label(self.person.id, self.people) or (self.person.label if self.person.name else None)
        return PathRow(self.person.id, name, self.word, action, effect, group_ids=tuple(chain), **filled)  # type: ignore[arg-type]


def _of_action(tenant: Tenant, asked: Asked, place: Place, names: _Names, action: str) -> Iterator[PathRow]:
    query = Query(action, operations.is_data_action(action), place.scope, asked.request, now=tenant.now, open=True)
    decision = decide.explain(tenant.state.index, names.person.id, query)
    for grant in decision.grants:
        yield _granted(names, action, grant, place)
    yield from _removed(tenant, names, action, place, query)
    if decision.denied_by is not None:
        deny = decision.denied_by
        yield names.row(action, "denies", assignment_id=deny_id(deny), role=deny.name, role_id=deny.id,
                        scope=deny.scope, detail=f"the deny assignment {deny.name} takes it away")  # fmt: skip
    if not decision.grants:
        yield from _missed(names, action, decision)


def _granted(names: _Names, action: str, grant: Grant, place: Place) -> PathRow:
    if grant.assignment is None:
        return names.row(action, "grants", via=wording.CLASSIC, pattern="*", detail="classic administrator of "
                         + "/".join(place.scope.split("/")[:3]), scope="/".join(place.scope.split("/")[:3]))  # fmt: skip
    return names.row(
        action, "grants", assignment_id=wording.assignment_id(grant.assignment), groups=grant.group_chain,
        role=grant.role.name if grant.role else None, role_id=grant.assignment.role_id, pattern=grant.pattern,
        scope=grant.assignment.scope, condition=wording.condition(grant), condition_verdict=grant.condition,
    )  # fmt: skip


def _removed(tenant: Tenant, names: _Names, action: str, place: Place, query: Query) -> Iterator[PathRow]:
    """Yield the assignments that reach the place and whose role takes the action away by its not-list."""
    index = tenant.state.index
    chain = index.tree.chain(place.scope)
    for row in names.held:
        said = index.roles.find(row.assignment.role_id, action, query.is_data_action)
        if said.removed_by is not None and index.tree.chain(row.assignment.scope)[0] in chain:
            yield names.row(
                action, "removes", assignment_id=wording.assignment_id(row.assignment), groups=row.group_chain,
                role=row.role.name if row.role else None, role_id=row.assignment.role_id, pattern=said.removed_by,
                scope=row.assignment.scope, detail=f"{said.removed_by} takes it away",
            )  # fmt: skip


def _missed(names: _Names, action: str, decision: Decision) -> Iterator[PathRow]:
    chains = {row.assignment.id: row.group_chain for row in names.held}
    for miss in decision.misses:
        if miss.kind == "notActions":
            continue  # told as what removes it
        found = miss.assignment
        yield names.row(
            action, "misses", assignment_id=wording.assignment_id(found),
            groups=chains.get(found.id, ()) if found else (), role=miss.role.name if miss.role else None,
            role_id=found.role_id if found else None, scope=found.scope if found else None,
            condition=found.condition if found else None,
            condition_verdict="fails" if miss.kind == "condition" else "", detail=f"{miss.kind}: {miss.detail}",
        )  # fmt: skip


def deny_id(deny: DenyAssignment) -> str:
    """Return the resource id of a deny assignment."""
    return f"{deny.scope.rstrip('/')}/providers/Microsoft.Authorization/denyAssignments/{deny.id}"


def hidden_holders(tenant: Tenant, asked: Asked, place: Place, actions: Iterable[str]) -> Mapping[str, Person]:
    """Return the groups whose members are not known and which hold one of the actions at a place."""
    hidden = tenant.sight.hidden_groups()
    if not hidden:
        return {}
    index, found = tenant.state.index, 0
    for action in actions:
        found |= WhoCan(index, ((action,),), request=asked.request, now=tenant.now).at(place.scope).groups & hidden
    ids = [index.numbers.name(number) for number in bits.numbers(found)]
    known = tenant.people(ids) if ids else {}
    return {name: known.get(name, Person(name, "Group")) for name in ids}
