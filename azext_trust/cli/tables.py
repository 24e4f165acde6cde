"""Which folder holds the commands that begin with a word. Only the folders that are asked for are loaded."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from azext_trust.cli.rows import Rows

FOLDERS = {
    "account": "account", "login": "account", "logout": "account", "cloud": "cloud", "acr": "acr", "config": "acr",
    "role": "role", "ad": "ad", "group": "group", "local": "local", "serve": "serve", "version": "version", "hosts": "hosts",
    "audit": "audit", "twin": "audit",
    "trust": "trust",
}  # fmt: skip
"""First word of a command to the folder of its rows."""


def rows(first: str) -> Iterator[Rows]:
    """Give the rows of the folder that a first word belongs to, or of all folders for any other word."""
    known = FOLDERS.get(first.lower())
    for folder in [known] if known else sorted(set(FOLDERS.values())):
        yield importlib.import_module(f"azext_trust.cli.{folder}.commands").ROWS
