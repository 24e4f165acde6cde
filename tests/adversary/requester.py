"""A program that sends one request to a cloud and dies on the way: ``python -m tests.adversary.requester``.

It reads one trial a line (JSON: ``state``, ``method``, ``target``, ``headers``, ``body`` in base64, ``number``), and for
each forks a child that opens the state, sends the request through the application, and ends itself with SIGKILL when
SQLite begins the statement of this number, COMMIT among them. It answers one line: the status that was reported before
the end, or null, and whether the request has fewer statements than that.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from azext_trust.server.app import App, create_app
from azext_trust.server.gate.call import Call, Settings
from tests.adversary.trials import fork, traced
from tests.unit.server.registry.conftest import send


def _trap(app: App, number: int) -> None:
    """End like a machine whose plug is pulled, at a statement on whatever connection."""
    left = [number]

    def told(_statement: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    traced(app.store.engine, told)


def _sent(app: App, trial: dict[str, Any]) -> int:
    body, host = base64.b64decode(trial["body"]), trial["headers"]["host"]
    if host != "localhost":
        return send(app, trial["method"], trial["target"], trial["headers"], [body] if body else []).status
    path, _, query = trial["target"].partition("?")
    values = dict(one.split("=") for one in query.split("&"))
    return app.answer(host, Call(trial["method"], path, values, trial["headers"], body, app.settings, query)).status


def _child(trial: dict[str, Any], out: int) -> None:
    app = create_app(Settings(state=trial["state"], quiet=True))
    _trap(app, trial["number"])
    os.write(out, str(_sent(app, trial)).encode())


def _run(trial: dict[str, Any]) -> tuple[int | None, bool]:
    told, status = fork(lambda out: _child(trial, out))
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"the child failed at statement {trial['number']}")
    return told, not os.WIFSIGNALED(status)


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run({**asked, "state": Path(asked["state"])})), flush=True)
