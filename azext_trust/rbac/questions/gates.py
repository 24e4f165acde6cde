"""A gate for pipelines: rules about who may do what, each held at each registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from azext_trust.rbac import bits
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import holders, special, wording
from azext_trust.rbac.questions.answers import Answer, AskError, answer
from azext_trust.rbac.questions.asked import Asked, Place
from azext_trust.rbac.questions.facts import Registry, Tenant, Unknown
from azext_trust.rbac.questions.rows import CheckRow
from azext_trust.rbac.who_can import Holders


@dataclass(frozen=True)
class _Looking:
    """One place, with who signs and who grants there."""

    tenant: Tenant
    asked: Asked
    place: Place
    signers: Holders | None
    granters: Holders | None
    pushers: Holders | None

    @property
    def registry(self) -> Registry:
        assert self.place.registry is not None
        return self.place.registry

    def limit(self, rule: str) -> int:
        found = self.asked.rules.get(rule)
        return int(str(found)) if not isinstance(found, bool) and found is not None else 0

    def names(self, found: Holders | None) -> tuple[str, ...]:
        """Return the holders' names; groups whose members are not known count as one."""
        ids = people(found, self.tenant)
        known = self.tenant.people(ids)
        return tuple(sorted(wording.label(name, known) or name for name in ids))

    def row(self, rule: str, found: tuple[str, ...], text: str) -> CheckRow:
        limit = self.limit(rule)
        return CheckRow(
            rule, self.place.label, len(found) <= limit, limit, len(found), found, f"{self.place.label}: {text}",
            self.place.scope,
        )  # fmt: skip


def people(found: Holders | None, tenant: Tenant) -> list[str]:
    """Return the ids of holders, also of those that depend on a condition."""
    if found is None:
        return []
    mask = found.people() | found.people(depends=True)
    mask |= (found.sure | found.maybe) & tenant.sight.hidden_groups() & found.question.index.everyone()
    return [found.question.index.numbers.name(number) for number in bits.numbers(mask)]


def _max_signers(at: _Looking) -> CheckRow:
    found = at.names(at.signers)
    return at.row("max-signers", found, f"{len(found)} may sign")


def _max_granters(at: _Looking) -> CheckRow:
    found = at.names(at.granters)
    return at.row("max-granters", found, f"{len(found)} may assign roles")


def _max_pushers(at: _Looking) -> CheckRow:
    found = at.names(at.pushers)
    return at.row("max-pushers", found, f"{len(found)} may push")


def _no_signer_above_registry(at: _Looking) -> CheckRow:
    """A signer by any assignment above the registry, also where another one at the registry gives it too."""
    found = []
    for name in people(at.signers, at.tenant):
        assert at.signers is not None
        ways = at.signers.question.ways(name, at.place.scope)
        last = ways[-1].action if ways else ""
        above = {
            way.grant.assignment.scope for way in ways
            if way.action == last and way.grant.assignment is not None
            and at.tenant.state.index.tree.chain(way.grant.assignment.scope)[0] != at.registry.key
        }  # fmt: skip
        label = wording.label(name, at.tenant.people([name])) or name
        found += [f"{label} at {scope}" for scope in sorted(above)]
    return at.row("no-signer-above-registry", tuple(found), f"{len(found)} sign by a role above the registry")


def _no_new_signer(at: _Looking) -> CheckRow:
    known = at.asked.baseline
    new = [
        name for name in people(at.signers, at.tenant)
        if f"/{name}" not in known and f"{at.registry.name.lower()}/{name}" not in known
    ]  # fmt: skip
    labels = at.tenant.people(new)
    found = tuple(sorted(wording.label(name, labels) or name for name in new))
    return at.row("no-new-signer-since", found, f"{len(found)} may sign and could not before")


def _no_admin_account(at: _Looking) -> CheckRow:
    found = (special.ADMIN,) if at.registry.admin else ()
    return at.row("no-admin-account", found, "the admin account is " + ("enabled" if found else "disabled"))


def _no_anonymous_pull(at: _Looking) -> CheckRow:
    found = (special.ANONYMOUS,) if at.registry.anonymous else ()
    return at.row("no-anonymous-pull", found, "anonymous pull is " + ("enabled" if found else "disabled"))


def _no_orphans(at: _Looking) -> CheckRow:
    """Assignments at the registry, or above it, of principals that are gone."""
    index = at.tenant.state.index
    found = [
        f"{assignment.principal_id} at {assignment.scope}"
        for key in index.tree.chain(at.place.scope) for number, rows in index.at(key).items()
        if index.principal(number) is None for assignment in rows
    ]  # fmt: skip
    return at.row("no-orphans", tuple(sorted(found)), f"{len(found)} assignments of deleted principals")


RULES: Mapping[str, Callable[[_Looking], CheckRow]] = {
    "max-signers": _max_signers, "max-granters": _max_granters, "max-pushers": _max_pushers,
    "no-signer-above-registry": _no_signer_above_registry, "no-new-signer-since": _no_new_signer,
    "no-admin-account": _no_admin_account, "no-anonymous-pull": _no_anonymous_pull, "no-orphans": _no_orphans,
}  # fmt: skip
"""The rules by the names of their options."""


def check(tenant: Tenant, asked: Asked) -> Answer:
    """Return a row for each rule at each registry.

    Raises:
        AskError: there is no rule, or no such rule.
    """
    if not asked.rules:
        raise AskError(f"Name at least one rule: {', '.join('--' + rule for rule in RULES)}.")
    wrong = [rule for rule in asked.rules if rule not in RULES]
    if wrong:
        raise AskError(f"'{wrong[0]}' is no rule: {', '.join(RULES)}.")
    places, unknown = asking.places(tenant, asked)
    rows: list[CheckRow] = []
    questions = {word: holders.Questions(tenant, Asked(capability=word)) for word in ("sign", "grant", "push")}
    for place in places:
        if place.registry is not None:
            rows += _at(questions, asked, place, unknown)
    return answer(rows, unknown)


def _at(
    questions: Mapping[str, holders.Questions], asked: Asked, place: Place, unknown: list[Unknown]
) -> Iterator[CheckRow]:  # fmt: skip
    tenant = next(iter(questions.values())).tenant
    found: dict[str, Holders | None] = {}
    for word, rule in (("sign", "sign"), ("grant", "grant"), ("push", "push")):
        needed = asking.needs_of(word, place.registry) if any(rule in name for name in asked.rules) else None
        found[word] = questions[word].ask(needed, place.scope) if needed is not None else None
        if found[word] is not None:
            unknown += holders.hidden(tenant, found[word])  # type: ignore[arg-type]  # it is one
    unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    looking = _Looking(tenant, asked, place, found["sign"], found["grant"], found["push"])
    for rule in asked.rules:
        yield RULES[rule](looking)
