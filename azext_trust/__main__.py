"""Entry point: ``aztrust`` and ``python -m azext_trust``."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

# Starting up allocates much and frees nothing: the collector would walk it again and again (a tenth of the time).
# `aztrust serve` sets it back.
gc.set_threshold(200_000, 50, 50)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        _print_help()
        return
    from azext_trust.cli.main import run

    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End at once: taking apart all that was loaded takes a quarter of a command, and the system frees it anyway."""
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(code)


def _print_help() -> None:
    """Print the help of the whole program, which is kept as text: knack is not loaded for it.

    ``scripts/check --fix`` writes the file anew, and a test holds it equal to what knack prints.
    """
    from pathlib import Path

    sys.stdout.write(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
