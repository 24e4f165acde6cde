"""Runs command lines of az, each in a process forked from one that has imported what az needs.

Started with az's own python. A line of standard input is a JSON list of words; a line of standard output is
``{"code": .., "out": .., "err": ..}``. The command runs az's own ``__main__``, in a process of its own: it keeps nothing
of the command before but the imported modules, which are most of the second that az takes.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
from typing import IO, Any

SECONDS = 120
"""How long a command may take."""
_KEPT = ("azure.", "msal", "requests", "urllib3", "cryptography", "knack", "jwt", "concurrent.", "http.", "ssl", "yaml")
"""Beginnings of the names of modules that are imported once and for all."""


def _child(words: list[str], files: list[IO[bytes]]) -> None:
    """Run a command in this process, and end it."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(files[0].fileno(), 1)
    os.dup2(files[1].fileno(), 2)
    signal.alarm(SECONDS)
    sys.argv[1:] = words
    code = 0
    try:
        runpy.run_module("azure.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    loaded = [name for name in sys.modules if name.startswith(_KEPT) and not name.endswith("__main__")]
    files[2].write(json.dumps(loaded).encode())
    files[2].flush()
    os._exit(code)


def _keep(names: list[str]) -> None:
    """Import what a command imported, for the next ones."""
    for name in names:
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception:
                sys.modules.setdefault(name, None)  # type: ignore[arg-type]
                del sys.modules[name]


def run(words: list[str]) -> dict[str, object]:
    """Run a command line and return its exit code and what it wrote; a signal's number, negative, for one that died."""
    files: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115 - closed below, where they are read
    child = os.fork()
    if not child:
        _child(words, files)
    _, status = os.waitpid(child, 0)
    written = []
    for file in files:
        file.seek(0)
        written.append(file.read().decode(errors="replace"))
        file.close()
    _keep(json.loads(written[2] or "[]"))
    return {"code": os.waitstatus_to_exitcode(status), "out": written[0], "err": written[1]}


def _at_home() -> None:
    """Have every name under azurecr.io be this machine's."""
    real = socket.getaddrinfo

    def looked_up(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".azurecr.io") else host, *rest, **more)

    socket.getaddrinfo = looked_up  # type: ignore[assignment]


def main() -> None:
    """Run the lines of standard input until it ends."""
    _at_home()
    os.environ.setdefault("AZ_INSTALLER", "PIP")
    answers = os.fdopen(os.dup(1), "w")
    _keep(["azure.cli.core", "azure.cli.core.commands", "azure.cli.core._profile", "msal", "requests"])
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
