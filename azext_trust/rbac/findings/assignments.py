"""Findings about role assignments."""

from __future__ import annotations

from collections.abc import Iterator

from azext_trust.rbac import bits, operations
from azext_trust.rbac.decide import condition_verdict
from azext_trust.rbac.findings.kinds import finding
from azext_trust.rbac.findings.view import ASSIGN, SIGN_ACTIONS, View
from azext_trust.rbac.model import Query, RoleAssignment, RoleDefinition
from azext_trust.rbac.questions import fixes, wording
from azext_trust.rbac.questions.rows import FindingRow

SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
_PRIVILEGED = (
    SIGNER, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
)  # fmt: skip
"""AcrImageSigner, and the roles that can assign any role: Owner and both access administrators."""
_DELEGATE = "Role Based Access Control Administrator"
_MOST_COMMANDS = 5


def of_assignments(view: View) -> Iterator[FindingRow]:
    """Yield what is wrong with single assignments: at the registries, above them and below them."""
    for assignment in _concerned(view):
        role = view.index.role(assignment.role_id)
        number = view.index.numbers.of(assignment.principal_id)
        if view.index.principal(number) is None:
            yield _orphaned(view, assignment, role)
        elif role is not None:
            yield from _above(view, assignment, role)
            yield from _can_become(view, assignment, role)
            yield from _needless(view, assignment, role, number)


def _concerned(view: View) -> Iterator[RoleAssignment]:
    chain = view.index.tree.chain
    for assignment in view.index.assignments():
        own = chain(assignment.scope)
        near = own[0] in view.chain_keys or not view.keys.isdisjoint(own)
        if near and view.tenant.sight.shows(assignment.scope):
            yield assignment


def _own_id(assignment: RoleAssignment) -> str:
    return wording.assignment_id(assignment) or assignment.id


def _orphaned(view: View, assignment: RoleAssignment, role: RoleDefinition | None) -> FindingRow:
    name = role.name if role else assignment.role_id
    return finding(
        "orphaned-assignment", assignment.principal_id,
        f"{name} is assigned to {assignment.principal_id}, which is in the directory no more",
        fixes.revoke_command(_own_id(assignment)), scope=assignment.scope,
    )  # fmt: skip


def _above(view: View, assignment: RoleAssignment, role: RoleDefinition) -> Iterator[FindingRow]:
    """Yield a signer's role above its registries: it signs in all that are there, and in those to come."""
    key = view.index.tree.chain(assignment.scope)[0]
    if key in view.keys or not all(_gives(view, role, action) for action in SIGN_ACTIONS):
        return
    below = list(view.below(assignment.scope))
    if not below:
        return
    kind = view.kind(assignment.principal_id)
    commands = [fixes.grant_command(role.name, assignment.principal_id, kind, one.id) for one in below]
    commands = [*(commands if len(commands) <= _MOST_COMMANDS else ()), fixes.revoke_command(_own_id(assignment))]
    yield finding(
        "signer-above-registry", view.label(assignment.principal_id),
        f"{role.name} at {wording.place(assignment.scope)} reaches "
        f"{len(below)} {'registry' if len(below) == 1 else 'registries'}",
        " && ".join(commands), scope=assignment.scope,
    )  # fmt: skip


def _gives(view: View, role: RoleDefinition, action: str) -> bool:
    return view.index.roles.find(role.id, action, operations.is_data_action(action)).pattern is not None


def _can_become(view: View, assignment: RoleAssignment, role: RoleDefinition) -> Iterator[FindingRow]:
    """Yield who may assign roles, unless a condition keeps it from the signer's."""
    if not _gives(view, role, ASSIGN):
        return
    attribute = "Microsoft.Authorization/roleAssignments:"
    kind = view.kind(assignment.principal_id)
    asked = {f"{attribute}RoleDefinitionId": SIGNER, f"{attribute}PrincipalType": kind}
    query = Query(ASSIGN, False, assignment.scope, asked, now=view.tenant.now, open=True)
    if condition_verdict(view.index, assignment, query) is None:
        return
    count = _reached(view, assignment)
    yield finding(
        "can-become-signer", view.label(assignment.principal_id),
        f"{role.name} at {wording.place(assignment.scope)} may assign AcrImageSigner "
        f"to anybody, itself included{f'; {count} principals by this group' if kind == 'Group' else ''}",
        _constrained(assignment, role, kind), scope=assignment.scope,
    )  # fmt: skip


