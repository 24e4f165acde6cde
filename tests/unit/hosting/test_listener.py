"""Where the cloud listens."""

from __future__ import annotations

import socket

import pytest

from azext_trust.hosting import listener
from azext_trust.hosting.listener import Endpoint, HostingError
from tests.sockets import free_port


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [("127.0.0.1:8443", "127.0.0.1", 8443), ("[::1]:443", "::1", 443), ("0.0.0.0:9", "0.0.0.0", 9)],
)
def test_parse(text: str, address: str, port: int) -> None:
    """M29: addresses of both families, and back to text."""
    assert Endpoint.parse(text) == Endpoint(address, port)
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "443", "localhost:443", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "::1:443", "1.2.3.4:x"],
)
def test_parse_refuses(text: str) -> None:
    """M29: what is no address and port is refused with an example."""
    with pytest.raises(HostingError, match=r"such as 127\.0\.0\.1:8443"):
        Endpoint.parse(text)


def test_taken_address_is_an_error() -> None:
    """M29: an explicit address that cannot be bound is an error that names the cure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(HostingError, match=f"Cannot listen on {address}: .*--listen"):
            listener.listen([address])


def test_default_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """M29: without the right to the default port the other one is taken, and the reason kept."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setattr(listener, "DEFAULT_PORT", taken.getsockname()[1])
        other = free.getsockname()[1]
        monkeypatch.setattr(listener, "FALLBACK_PORT", other)
        free.close()
        got = listener.listen([])
        got.close()
    assert got.port == other
    assert got.fallback == "Address already in use"


def test_no_delay() -> None:
    """M29: small answers are not held back by Nagle's algorithm."""
    got = listener.listen(["127.0.0.1:" + str(free_port())])
    try:
        assert got.sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert got.addresses == ["127.0.0.1"]
    finally:
        got.close()
