"""The wire to a login server of a served cloud: the connection goes to the cloud, the name to the server (SNI and Host)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


class LoginServerAdapter(HTTPAdapter):
    """Carries requests for one login server to the address of its cloud.

    No hosts entry is needed, and no credential of a local cloud ever reaches the server of the same name in Azure.

    Args:
        arm: the cloud's origin, ``https://localhost:8443``.
        host: the login server's name, with its port when that is not 443.
    """

    def __init__(self, arm: str, host: str) -> None:
        self._arm = urlsplit(arm)
        self._host = host
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return where to connect and how: the cloud's address, the login server's name in the handshake."""
        where: Any
        how: Any
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        where |= {"host": self._arm.hostname, "port": self._arm.port or 443}
        name = self._host.rsplit(":", 1)[0]
        how |= {"server_hostname": name, "assert_hostname": name}
        return where, how

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        """Name the login server in the request (RFC 9110 section 7.2)."""
        request.headers["Host"] = self._host
