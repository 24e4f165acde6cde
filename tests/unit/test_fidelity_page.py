"""docs/fidelity.md has a row for each command line of scripts/lib/fidelity.txt, and none is broken (M29)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.lib import fidelity

ROOT = Path(__file__).resolve().parents[2]


def rows() -> dict[str, str]:
    """Return the command lines of the page with what came of each."""
    page = (ROOT / "docs/fidelity.md").read_text()
    return dict(re.findall(r"^\| `(az .+?)` \| (.+) \|$", page, re.MULTILINE))


def test_rows_are_the_lines_that_are_run() -> None:
    """M29: the page was written from the commands as they are now."""
    text = (ROOT / "scripts/lib/fidelity.txt").read_text()
    assert set(rows()) == {line.replace("|", "\\|") for line in text.splitlines() if line.startswith("az ")}


def test_no_row_is_broken() -> None:
    """M29: a command that neither works nor ends in an error that is meant is a fault of this cloud."""
    assert [line for line, result in rows().items() if result.startswith("broken")] == []


def test_a_row_that_got_worse_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M29: row by row, also where a line stands there twice; an error's text counts, what works again does not."""
    page = tmp_path / "page.md"
    page.write_text("## One\n\n| `az a` | real error: `no` |\n| `az a` | works |\n| `az b` | not offered: `x` |\n")
    monkeypatch.setattr(fidelity, "PAGE", page)
    first, second = fidelity.Step("a", fidelity.REAL), fidelity.Step("a")
    third = fidelity.Step("b", fidelity.OUTSIDE, result=fidelity.WORKS)
    section = fidelity.Section("One", [first, second, third])
    first.result, first.said, second.result = fidelity.REAL, "no", fidelity.WORKS
    assert fidelity.worse([section]) == []
    second.result, second.said = fidelity.BROKEN, "oh"
    assert [text.splitlines()[0] for text in fidelity.worse([section])] == ["az a"]
    second.result, first.said = fidelity.WORKS, "other"
    assert "other" in fidelity.worse([section])[0]
