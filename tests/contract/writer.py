"""A program with many writers on one state: ``python -m tests.contract.writer DIRECTORY URL THREADS COUNT``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from azext_trust.server.store import facts
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store


def _count_up(store: Store, count: int) -> None:
    for _ in range(count):
        with store.write() as transaction:
            counted = int(facts.get(transaction.session, "counted", "0"))
            facts.put(transaction.session, "counted", str(counted + 1))
            transaction.record(Activity("test/count", "/", "Allowed", "writer", ""))


if __name__ == "__main__":
    directory, url, threads, count = sys.argv[1:]
    store = Store(Path(directory), url or None)
    failed: list[BaseException] = []
    threading.excepthook = lambda args: failed.append(args.exc_value or SystemExit())
    running = [threading.Thread(target=_count_up, args=(store, int(count))) for _ in range(int(threads))]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    store.close()
    sys.exit("\n".join(str(error) for error in failed) or 0)
