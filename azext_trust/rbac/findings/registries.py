"""Findings about registries: accounts without a name, signers who cannot push."""

from __future__ import annotations

from collections.abc import Iterator

from azext_trust.rbac.findings.kinds import finding
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.questions import fixes
from azext_trust.rbac.questions.facts import Registry
from azext_trust.rbac.questions.rows import FindingRow


def of_registries(view: View) -> Iterator[FindingRow]:
    """Yield what is wrong with each registry's doors."""
    for registry in view.registries:
        if registry.admin:
            yield finding(
                "admin-account", registry.name, "one name and two passwords push and pull everything, and belong to nobody",
                f"az acr update --name {registry.name} --admin-enabled false", registry=registry,
            )  # fmt: skip
        if registry.anonymous:
            yield finding(
                "anonymous-pull", registry.name, "anonymous pull is enabled: no sign-in is needed to read any image",
                f"az acr update --name {registry.name} --anonymous-pull-enabled false", registry=registry,
            )  # fmt: skip
        yield from _without_push(view, registry)


def _without_push(view: View, registry: Registry) -> Iterator[FindingRow]:
    if registry.abac:
        return
    signing, pushing = view.signing(registry), view.holders(registry, "push")
    able = pushing.people() | pushing.people(depends=True) if pushing is not None else 0
    for person in view.people(view.ids((signing.people() | signing.people(depends=True)) & ~able)):
        yield finding(
            "signer-without-push", person.label,
            "holds the rights of AcrImageSigner and none to push: a trusted push needs both (401 when it signs)",
            fixes.grant_command("AcrPush", person.id, person.kind, registry.id), registry=registry,
        )  # fmt: skip
