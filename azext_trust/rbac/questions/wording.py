"""How ways, scopes and people are put into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac.model import Grant, RoleAssignment
from azext_trust.rbac.questions.facts import Person, Registry, State

_PLAIN = re.compile(r"[\w./@:=-]+")
DIRECT, CLASSIC = "direct", "classic administrator"


def via(group_ids: Iterable[str], people: Mapping[str, Person]) -> str:
    """Return the way from a principal over groups to an assignment: ``direct``, or ``signers > platform``."""
    return " > ".join(label(group, people) or group for group in group_ids) or DIRECT


def label(principal_id: str, people: Mapping[str, Person]) -> str | None:
    """Return what a principal is called, None when that is not known."""
    found = people.get(principal_id)
    return found.label if found and (found.name or found.display_name) else None


def assignment_id(assignment: RoleAssignment | None) -> str | None:
    """Return the resource id of a role assignment."""
    return scopes.role_assignment_id(assignment.scope, assignment.id) if assignment else None


def condition(grant: Grant) -> str | None:
    """Return the condition of a grant: the assignment's, and its role's."""
    texts = (grant.assignment.condition if grant.assignment else None, grant.role.condition if grant.role else None)
    return " AND ".join(f"({text})" for text in texts if text) if all(texts) else texts[0] or texts[1]


def obstacle(state: State, registry: Registry | None, word: str) -> str:
    """Return what stops everybody from a capability at a registry, whatever roles say; empty when nothing does.

    Content trust must be on to sign; a ReadOnly lock stops what changes a resource through Resource Manager. The data
    plane of a registry knows no locks.
    """
    if registry is None:
        return ""
    if word == "sign":
        if registry.abac:
            return "the registry's mode is rbac-abac, in which nobody can sign"
        if registry.sku != "Premium":
            return f"the registry's SKU is {registry.sku}: content trust takes Premium"
        return "" if registry.trust else "content trust is disabled on this registry"
    if word in ("manage-policy", "grant"):
        chain = state.index.tree.chain(registry.id)
        for lock in state.locks:
            if lock.level.lower() == "readonly" and scopes.key(lock.scope) in chain:
                return f"the lock {lock.name or lock.level} at {lock.scope} is ReadOnly"
    return ""


def level(scope: str) -> str:
    """Return what kind of scope this is, in one word or two."""
    parts = scopes.key(scope)[1:].split("/")
    if parts == [""]:
        return "tenant root"
    if parts[0] == "providers":
        return "management group"
    return {2: "subscription", 4: "resource group"}.get(len(parts), "resource")


def short(scope: str) -> str:
    """Return a scope's own name: the last part of its id."""
    return scopes.canonical(scope).rsplit("/", 1)[1] or "/"


def place(scope: str) -> str:
    """Return a scope in words: ``subscription 2222...``, ``resource group lab``, ``the tenant root``."""
    kind = level(scope)
    return "the tenant root" if kind == "tenant root" else f"{kind} {short(scope)}"


def assignee_option(principal_id: str, kind: str) -> str:
    """Return az's options that name an assignee; with the type az needs not ask the directory."""
    known = kind if kind in ("User", "Group", "ServicePrincipal") and is_guid(principal_id) else ""
    kind_option = f" --assignee-principal-type {known}" if known else ""
    return f"--assignee-object-id {principal_id}{kind_option}"


def quoted(text: str) -> str:
    """Return a word for a shell: in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"
