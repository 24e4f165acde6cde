"""A program that reads a state without pause: ``python -m tests.adversary.reader STATE SECONDS``.

It holds one snapshot that long; with ``input`` for SECONDS, until its input ends; with ``0``, it opens and closes
transactions until then. It says ``reading`` first, and at last when it let its snapshot go (seconds of the system's
monotonic clock).
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time

_COUNT = "SELECT count(*) FROM trust_key"


def _hold(path: str, seconds: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute(_COUNT).fetchall()
    print("reading", flush=True)
    if seconds == "input":
        sys.stdin.read()
    else:
        time.sleep(float(seconds))
    ended = time.monotonic()
    connection.execute("ROLLBACK")
    print(ended)


def _repeat(path: str, stop: threading.Event) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    while not stop.is_set():
        connection.execute("BEGIN")
        connection.execute(_COUNT).fetchall()
        time.sleep(0.005)
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    path, seconds = sys.argv[1:]
    if seconds != "0":
        _hold(path, seconds)
        sys.exit()
    stop = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(path, stop)) for _ in range(3)]
    for thread in threads:
        thread.start()
    print("reading", flush=True)
    sys.stdin.read()
    stop.set()
