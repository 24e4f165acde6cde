"""The ``aztrust`` command line: knack, with az's exit codes, streams and error texts."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Any

from knack import CLI
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS, EVENT_PARSER_GLOBAL_CREATE
from knack.log import get_logger
from knack.output import OutputProducer
from knack.util import CLIError

from azext_trust import __version__, home
from azext_trust.cli.context import Context
from azext_trust.cli.parser import Loader, Parser

logger = get_logger(__name__)


class TrustCli(CLI):  # type: ignore[misc]
    """Knack's CLI with what every command of aztrust shares.

    Args:
        first: the first word of the command line: some groups have more output formats.
    """

    def __init__(self, first: str = "") -> None:
        home.private_dir(home.config_dir())  # before knack makes it for everybody to read
        super().__init__(
            cli_name="aztrust", config_dir=str(home.config_dir()), config_env_var_prefix="AZTRUST",
            commands_loader_cls=Loader, parser_cls=Parser,
            output_cls=AuditOutput if first == "audit" else OutputProducer,
        )  # fmt: skip
        self.context = Context()
        logging.getLogger("cli.knack.cli").addFilter(_without_secrets)
        self.register_event(EVENT_PARSER_GLOBAL_CREATE, _global_arguments)
        self.register_event(EVENT_INVOKER_POST_PARSE_ARGS, _take_global_arguments)

    def get_cli_version(self) -> str:
        """Return what ``--version`` shows first."""
        return f"aztrust {__version__}"

    def exception_handler(self, ex: Exception) -> int:
        """Tell an error as az does and return the exit code."""
        if isinstance(ex, CLIError):
            logger.error(ex)
            return 1
        # Imported here: only then is it loaded for sure that a command spoke to a cloud.
        from azext_trust.cloud.errors import CloudError

        if isinstance(ex, CloudError):
            logger.error(ex)
            command = str((self.invocation.data if self.invocation else {}).get("command", ""))
            showing = command.endswith((" show", " show-metadata"))
            return 3 if showing and getattr(ex, "status", None) == 404 else ex.exit_code
        if isinstance(ex, BrokenPipeError):
            return 1
        logger.error("The command failed with an unexpected error. Here is the traceback:")
        logger.exception(ex)
        return 1


_SECRET = re.compile(r"(-p|--pass[a-z]*|--federated-t[a-z-]*|--secret[a-z-]*)(=?)(.*)", re.DOTALL)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Blank what ``--debug`` would repeat of a command line: it ends up in issues and build logs."""
    if isinstance(record.args, tuple) and record.args and isinstance(record.args[0], list):
        shown, hide = [], False
        for word in record.args[0]:
            found = _SECRET.fullmatch(str(word))
            value = found[3] if found else ""
            shown.append("***" if hide else f"{found[1]}{found[2]}***" if found and value else word)
            hide = found is not None and not value
        record.args = (shown,)
    return True


def _global_arguments(_: Any, arg_group: Any) -> None:
    arg_group.add_argument("--subscription", dest="_subscription", default=None, help="Name or ID of subscription.")
    arg_group.add_argument("--state", dest="_state", default=None,
                           help="Cloud directory of the embedded cloud, instead of the default one.")  # fmt: skip


def _take_global_arguments(cli: TrustCli, args: Any, **_: Any) -> None:
    quiet = cli.only_show_errors or args._log_verbosity_only_show_errors
    cli.context = Context(args._state, args._subscription, quiet, cli.enable_color, args._output_format)


class AuditOutput(OutputProducer):  # type: ignore[misc]
    """Knack's output with the formats that audits have besides az's."""

    MORE = ("csv", "html", "junit", "sarif")

    def __init__(self, cli_ctx: Any = None) -> None:
        super().__init__(cli_ctx)
        self.cli_ctx.register_event(EVENT_PARSER_GLOBAL_CREATE, self._more)

    def _more(self, _: Any, arg_group: Any) -> None:
        for action in arg_group._group_actions:
            if action.dest == self.ARG_DEST:
                action.choices = [*action.choices, *self.MORE]

    def get_formatter(self, format_type: str) -> Any:
        """Return what turns a result into text."""
        if format_type not in self.MORE:
            return super().get_formatter(format_type)
        from azext_trust.cli.audit import formats

        return lambda item: formats.text(item.result, format_type)


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: the words after ``aztrust``.

    Returns:
        The exit code: 0, 1 error, 2 usage, 3 not found; of audits also 4 and 5.
    """
    try:
        home.private_dir(home.config_dir())
        cli = TrustCli(arguments[0].lower() if arguments else "")
    except OSError as error:
        print(f"ERROR: The configuration directory {home.config_dir()} cannot be written: {error.strerror}. "
              "Set AZTRUST_CONFIG_DIR to a directory of yours.", file=sys.stderr)  # fmt: skip
        return 1
    try:
        return int(cli.invoke(arguments, out_file=sys.stdout)) or cli.context.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        cli.context.close()
        _flush()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    logging.shutdown()
