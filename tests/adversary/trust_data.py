"""Trust data in bulk: what a busy registry holds, written past the server so that tests need not sign it."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

MARK = b"MARKER"
"""Stands in every row's metadata, signatures and server keys; followed by the registry's name."""
TABLES = ("trust_metadata", "trust_tag", "trust_key", "trust_change")
NOW = "2025-01-01T00:00:00.0000000Z"


def fill(state: Path, shares: dict[str, tuple[int, int]], seed: int = 1) -> None:
    """Give registries signed tags and enable content trust on them, their rows mixed in every page.

    Args:
        state: a founded cloud directory that nobody has open.
        shares: registry name -> how many repositories, and signed tags in each.
        seed: of the order in which rows are written.
    """
    connection = sqlite3.connect(state / "state.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA secure_delete = ON")
    ids = dict(connection.execute("SELECT name, trust_space FROM registry"))
    repositories = [(name, at, tags) for name, (count, tags) in shares.items() for at in range(count)]
    random.Random(seed).shuffle(repositories)
    for table, rows in (
        ("trust_metadata", _metadata), ("trust_tag", _tags), ("trust_key", _keys), ("trust_change", _changes)
    ):  # fmt: skip
        values = [row for name, at, tags in repositories for row in rows(ids[name], name, at, tags)]
        connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(values[0]))})", values)
    names = list(shares)
    marks = ",".join("?" * len(names))
    connection.execute(f"UPDATE registry SET trust_enabled = 1, trust_enabled_before_retirement = 1 "
                       f"WHERE name IN ({marks})", names)  # fmt: skip
    connection.commit()
    connection.close()


def _gun(name: str, at: int) -> str:
    return f"{name}.azurecr.io/team{at % 7}/image{at}"


def _signed(name: str, role: str, at: int, version: int, tags: int) -> bytes:
    targets = {f"v{tag}": {"hashes": {"sha256": f"{at:032d}{tag:032d}"}, "length": 1234} for tag in range(tags)}
    mark = f"{MARK.decode()}-{name}-{role}-{at}-{version}"
    return json.dumps({"signed": {"targets": targets, "x": mark}, "signatures": [{"sig": mark * 3}]}).encode()


def _metadata(registry: str, name: str, at: int, tags: int) -> Iterator[tuple[object, ...]]:
    for role, versions, listed in (("root", 1, 0), ("targets", 2, tags), ("snapshot", 2, 0), ("timestamp", 3, 0)):
        for version in range(1, versions + 1):
            content = _signed(name, role, at, version, listed * version // versions)
            yield registry, _gun(name, at), role, version, f"{at:060d}{version:04d}", NOW, content


def _tags(registry: str, name: str, at: int, tags: int) -> Iterator[tuple[object, ...]]:
    for tag in range(tags):
        yield registry, _gun(name, at), "targets", f"v{tag}", f"{at:032d}{tag:032d}", 1234


def _keys(registry: str, name: str, at: int, _: int) -> Iterator[tuple[object, ...]]:
    for role in ("snapshot", "timestamp"):
        mark = f"{MARK.decode()}-{name}-key-{role}-{at}"
        yield registry, _gun(name, at), role, f"{at:064d}", NOW, mark.encode(), mark * 3


def _changes(registry: str, name: str, at: int, _: int) -> Iterator[tuple[object, ...]]:
    for version in (1, 2):
        yield None, registry, _gun(name, at), version, f"{at:060d}{version:04d}", "update", NOW


def counts(state: Path, name: str) -> dict[str, int]:
    """Return how many rows of each trust table a registry has, and its policy (1 enabled) under ``policy``."""
    connection = sqlite3.connect(state / "state.db")
    space, enabled = connection.execute(
        "SELECT trust_space, trust_enabled FROM registry WHERE name = ?", (name,)
    ).fetchone()
    found = {
        table: connection.execute(f"SELECT count(*) FROM {table} WHERE registry_id = ?", (space,)).fetchone()[0]
        for table in TABLES
    }
    connection.close()
    return {**found, "policy": enabled}


def marks(state: Path, name: str) -> dict[str, int]:
    """Return how often a registry's mark stands in the bytes of each file of a state that holds it."""
    mark = MARK + b"-" + name.encode()
    files = [path for path in state.rglob("*") if path.is_file()]
    return {path.name: count for path in files if (count := path.read_bytes().count(mark))}
