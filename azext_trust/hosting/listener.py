"""Where the cloud listens: addresses as given, or the default with its way out."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

DEFAULT_ADDRESS = "127.0.0.1"
DEFAULT_PORT = 443
FALLBACK_PORT = 8443


class HostingError(Exception):
    """The cloud cannot be served; the message names the cure."""


@dataclass(frozen=True)
class Endpoint:
    """An address and port to listen on."""

    address: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read ``ADDRESS:PORT``; an IPv6 address stands in brackets.

        Raises:
            HostingError: it is something else.
        """
        address, colon, port = text.rpartition(":")
        if address.startswith("[") and address.endswith("]"):
            address = address[1:-1]
        elif ":" in address:
            colon = ""
        try:
            ip_address(address)
            valid = bool(colon) and 0 < int(port) < 65536 and port.isascii()
        except ValueError:
            valid = False
        if not valid:
            raise HostingError(
                f"--listen {text}: expected ADDRESS:PORT, an IP address of this machine and a port "
                "from 1 to 65535, such as 127.0.0.1:8443 or [::1]:8443."
            )
        return cls(address, int(port))

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def bind(self) -> socket.socket:
        """Return a bound socket that does not listen yet.

        Raises:
            OSError: it may not be bound, or is taken.
        """
        v6 = isinstance(ip_address(self.address), IPv6Address)
        made = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Headers and body leave in two small packets: with Nagle's algorithm that costs 40 ms a request.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if v6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((self.address, self.port))
        except BaseException:
            made.close()
            raise
        return made

    def addresses(self) -> list[str]:
        """Return the addresses it answers on: itself, or for the unspecified address those of the machine."""
        address = ip_address(self.address)
        if not address.is_unspecified:
            return [self.address]
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        found = {"::1" if address.version == 6 else "127.0.0.1"}
        # A machine that cannot resolve its own name is reached on the loopback address.
        with contextlib.suppress(socket.gaierror):
            own = socket.getaddrinfo(socket.gethostname(), None, family)
            found |= {str(row[4][0]).split("%")[0] for row in own}
        return sorted(found)


@dataclass(frozen=True)
class Listening:
    """Bound sockets, and why the default was not taken.

    Attributes:
        sockets: bound, not yet listening.
        endpoints: one for each socket.
        fallback: the system's words for why port 443 was not had, or empty.
    """

    sockets: list[socket.socket]
    endpoints: list[Endpoint]
    fallback: str = ""

    @property
    def port(self) -> int:
        """The port the cloud publishes: that of the first address."""
        return self.endpoints[0].port

    @property
    def addresses(self) -> list[str]:
        """Every address the cloud answers on."""
        return [address for endpoint in self.endpoints for address in endpoint.addresses()]

    def close(self) -> None:
        """Give the addresses back."""
        for one in self.sockets:
            one.close()


def listen(asked: list[str]) -> Listening:
    """Bind what was asked for, or the default.

    Args:
        asked: values of ``--listen``; empty for 127.0.0.1:443, with 8443 where that may not be bound.

    Raises:
        HostingError: an address that was asked for, or both defaults, cannot be bound.
    """
    if asked:
        return _bind([Endpoint.parse(text) for text in asked])
    default = Endpoint(DEFAULT_ADDRESS, DEFAULT_PORT)
    try:
        return Listening([default.bind()], [default])
    except OSError as error:
        bound = _bind([Endpoint(DEFAULT_ADDRESS, FALLBACK_PORT)])
        return Listening(bound.sockets, bound.endpoints, error.strerror or str(error))


def _bind(endpoints: list[Endpoint]) -> Listening:
    sockets: list[socket.socket] = []
    for endpoint in endpoints:
        try:
            sockets.append(endpoint.bind())
        except OSError as error:
            for one in sockets:
                one.close()
            raise HostingError(
                f"Cannot listen on {endpoint}: {error.strerror or error}. "
                "Stop what uses it, or choose another with --listen ADDRESS:PORT."
            ) from error
    return Listening(sockets, endpoints)
