"""Serves the local Azure over HTTPS until it is told to stop (architecture: Contracts, Serve)."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import uvicorn

from azext_trust import home
from azext_trust.hosting import certificates, log, setup
from azext_trust.hosting.listener import HostingError, Listening, listen
from azext_trust.hosting.mount import Mounted
from azext_trust.hosting.protocol import Protocol
from azext_trust.server import app as application
from azext_trust.server.gate.call import Settings
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.store.migrate import StateError

GRACE_SECONDS = 6
"""How long requests may still run after SIGTERM."""
SWITCH_SECONDS = 0.0005
"""After how long a thread that computes lets another one in."""
LAST_SECONDS = 9
"""When the process ends whatever still runs; the store loses nothing by it."""


@dataclass(frozen=True)
class Options:
    """What ``aztrust serve`` was asked for.

    Attributes:
        state: the cloud directory, or None for the usual one.
        seed: path of a seed file, or None.
        listen: addresses and ports; empty for the default.
        host: the name under which the cloud publishes itself.
        suffix: login servers are ``<registry>.<suffix>``.
        retirement: where to move the retirement switch, or None.
        ready_file: file that receives the ready line, or None.
        log_format: ``text`` or ``json``.
    """

    state: str | None = None
    seed: str | None = None
    listen: list[str] = field(default_factory=list)
    host: str = "localhost"
    suffix: str = "azurecr.io"
    retirement: str | None = None
    ready_file: str | None = None
    log_format: str = "text"


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        HostingError: an address cannot be bound, or the state or the seed cannot be used.
    """
    listening = listen(options.listen)
    try:
        settings = _settings(options, listening)
        if listening.fallback:
            _say(setup.fallback(listening.fallback, settings.origin))
        context = _tls(options, settings, listening)
        app = _application(settings)
        log.configure(options.log_format)
        # The event loop asks for its turn sooner than Python's 5 ms: worker threads compute beside it.
        sys.setswitchinterval(SWITCH_SECONDS)
        _Server(app, context, settings, options.ready_file).run(sockets=listening.sockets)
    finally:
        listening.close()


def recipe(options: Options) -> str:
    """Return what to run so that clients use this cloud, served already or yet to be.

    Raises:
        HostingError: an address cannot be bound, or the directory cannot be written.
    """
    state = home.cloud_dir(options.state)
    running = _running(state)
    if running is not None and not options.listen:
        return setup.recipe(running["origin"], state, certificates.Files.within(state).ca)
    listening = listen(options.listen)
    listening.close()
    settings = _settings(options, listening)
    files, _ = _certificates(options, settings, listening)
    return setup.recipe(settings.origin, state, files.ca)


def _settings(options: Options, listening: Listening) -> Settings:
    return Settings(
        state=home.cloud_dir(options.state), host=options.host, port=listening.port, suffix=options.suffix,
        adfs=listening.port != 443, retirement=options.retirement,
        seed=Path(options.seed) if options.seed else None, threads=True,
    )  # fmt: skip


def _certificates(options: Options, settings: Settings, listening: Listening) -> tuple[certificates.Files, bool]:
    names = certificates.Names.of(options.host, listening.addresses, options.suffix)
    try:
        return certificates.ensure(settings.state, names)
    except OSError as error:
        raise HostingError(
            f"The cloud directory {settings.state} cannot be written: {error.strerror or error}. "
            "Give yourself the right to write there, free some space, or name another directory with --state."
        ) from error


def _tls(options: Options, settings: Settings, listening: Listening) -> ssl.SSLContext:
    files, replaced = _certificates(options, settings, listening)
    if replaced:
        _say(f"The names served changed, so there is a new certificate authority: {files.ca}. Trust it anew.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    # The client knows which cipher its processor is quickest at.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _application(settings: Settings) -> application.App:
    try:
        return application.create_app(settings)
    except (StateError, SeedError) as error:
        raise HostingError(str(error)) from error
    except OSError as error:
        raise HostingError(f"The cloud directory {settings.state} cannot be used: {error}.") from error


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _write(path: Path, text: str) -> None:
    try:
        home.write_private(path, text.encode())
    except OSError as error:
        raise HostingError(f"{path} cannot be written: {error.strerror or error}.") from error


def _running(state: Path) -> dict[str, str] | None:
    """Return what a server that runs on this state published, or None."""
    try:
        published = json.loads((state / "serving.json").read_text())
        os.kill(int(published["pid"]), 0)
    except PermissionError:
        return dict(published)
    except (OSError, ValueError, KeyError):
        return None
    return dict(published)


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and ends in time and with exit code 0."""

    def __init__(
        self, app: application.App, context: ssl.SSLContext, settings: Settings, ready_file: str | None
    ) -> None:
        self.settings = settings
        self.ready_file = ready_file
        super().__init__(
            uvicorn.Config(
                log.AccessLog(Mounted(app)), loop="uvloop", http=Protocol, ws="none", lifespan="on",
                log_config=None, access_log=False, proxy_headers=False, server_header=False,
                ssl_context_factory=lambda _config, _default: context,
                # Longer than clients keep idle connections: a POST must not meet one being closed.
                timeout_keep_alive=75, timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )  # fmt: skip

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections, then say so."""
        await super().startup(sockets=sockets)
        published = json.dumps({"origin": self.settings.origin, "pid": str(os.getpid())})
        line = f"ready {self.settings.origin}\n"
        _write(self.settings.state / "serving.json", published)
        if self.ready_file:
            _write(Path(self.ready_file).expanduser().absolute(), line)
        sys.stdout.write(line)
        sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to stop, without dying of them afterwards."""
        before = {one: signal.signal(one, self._stop) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            (self.settings.state / "serving.json").unlink(missing_ok=True)
            for one, handler in before.items():
                signal.signal(one, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True
        last = threading.Timer(LAST_SECONDS, os._exit, args=(0,))
        last.daemon = True
        last.start()
