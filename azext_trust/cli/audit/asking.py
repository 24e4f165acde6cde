"""How a command asks, and how its answer ends: exit codes 4 and 5, what is unknown told on stderr."""

from __future__ import annotations

import re
from typing import Any

from knack.log import get_logger

from azext_trust.cli.context import Context

logger = get_logger(__name__)

GATE, INCOMPLETE = 4, 5
"""Exit codes: a gate does not hold; an answer is not complete, which wins."""
_SHOWN = 10


def ask(context: Context, question: str, folder: str | None, live: bool = False, **words: Any) -> dict[str, Any]:
    """Return an answer, and say how far it goes.

    Args:
        context: the command's surroundings.
        question: its name.
        folder: ``--from``.
        live: ``--live``.
        words: what was said, by the handlers' names; empty ones are left out.
    """
    said = {_camel(name): value for name, value in words.items() if value not in (None, "", False)}
    if folder is None and not live and context.connection.profile.kind != "azure":
        found = _operator(context, question, said)
    else:
        from azext_trust.audit import source

        found = source.ask(question, said, connection=lambda: context.connection, folder=folder, live=live,
                           note=logger.warning)  # fmt: skip
    return ended(context, found)


def _operator(context: Context, question: str, said: dict[str, Any]) -> dict[str, Any]:
    """Ask the operator service with nothing more loaded than that takes."""
    from azext_trust.clients.operator import Operator
    from azext_trust.cloud.errors import CloudError, HttpError

    try:
        return Operator(context.connection).audit(question, said)
    except HttpError as error:
        if error.code == "ResourceNotFound":
            raise CloudError(error.message, 3) from None
        if error.code == "InvalidParameter":
            raise CloudError(error.message) from None
        raise


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def ended(context: Context, found: dict[str, Any]) -> dict[str, Any]:
    """Say on stderr what an answer does not know, and let the command end with 5."""
    unknown = found["unknown"]
    if unknown:
        context.exit_code = INCOMPLETE
        logger.warning("The answer is not complete. Not known:")
        for row in unknown[:_SHOWN]:
            logger.warning("  %s: %s", row["what"], row["why"])
        if len(unknown) > _SHOWN:
            logger.warning("  and %d more.", len(unknown) - _SHOWN)
    return found


def gate(context: Context, holds: bool) -> None:
    """Let the command end with 4 when a gate does not hold, unless it ends with 5."""
    if not holds and context.exit_code != INCOMPLETE:
        context.exit_code = GATE
