"""``aztrust serve --dns PORT``: a name server for the cloud's own names, and for nothing else (RFC 1035)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from azext_trust.hosting.listener import HostingError

TTL_SECONDS = 30


@dataclass(frozen=True)
class Zone:
    """What is answered.

    Attributes:
        host: the cloud's own name.
        suffix: every name that ends in ``.<suffix>`` is a login server.
        addresses: where the cloud listens, IPv4 or IPv6.
    """

    host: str
    suffix: str
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, host: str, suffix: str, addresses: Iterable[str]) -> Zone:
        """Return the zone of a cloud; loopback addresses are told only where there are no others: who asks may be far."""
        found = tuple(dict.fromkeys(addresses))
        far = tuple(one for one in found if not ipaddress.ip_address(one).is_loopback)
        return cls(host, suffix, far or found)

    def knows(self, name: str) -> bool:
        """Tell whether a name (no dot at the end) is the cloud's."""
        plain = name.lower()
        return plain == self.host.lower() or plain.endswith(f".{self.suffix.lower()}")


class Resolver:
    """Answers address questions about the zone's names, and refuses all others: this is no open resolver.

    Args:
        zone: the cloud's names.
    """

    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def resolve(self, request: Any, _handler: object) -> Any:
        """Return the answer to a query (dnslib's interface)."""
        from dnslib import AAAA, QTYPE, RCODE, RR, A

        reply = request.reply()
        name = str(request.q.qname).rstrip(".")
        if not self.zone.knows(name):
            reply.header.rcode = RCODE.REFUSED
            return reply
        for text in self.zone.addresses:
            address = ipaddress.ip_address(text)
            kind, data = ("A", A(text)) if address.version == 4 else ("AAAA", AAAA(text))
            if QTYPE[request.q.qtype] in (kind, "ANY"):
                reply.add_answer(RR(request.q.qname, QTYPE.reverse[kind], rdata=data, ttl=TTL_SECONDS))
        return reply


@contextmanager
def answering(zone: Zone, address: str, port: int | None) -> Iterator[None]:
    """Answer meanwhile; without a port nothing happens.

    Raises:
        HostingError: the port cannot be bound.
    """
    servers = serve(zone, address, port) if port is not None else []
    try:
        yield
    finally:
        for server in servers:
            server.stop()
            server.server.server_close()


def serve(zone: Zone, address: str, port: int) -> list[Any]:
    """Start to answer on UDP and TCP, in threads of their own.

    Args:
        zone: the cloud's names.
        address: address of this machine.
        port: the port; 0 lets the system choose one for each protocol.

    Returns:
        The two servers; ``stop()`` ends each.

    Raises:
        HostingError: the port cannot be bound.
    """
    from dnslib.server import DNSLogger, DNSServer, TCPServer, UDPServer

    class Alone(UDPServer):  # type: ignore[misc]  # dnslib has no types
        """Does not share its port: two name servers would answer by chance."""

        def server_bind(self) -> None:
            self.allow_reuse_address = False
            super().server_bind()

    quiet = DNSLogger(log="-request,-reply,-truncated,-error,-recv,-send,-data")
    try:
        servers = [
            DNSServer(Resolver(zone), address=address, port=port, tcp=kind is TCPServer, logger=quiet, server=kind)
            for kind in (Alone, TCPServer)
        ]
    except OSError as error:
        raise HostingError(f"The name server cannot listen on {address}:{port}: {error.strerror}.") from None
    for server in servers:
        server.start_thread()
    return servers
