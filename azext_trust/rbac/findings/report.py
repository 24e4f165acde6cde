"""The audit report (M24): all findings, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from azext_trust.rbac.findings import activity, assignments, kinds, registries, trust_data
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import holders
from azext_trust.rbac.questions.answers import Answer
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import Tenant, Unknown
from azext_trust.rbac.questions.rows import FindingRow

ALL: tuple[Callable[[View], Iterator[FindingRow]], ...] = (
    registries.of_registries, assignments.of_assignments, trust_data.of_trust_data, activity.of_activity,
)  # fmt: skip
"""The makers of findings."""


@dataclass(frozen=True)
class Report(Answer):
    """Findings, and for a page with pictures what they are drawn from.

    Attributes:
        charts: see `charts.of`; empty unless asked for.
    """

    charts: Mapping[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return it as JSON has it; ``charts`` stands in it when they were asked for."""
        return super().document() | ({"charts": self.charts} if self.charts else {})


def report(tenant: Tenant, asked: Asked) -> Report:
    """Return all findings at one registry or at all of them.

    Raises:
        AskError: it cannot be asked so.
    """
    places, unknown = asking.places(tenant, asked)
    examined = [place.registry for place in places if place.registry is not None]
    view = View(tenant, examined)
    for place in places:
        unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    unknown += [*_hidden(view), *tenant.sight.log()]
    rows = sorted((row for make in ALL for row in make(view)), key=kinds.order)
    drawn: Mapping[str, object] = {}
    if asked.charts:
        from azext_trust.rbac.findings import charts

        drawn = charts.of(view)
    return Report(rows, tuple(dict.fromkeys(unknown)), drawn)


def _hidden(view: View) -> Iterator[Unknown]:
    if not view.tenant.sight.hidden_groups():
        return
    for registry in view.registries:
        for word in ("sign", "grant", "manage-policy"):
            found = view.holders(registry, word)
            if found is not None:
                yield from holders.hidden(view.tenant, found)
