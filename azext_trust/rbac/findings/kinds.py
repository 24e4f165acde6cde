"""Every kind of finding: how grave it is, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from azext_trust.rbac.questions.facts import Registry
from azext_trust.rbac.questions.rows import FindingRow

SEVERITIES = ("high", "medium", "low", "info")
"""From the gravest on."""


class Kind(NamedTuple):
    """A kind of finding: its severity unless its evidence says otherwise, and its title."""

    severity: str
    title: str


KINDS: Mapping[str, Kind] = {
    "admin-account": Kind("high", "The admin account is enabled"),
    "signed-tag-gone": Kind("high", "A signed tag's image is gone"),
    "signed-tag-retention": Kind("high", "Retention will delete a signed tag's image"),
    "weak-key": Kind("high", "A key is weak"),
    "metadata-expiring": Kind("medium", "Trust metadata are about to expire"),
    "can-become-signer": Kind("medium", "Could grant itself signing"),
    "root-and-policy": Kind("medium", "One person holds a root key and policy rights"),
    "signer-above-registry": Kind("medium", "Signing is granted above the registry"),
    "signer-without-push": Kind("medium", "A signer cannot push"),
    "anonymous-pull": Kind("medium", "Anybody may pull"),
    "delegation-without-role": Kind("medium", "A delegation's holder has no right to sign"),
    "key-without-holder": Kind("medium", "Nobody who may sign holds a key"),
    "client-without-trust": Kind("medium", "A client ignores content trust"),
    "role-without-delegation": Kind("low", "A signer has no delegation"),
    "orphaned-assignment": Kind("low", "An assignment's principal is deleted"),
    "duplicate-assignment": Kind("low", "The same is assigned twice"),
    "shadowed-assignment": Kind("low", "Another assignment gives all of it"),
    "stale-token": Kind("low", "A token is older than a role change"),
    "unsigned-tag": Kind("info", "Tags are not signed"),
}


def finding(
    kind: str, subject: str, evidence: str, cure: str, *, registry: Registry | None = None, scope: str = "",
) -> FindingRow:  # fmt: skip
    """Return a finding.

    Args:
        kind: a key of `KINDS`.
        subject: who or what it is about.
        evidence: the facts.
        cure: the command.
        registry: where, unless it is about another scope.
        scope: the resource; the registry's unless given.
    """
    severity, title = KINDS[kind]
    where = scope or (registry.id if registry else "")
    return FindingRow(severity, kind, title, registry.name if registry else None, subject, evidence, cure, where)


def order(row: FindingRow) -> tuple[int, str, str, str, str]:
    """Return the place of a finding in a report: the gravest first."""
    return SEVERITIES.index(row.severity), row.finding, row.registry or "", row.subject, row.evidence
