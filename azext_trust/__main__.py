"""Entry point: ``aztrust`` and ``python -m azext_trust``."""

from __future__ import annotations

import gc
import sys

# Starting up allocates much and frees nothing: the collector would walk it again and again (a tenth of the time).
gc.set_threshold(200_000, 50, 50)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        _print_help()
        return
    from azext_trust.cli.main import run

    sys.exit(run(sys.argv[1:]))


def _print_help() -> None:
    """Print the help of the whole program, which is kept as text: knack is not loaded for it.

    ``scripts/check --fix`` writes the file anew, and a test holds it equal to what knack prints.
    """
    from pathlib import Path

    sys.stdout.write(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
