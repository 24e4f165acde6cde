"""The name server: the cloud's names and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from azext_trust.hosting import dns
from azext_trust.hosting.listener import HostingError

ZONE = dns.Zone("localhost", "azurecr.io", ("127.0.0.1", "::1"))


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """The UDP and TCP ports of a running name server."""
    servers = dns.serve(ZONE, "127.0.0.1", 0)
    udp, tcp = (server.server.server_address[1] for server in servers)
    yield udp, tcp
    for server in servers:
        server.stop()
        server.server.server_close()


def ask(port: int, name: str, kind: str = "A", *, tcp: bool = False) -> DNSRecord:
    """Ask the server as a stub resolver does."""
    return DNSRecord.parse(DNSRecord.question(name, kind).send("127.0.0.1", port, tcp=tcp, timeout=5))


@pytest.mark.parametrize("name", ["myregistry.azurecr.io", "MyRegistry.AzureCR.io", "a-b.azurecr.io", "localhost"])
def test_own_names(ports: tuple[int, int], name: str) -> None:
    """M29: every login server of the suffix is where the cloud listens."""
    assert [str(row.rdata) for row in ask(ports[0], name).rr] == ["127.0.0.1"]


def test_ipv6_and_tcp(ports: tuple[int, int]) -> None:
    """M29: both address families, over both transports."""
    assert [str(row.rdata) for row in ask(ports[1], "x.azurecr.io", "AAAA", tcp=True).rr] == ["::1"]


@pytest.mark.parametrize("name", ["azure.com", "azurecr.io", "evilazurecr.io", "management.azure.com"])
def test_other_names_are_refused(ports: tuple[int, int], name: str) -> None:
    """M29: it is no open resolver, and never speaks for the real Azure's other names."""
    found = ask(ports[0], name)
    assert (found.header.rcode, found.rr) == (RCODE.REFUSED, [])


def test_addresses() -> None:
    """M29: who asks from afar is not sent to its own loopback address."""
    assert dns.Zone.of("lab", "azurecr.io", ["127.0.0.1", "192.0.2.7", "192.0.2.7"]).addresses == ("192.0.2.7",)
    assert dns.Zone.of("lab", "azurecr.io", ["127.0.0.1"]).addresses == ("127.0.0.1",)


def test_no_such_record(ports: tuple[int, int]) -> None:
    """M29: a known name without such a record is an empty answer, not an error."""
    found = ask(ports[0], "myregistry.azurecr.io", "MX")
    assert (found.header.rcode, found.rr, QTYPE[found.q.qtype]) == (RCODE.NOERROR, [], "MX")


def test_taken_port(ports: tuple[int, int]) -> None:
    """M29: a port that is taken is told."""
    with pytest.raises(HostingError, match="cannot listen"):
        dns.serve(ZONE, "127.0.0.1", ports[0])
