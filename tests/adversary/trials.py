"""Programs that are killed again and again: one process has everything loaded and forks a child for each trial."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event


def fork(child: Callable[[int], None]) -> tuple[int | None, int]:
    """Run a function in a child; return the number that it wrote, if any, and how it ended (`os.waitpid`).

    Args:
        child: takes the descriptor it may write to; where it raises, the child ends with exit code 70.
    """
    read, write = os.pipe()
    number = os.fork()
    if number == 0:
        try:
            child(write)
            os._exit(0)
        finally:
            os._exit(70)
    os.close(write)
    _, status = os.waitpid(number, 0)
    told = os.read(read, 16)
    os.close(read)
    return int(told) if told else None, status


def traced(engine: Engine, told: Callable[[str], None]) -> None:
    """Have every statement told just before it runs, on whatever connection, by whatever way it comes.

    Args:
        engine: of a store on SQLite; its open connections are closed.
        told: takes the statement's text.
    """

    def watch(connection: object, *_: object) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.set_trace_callback(told)

    engine.dispose()
    event.listen(engine, "connect", watch)


@contextmanager
def started(module: str) -> Iterator[subprocess.Popen[str]]:
    """Start a program that reads trials, a line of JSON each."""
    process = subprocess.Popen([sys.executable, "-m", module], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)  # fmt: skip
    yield process
    with suppress(BrokenPipeError):
        process.communicate(timeout=30)


def ask(process: subprocess.Popen[str], trial: dict[str, Any]) -> Any:
    """Run one trial and return what the program answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(trial) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())
