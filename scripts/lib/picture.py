"""Draws what a terminal showed: ``scripts/quickstart | python3 scripts/lib/picture.py > picture.svg``."""

from __future__ import annotations

import sys
from html import escape

COLUMNS, LINE, MARGIN = 112, 17, 16
WIDTH = 8


def colour(line: str) -> str:
    """Return the colour of a line: headings, commands, output."""
    if line.startswith("== "):
        return "#7ee787"
    return "#f0f6fc" if line.startswith("$ ") else "#9da7b3"


def rows(text: str) -> list[str]:
    """Return the lines to draw: long ones cut, empty ones at the edges left out."""
    lines = [line.expandtabs() for line in text.strip("\n").splitlines()]
    return [line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…" for line in lines]


def draw(lines: list[str]) -> str:
    """Return the picture."""
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    body = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + index * LINE + 13}" fill="{colour(line)}">{escape(line)}</text>'
        for index, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    sys.stdout.write(draw(rows(sys.stdin.read())))