def _reached(view: View, assignment: RoleAssignment) -> int:
    number = view.index.numbers.of(assignment.principal_id)
    return (view.index.groups.expanded(number) & view.index.people()).bit_count()


def _constrained(assignment: RoleAssignment, role: RoleDefinition, kind: str) -> str:
    """Return the commands that leave the rest of the right: a delegate that cannot assign signing, nor such a right."""
    guids = ", ".join(_PRIVILEGED)
    prefix = "Microsoft.Authorization/roleAssignments"
    condition = " AND ".join(
        f"((!(ActionMatches{{'{prefix}/{verb}'}})) OR (@{source}[{prefix}:RoleDefinitionId] "
        f"ForAnyOfAllValues:GuidNotEquals {{{guids}}}))"
        for verb, source in (("write", "Request"), ("delete", "Resource"))
    )  # fmt: skip
    delegate = fixes.grant_command(_DELEGATE, assignment.principal_id, kind, assignment.scope)
    commands = [f"{delegate} --condition {wording.quoted(condition)} --condition-version 2.0"]
    if role.name == "Owner":
        commands.append(fixes.grant_command("Contributor", assignment.principal_id, kind, assignment.scope))
    # Two assignments of one role at one place cannot be: the old one goes first where it is the same role.
    revoke = fixes.revoke_command(_own_id(assignment))
    return " && ".join([revoke, *commands] if role.name == _DELEGATE else [*commands, revoke])


def _needless(view: View, assignment: RoleAssignment, role: RoleDefinition, number: int) -> Iterator[FindingRow]:
    """Yield an assignment that another one makes needless: of the same principal, or of a group it is in."""
    index = view.index
    chain = index.tree.chain(assignment.scope)
    groups = index.groups.groups_of(number) & index.groups_over(chain)
    for key in chain:
        there = index.at(key)
        for holder in (number, *bits.few(groups)) if there else ():
            for other in there.get(holder, ()):
                if other.id == assignment.id or not _covers(index.role(other.role_id), role):
                    continue
                if other.condition is not None and other.condition != assignment.condition:
                    continue
                same = holder == number and key == chain[0] and other.role_id == role.id
                if same and other.id > assignment.id:
                    continue  # of two that are equal the first one stays
                yield _told(view, assignment, role, other, same)
                return


def _covers(wide: RoleDefinition | None, narrow: RoleDefinition) -> bool:
    """Tell whether a role surely gives all that another gives: the same, or all of the control plane."""
    if wide is None or wide.condition is not None:
        return False
    if wide.id == narrow.id:
        return True
    everything = any("*" in one.actions and not one.not_actions for one in wide.permissions)
    return everything and not any(one.data_actions for one in narrow.permissions)


def _told(
    view: View, assignment: RoleAssignment, role: RoleDefinition, other: RoleAssignment, same: bool
) -> FindingRow:  # fmt: skip
    wide = view.index.role(other.role_id)
    holder = "" if other.principal_id == assignment.principal_id else f" of {view.label(other.principal_id)}"
    return finding(
        "duplicate-assignment" if same else "shadowed-assignment", view.label(assignment.principal_id),
        f"{role.name} at {wording.short(assignment.scope)}: {wide.name if wide else other.role_id}{holder} at "
        f"{wording.place(other.scope)} gives all of it",
        fixes.revoke_command(_own_id(assignment)), scope=assignment.scope,
    )  # fmt: skip
