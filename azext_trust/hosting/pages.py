"""The pages of a cloud that nobody serves, for as long as somebody signs in on them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import uvicorn

from azext_trust.hosting import certificates
from azext_trust.hosting.listener import DEFAULT_ADDRESS, Endpoint, HostingError
from azext_trust.hosting.protocol import Protocol
from azext_trust.server.app import START_ERRORS, Settings, create_app

START_SECONDS = 20


class _Quiet(uvicorn.Server):
    """A server beside the program: signals are the program's affair."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


@contextmanager
def served(state: Path) -> Iterator[str]:
    """Serve a cloud on this machine, on a port the system chooses, and give its origin.

    Args:
        state: the cloud directory. Its certificate authority is made where there is none.

    Raises:
        HostingError: it cannot be served.
    """
    try:
        bound = Endpoint(DEFAULT_ADDRESS, 0).bind()
        port = int(bound.getsockname()[1])
        app = create_app(Settings(state=state, port=port, threads=True, quiet=True))
        files = certificates.Files.within(state)
        # An authority that was made for other names may be trusted already: it is not touched.
        if not (files.certificate.exists() and files.key.exists()):
            names = certificates.Names.of("localhost", [DEFAULT_ADDRESS], app.settings.suffix)
            certificates.ensure(state, names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, *START_ERRORS) as error:
        raise HostingError(f"The sign-in page cannot be served: {error}.") from None
    server = _Quiet(
        uvicorn.Config(
            app, loop="asyncio", http=Protocol, ws="none", lifespan="off", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=1,
            ssl_context_factory=lambda _config, _default: context,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    deadline = monotonic() + START_SECONDS
    while not server.started and thread.is_alive() and monotonic() < deadline:
        sleep(0.02)
    try:
        yield app.settings.origin
    finally:
        server.should_exit = True
        thread.join(5)
        app.store.close()
