"""docs/audit.md says what the program does: rows, changes, findings, questions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from azext_trust.rbac.findings.kinds import KINDS
from azext_trust.rbac.questions import changes, rows
from azext_trust.rbac.questions.answers import camel
from azext_trust.rbac.questions.asked import ALIASES, WORDS
from azext_trust.server.operator.audit_openapi import QUESTIONS

PAGE = Path(__file__).parents[2].joinpath("docs", "audit.md").read_text(encoding="utf-8")


def cells(first: str) -> list[str]:
    """Return the cells of the one table row that begins so."""
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    "kind", [*dict.fromkeys(one.row for one in QUESTIONS.values()), rows.MissRow], ids=lambda kind: kind.__name__
)
def test_rows(kind: type) -> None:
    """M22: the contract's members, in order."""
    assert cells(kind.__name__)[1].split(", ") == [camel(one.name) for one in dataclasses.fields(kind)]


@pytest.mark.parametrize("name", KINDS)
def test_findings(name: str) -> None:
    """M24: each finding with its severity and a cure."""
    _, severity, meaning, cure = cells(f"`{name}`")
    assert severity.split()[0] == KINDS[name].severity
    assert meaning
    assert cure


def test_words() -> None:
    """M22, M23: every question, capability and kind of change is told of."""
    for word in (*(f"`{name} " for name in QUESTIONS), *(f"`{word}`" for word in (*WORDS, *ALIASES)),
                 *(f"change: {name}," for name in changes.KINDS)):  # fmt: skip
        assert word in PAGE, word
