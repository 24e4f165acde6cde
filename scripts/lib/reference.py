"""Writes what is generated from the command rows: the program's own help text and ``docs/commands.md``.

Args: ``--check`` compares instead, and ends with 1 when a file is stale.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from pathlib import Path

from azext_trust.cli import tables
from azext_trust.cli.main import TrustCli
from azext_trust.cli.rows import Argument, Command

ROOT = Path(__file__).resolve().parents[2]


def help_text() -> str:
    """Return what ``aztrust --help`` prints."""
    printed = io.StringIO()
    with redirect_stdout(printed), suppress(SystemExit):
        TrustCli().invoke(["--help"], out_file=printed)
    return printed.getvalue()


def reference() -> str:
    """Return the reference of all commands, as Markdown."""
    found = list(tables.rows(""))
    groups = {group.name: group.summary for rows in found for group in rows.groups}
    commands = sorted((row for rows in found for row in rows.commands), key=lambda row: row.name)
    lines = [
        "# Commands",
        "",
        "Generated from the command rows by `scripts/check --fix`. Every command also takes",
        "`--output`, `--query`, `--debug`, `--verbose`, `--only-show-errors`, `--subscription` and `--state`.",
        "",
    ]
    last = ""
    for command in commands:
        group = command.name.rpartition(" ")[0]
        if group != last:
            lines += [f"## {group or 'aztrust'}", "", *([groups[group], ""] if group in groups else [])]
            last = group
        lines += _command(command)
    return "\n".join(lines).rstrip() + "\n"


def _command(row: Command) -> Iterator[str]:
    yield from (f"### aztrust {row.name}", "", row.summary, "")
    if row.details:
        yield from (row.details, "")
    if row.arguments:
        yield from ("| option | |", "|---|---|")
        yield from (_argument(argument) for argument in row.arguments)
        yield ""
    for example in row.examples:
        yield from (example.name, "```bash", example.text, "```", "")


def _argument(row: Argument) -> str:
    names = " ".join(f"`{name}`" for name in row.options) or f"`{row.dest.upper()}`"
    words = [row.help, f"One of: {', '.join(row.choices)}." if row.choices else "", "Required." if row.required else ""]
    return f"| {names} | {' '.join(word for word in words if word)} |".replace("\n", " ")


def main() -> int:
    """Write or compare the files; return the exit code."""
    stale = []
    for path, text in ((ROOT / "azext_trust/help.txt", help_text()), (ROOT / "docs/commands.md", reference())):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    if stale:
        print("written anew:" if "--check" not in sys.argv else "stale, run scripts/check --fix:", *stale)
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
