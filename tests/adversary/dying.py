"""Opens a state and dies on the way: ``python -m tests.adversary.dying DIRECTORY MOMENT NUMBER``.

MOMENT is the beginning of an SQL statement, or ``backup``, ``commit``, ``rename``; it ends at the NUMBERth time. Prints
``opened`` if that never came.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from azext_trust.server.store import migrate
from azext_trust.server.store.transaction import Store


def _dying(number: int, then: Callable[..., Any] = lambda *_, **__: None) -> Callable[..., Any]:
    left = [number]

    def counted(*words: Any, **more: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return then(*words, **more)

    return counted


def prepare(moment: str, number: int) -> None:
    """Set the trap."""
    counted = _dying(number)
    if moment == "commit":
        event.listen(Engine, "commit", lambda _connection: counted())
    elif moment == "backup":
        migrate._sync = _dying(number, migrate._sync)
    elif moment == "rename":
        Path.rename = _dying(number, Path.rename)  # type: ignore[method-assign]
    else:

        def before(_c: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.lstrip().startswith(moment):
                counted()

        event.listen(Engine, "before_cursor_execute", before)


if __name__ == "__main__":
    prepare(sys.argv[2], int(sys.argv[3]))
    Store(Path(sys.argv[1])).close()
    print("opened")
