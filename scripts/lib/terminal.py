"""Draws lines of a terminal as SVG: from standard input to the file that is named."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

WIDE, HIGH, EDGE = 7.8, 18, 16
"""A character's width, a line's height, and the margin, in pixels."""


def drawn(lines: list[str]) -> str:
    """Return the picture; what was typed stands out from what was printed.

    Args:
        lines: as in the terminal; what follows ``$ `` was typed.
    """
    width = max(len(line) for line in lines) * WIDE + 2 * EDGE
    height = len(lines) * HIGH + 2 * EDGE
    rows = [
        f'<text x="{EDGE}" y="{EDGE + (number + 0.75) * HIGH}" class="{"typed" if line.startswith("$ ") else "said"}"'
        f' textLength="{len(line) * WIDE:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img"'
        ' aria-label="The article\'s commands on an embedded cloud">',
        "<style>text{font:13px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}"
        ".typed{fill:#7ee787;font-weight:bold}.said{fill:#e6edf3}</style>",
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#0d1117"/>', *rows, "</svg>", "",
    ])  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(sys.stdin.read().rstrip("\n").split("\n")), encoding="utf-8")
