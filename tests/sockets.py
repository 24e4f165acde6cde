"""Ports for servers that tests start, and bytes sent to them as they are."""

from __future__ import annotations

import socket
import ssl


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def talk(port: int, ca: str, sent: bytes) -> bytes:
    """Send bytes over TLS and return all that comes back.

    Args:
        port: where ``localhost`` is served.
        ca: file of the authority to trust.
        sent: the request, or what pretends to be one.
    """
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(sent)
        got = b""
        while chunk := secure.recv(65536):
            got += chunk
        return got
