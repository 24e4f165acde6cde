"""A program that reads a state without pause: ``python -m tests.adversary.reader STATE SECONDS``.

With SECONDS 0 it opens and closes transactions until its input ends; else it holds one snapshot that long.
It says ``reading`` first.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time

_COUNT = "SELECT count(*) FROM trust_key"


def _hold(path: str, seconds: float) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute(_COUNT).fetchall()
    print("reading", flush=True)
    time.sleep(seconds)
    connection.execute("ROLLBACK")


def _repeat(path: str, stop: threading.Event) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    while not stop.is_set():
        connection.execute("BEGIN")
        connection.execute(_COUNT).fetchall()
        time.sleep(0.005)
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    path, seconds = sys.argv[1], float(sys.argv[2])
    if seconds:
        _hold(path, seconds)
        sys.exit()
    stop = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(path, stop)) for _ in range(3)]
    for thread in threads:
        thread.start()
    print("reading", flush=True)
    sys.stdin.read()
    stop.set()
