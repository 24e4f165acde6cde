"""A session for registries elsewhere: which addresses it never talks to, which authorities it trusts.

Whoever may import names the address, so the server must not be made to ask in their stead what only it can reach: the
metadata services of machines in a cloud, at link-local addresses and at some well-known others. Loopback and private
addresses stay reachable: in a local cloud the registry to import from most often lies there, and whoever signs in is
most often the machine's owner. What is asked there is only ever ``GET /v2/...`` and a token, and of the answer nothing
is repeated but a registry's own error or an image whose digests are right.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MOST_REDIRECTS = 5
_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
"""Where Debian and its kin keep the authorities that the machine trusts."""


_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
"""Metadata services of Azure (wire server), Alibaba, Oracle and AWS (IPv6) that are not link-local."""


class Forbidden(OSError):
    """The address is one that nothing is fetched from."""


def checked(made: socket.socket) -> socket.socket:
    """Return a fresh connection, unless it leads where none may lead.

    The address is looked at once it is connected: a name that resolves differently the second time gains nothing.

    Raises:
        Forbidden: it does; nothing was sent.
    """
    name = made.getpeername()[0] if made.family in (socket.AF_INET, socket.AF_INET6) else ""
    address = ipaddress.ip_address(name.partition("%")[0]) if name else None
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if (
        address is None
        or address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    ):
        made.close()
        raise Forbidden(f"{name} is an address that nothing is imported from")
    return made


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return checked(super()._new_conn())


class _Tls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return checked(super()._new_conn())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def session() -> requests.Session:
    """Return a session with nothing of its user's in it: no netrc, no cookies kept from elsewhere."""
    made = requests.Session()
    # It would add credentials of a netrc file. Authorities and proxies are taken from the environment by hand.
    made.trust_env = False
    made.max_redirects = MOST_REDIRECTS
    made.headers["User-Agent"] = "aztrust"
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(pool_maxsize=8))
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    made.verify = named or (str(_SYSTEM) if _SYSTEM.exists() else True)
    return made


def proxies(url: str) -> dict[str, str]:
    """Return the proxies that the environment names for an address."""
    return dict(requests.utils.get_environ_proxies(url, None))
