"""A program that disables content trust and dies on the way: ``python -m tests.adversary.purger``.

It reads one trial a line (JSON: ``state``, ``token``, ``target``, ``moment``), and for each forks a child that opens
the state, sends the request through the application, and ends itself with SIGKILL at the moment. It answers one line:
the status that was reported before the end, or null.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from azext_trust.server.app import App, create_app
from azext_trust.server.gate.call import Call, Settings
from azext_trust.server.store import wipe
from tests.adversary.trials import fork, traced

BODY = {"properties": {"policies": {"trustPolicy": {"status": "disabled", "type": "Notary"}}}}


def die() -> None:
    """End like a machine whose plug is pulled."""
    os.kill(os.getpid(), signal.SIGKILL)


def _at_statement(app: App, begins: str, number: int = 1) -> None:
    seen = [0]

    def told(statement: str) -> None:
        seen[0] += statement.startswith(begins)
        if seen[0] == number:
            die()

    traced(app.store.engine, told)


def _at_commit(app: App) -> None:
    event.listen(app.store.engine, "commit", lambda _connection: die())


def _after_commit(app: App) -> None:
    wipe.finish = lambda *_: die()


def _after_backups(app: App) -> None:
    wipe._remove_backups = lambda *_: die()


MOMENTS: dict[str, Callable[[App], None]] = {
    "before the erasing change": lambda app: _at_statement(app, "UPDATE registry"),
    "at the note": lambda app: _at_statement(app, "INSERT INTO fact"),
    "at the activity entry": lambda app: _at_statement(app, "INSERT INTO activity"),
    "at the numbers": lambda app: _at_statement(app, "INSERT INTO fact", 2),
    "at the commit": _at_commit,
    "after the commit": _after_commit,
    "before the first delete": lambda app: _at_statement(app, "DELETE FROM trust_"),
    "between the deletes": lambda app: _at_statement(app, "DELETE FROM trust_", 1500),
    "before the last delete": lambda app: _at_statement(app, "DELETE FROM trust_change"),
    "before the rewriting": lambda app: _at_statement(app, "VACUUM"),
    "after the rewriting": lambda app: _at_statement(app, "PRAGMA wal_checkpoint"),
    "after the checkpoint": _after_backups,
    "before the note goes": lambda app: _at_statement(app, "DELETE FROM fact"),
    "after the report": lambda app: None,
}


def _prepare(app: App, moment: str) -> None:
    if moment in MOMENTS:
        MOMENTS[moment](app)
    else:  # milliseconds
        threading.Timer(float(moment) / 1000, die).start()


def _child(trial: dict[str, str], out: int) -> None:
    app = create_app(Settings(state=Path(trial["state"]), quiet=True))
    path, _, query = trial["target"].partition("?")
    headers = {"host": "localhost", "authorization": f"Bearer {trial['token']}"}
    call = Call("PATCH", path, dict([query.split("=")]), headers, json.dumps(BODY).encode(), app.settings, query)
    _prepare(app, trial["moment"])
    reply = app.answer("localhost", call)
    os.write(out, str(reply.status).encode())
    die()


def _run(trial: dict[str, str]) -> int | None:
    told, status = fork(lambda out: _child(trial, out))
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the child was not killed at {trial['moment']!r}: status {status}")
    return told


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)
