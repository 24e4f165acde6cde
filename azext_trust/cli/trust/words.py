"""What is said on stderr while trust is worked on: docker's lines, in colour on a terminal; and what is asked there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from knack.prompting import NoTTYException, prompt_pass

from azext_trust.cli.context import Context
from azext_trust.cli.progress import Progress
from azext_trust.signing.errors import NoPassphrase
from azext_trust.signing.passphrases import Passphrases

GOOD, ODD = "32", "33"
"""Colours (ECMA-48): what succeeded, what should be looked at."""


def say(context: Context, text: str, colour: str = "") -> None:
    """Write a line to stderr; nothing with ``--only-show-errors``."""
    if context.quiet:
        return
    coloured = colour and context.colour and sys.stderr.isatty() and "NO_COLOR" not in os.environ
    sys.stderr.write(f"\x1b[{colour}m{text}\x1b[0m\n" if coloured else f"{text}\n")
    sys.stderr.flush()


def warn(context: Context, *texts: str) -> None:
    """Write what the user should know."""
    for text in texts:
        say(context, f"WARNING: {text}", ODD)


def passphrases(progress: Progress | None = None, environment: Mapping[str, str] | None = None) -> Passphrases:
    """Return where passphrases come from: docker's variables, else the terminal where there is one.

    Args:
        progress: the line that must not move while somebody types.
        environment: None is the process's own.
    """
    if not sys.stdin.isatty():
        return Passphrases(environment=environment)

    def ask(prompt: str) -> str:
        if progress is None:
            return _asked(prompt)
        with progress.hidden():
            return _asked(prompt)

    # It is said between questions, when the line does not move either.
    return Passphrases(ask, lambda text: _told(f"\r\x1b[K{text}\n"), environment)


def _told(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _asked(prompt: str) -> str:
    try:
        return str(prompt_pass(prompt))
    except (NoTTYException, EOFError):
        raise NoPassphrase("maximum number of passphrase attempts exceeded") from None
