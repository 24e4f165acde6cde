"""Starts the served cloud, or says how to point clients at it."""

from __future__ import annotations

import re

from knack.util import CLIError

from azext_trust.cli.context import Context

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def serve(  # one parameter for each flag
    context: Context, seed: str | None = None, listen: list[str] | None = None,
    host: str = "localhost", login_server_suffix: str = "azurecr.io", retirement: str | None = None,
    ready_file: str | None = None, log_format: str = "text", imds: str | None = None,
    dns: int | None = None, blobs: str | None = None, print_setup: bool = False,
) -> None:  # fmt: skip
    """Serve the local Azure until it is told to stop.

    Args:
        context: names the cloud directory; with ``--only-show-errors`` requests are not logged.
        seed: a seed file, applied before serving.
        listen: addresses and ports; 127.0.0.1:443, else 8443, when none is given.
        host: the name under which the cloud publishes itself.
        login_server_suffix: login servers are ``<registry>.<suffix>``.
        retirement: where to move the retirement switch: off, 2026 or 2028.
        ready_file: receives the ready line when connections are accepted.
        log_format: text or json.
        imds: address and port of the instance metadata service.
        dns: port on which to answer DNS questions about the cloud's names.
        blobs: where layers lie.
        print_setup: print what to run so that clients use this cloud, and end.

    Raises:
        CLIError: it cannot be served; the message names the cure.
    """
    from azext_trust.hosting import serve as hosting
    from azext_trust.hosting.listener import HostingError

    for flag, value in (("--host", host), ("--login-server-suffix", login_server_suffix)):
        if not _NAME.fullmatch(value):
            raise CLIError(f"{flag}: '{value}' is no host name, such as localhost or azurecr.io.")
    if dns is not None and not 0 < dns < 65536:
        raise CLIError(f"--dns: {dns} is no port, such as 53.")
    options = hosting.Options(
        context.state,
        seed,
        list(listen or ()),
        host,
        login_server_suffix,
        retirement,
        ready_file,
        log_format,
        imds,
        dns,
        blobs,
        quiet=context.quiet,
    )
    try:
        if print_setup:
            print(hosting.recipe(options), end="")
        else:
            hosting.serve(options)
    except HostingError as error:
        raise CLIError(str(error)) from error
