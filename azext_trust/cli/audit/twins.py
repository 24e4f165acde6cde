"""The handlers of ``twin``."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust import home
from azext_trust.cli.context import Context

logger = get_logger(__name__)


def _folder(into: str | None) -> str:
    return into or str(home.config_dir() / "twin")


def pull(
    context: Context, into: str | None = None, restart: bool = False, no_trust: bool = False, no_log: bool = False
) -> dict[str, Any]:  # fmt: skip
    """Read the active cloud into a local store.

    Raises:
        CLIError: another reading into this store is going on.
    """
    from azext_trust.audit.twin import Twin
    from azext_trust.cli.progress import Progress

    folder = _folder(into)
    with home.only_one(folder) as alone:
        if not alone:
            raise CLIError(f"Another process is reading into {folder}.")
        with Progress("reading") as progress:
            twin = Twin(context.connection, folder, progress, images=not no_trust, log=not no_log)
            try:
                found = twin.pull(restart=restart)
            except KeyboardInterrupt:
                logger.warning("Interrupted. 'aztrust twin pull' goes on from here.")
                raise
    for row in found["unknown"]:
        logger.warning("Not read: %s: %s", row["step"], row["why"])
    logger.warning("Ask it with --from %s, or rehearse on it with --state %s.", folder, folder)
    return found


def show(context: Context, into: str | None = None) -> dict[str, Any]:
    """Return how far a twin is.

    Raises:
        CLIError: there is none.
    """
    from azext_trust.audit import source, twin
    from azext_trust.clients.operator import Operator
    from azext_trust.cloud.connect import local

    folder = _folder(into)
    if not source.is_cloud(folder):
        raise CLIError(f"There is no twin in {folder}: make one with 'aztrust twin pull'.")
    operator = Operator(local(folder))
    try:
        return twin.shown(operator.call("GET", "observe"))
    finally:
        operator.close()
