"""docs/fidelity.md has a row for each command line of scripts/lib/fidelity.txt, and none is broken (M29)."""

from __future__ import annotations

import re
from pathlib import Path

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
