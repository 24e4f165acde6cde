"""Serves the local Azure over HTTPS until it is told to stop (architecture: Contracts, Serve)."""

from __future__ import annotations

import asyncio
import json
import logging
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
from typing import Any

import uvicorn

from azext_trust import home
from azext_trust.hosting import certificates, dns, imds, log, setup
from azext_trust.hosting.listener import HostingError, Listening, listen
from azext_trust.hosting.mount import Mounted
from azext_trust.hosting.protocol import Protocol
from azext_trust.server import app as application
from azext_trust.server.gate.call import Call, Settings
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.store.migrate import StateError

GRACE_SECONDS = 6
"""How long requests may still run after SIGTERM."""
SWITCH_SECONDS = 0.0005
"""After how long a thread that computes lets another one in."""
LAST_SECONDS = 9
"""When the process ends whatever still runs; the store loses nothing by it."""
RENEWAL_TICKS = 36000
"""Tenths of a second between two looks at the certificate: an hour."""


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
        imds: address and port of the instance metadata service, or None.
        dns: port on which to answer DNS questions about the cloud's names, or None.
        blobs: where the bytes of blobs lie, or None for the cloud directory.
        quiet: requests are not logged, only errors.
    """

    state: str | None = None
    seed: str | None = None
    listen: list[str] = field(default_factory=list)
    host: str = "localhost"
    suffix: str = "azurecr.io"
    retirement: str | None = None
    ready_file: str | None = None
    log_format: str = "text"
    imds: str | None = None
    dns: int | None = None
    blobs: str | None = None
    quiet: bool = False


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        HostingError: an address cannot be bound, or the state or the seed cannot be used.
    """
    listening = listen(options.listen)
    machine = None
    try:
        machine = listen([options.imds]) if options.imds else None
        settings = _settings(options, listening)
        if listening.fallback:
            _say(setup.fallback(listening.fallback, settings.origin))
        if machine:
            _say(imds.told(machine.endpoints[0]))
        tls = _Tls(options, settings, listening)
        app = _application(settings)
        log.configure(options.log_format, quiet=options.quiet)
        # The event loop asks for its turn sooner than Python's 5 ms: worker threads compute beside it.
        sys.setswitchinterval(SWITCH_SECONDS)
        zone = dns.Zone.of(options.host, options.suffix, listening.addresses)
        with dns.answering(zone, listening.endpoints[0].address, options.dns):
            _Server(app, tls, settings, options, machine).run(sockets=listening.sockets)
    finally:
        for one in (listening, machine):
            if one:
                one.close()


def recipe(options: Options) -> str:
    """Return what to run so that clients use this cloud, served already or yet to be.

    Raises:
        HostingError: an address cannot be bound, the directory cannot be written, or the seed is wrong.
    """
    state = home.cloud_dir(options.state)
    running = _running(state)
    owner = _owner(options, state)
    if running is not None and not options.listen:
        return setup.recipe(
            running["origin"], state, certificates.Files.within(state).ca, owner, running.get("imds", "")
        )
    listening = listen(options.listen)
    listening.close()
    settings = _settings(options, listening)
    files, _ = _certificates(options, settings, listening)
    return setup.recipe(settings.origin, state, files.ca, owner, options.imds or "")


def _owner(options: Options, state: Path) -> str:
    """Return the user who owns the cloud's subscription, as the state says it, or the seed where there is none yet."""
    from azext_trust.server.operator import seed_file

    if (state / "state.db").exists():
        app = _application(Settings(state=state, quiet=True))
        call = Call("GET", "/operator/dump", {}, {"authorization": f"Bearer {app.store.vault.operator_key()}"}, b"",
                    app.settings)  # fmt: skip
        found: Any = app.answer(app.settings.host, call).body
        app.store.close()
        rows = [(row["role"], row["assignee"]) for row in found["assignments"]]
    else:
        try:
            seed = seed_file.load(Path(options.seed)) if options.seed else seed_file.DEFAULT
        except SeedError as error:
            raise HostingError(str(error)) from error
        rows = [(role.role, user.name) for user in seed.users for role in user.roles]
    return next((name for role, name in rows if role == "Owner" and "@" in name), "NAME")


def _settings(options: Options, listening: Listening) -> Settings:
    return Settings(
        state=home.cloud_dir(options.state), host=options.host, port=listening.port, suffix=options.suffix,
        adfs=listening.port != 443, retirement=options.retirement,
        seed=Path(options.seed) if options.seed else None, threads=True, blobs=options.blobs,
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


class _Tls:
    """The TLS context, with a certificate that is renewed while the server runs."""

    def __init__(self, options: Options, settings: Settings, listening: Listening) -> None:
        self._options, self._settings, self._listening = options, settings, listening
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The client knows which cipher its processor is quickest at.
        self.context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        self.context.set_alpn_protocols(["http/1.1"])
        self.renew()

    def renew(self) -> None:
        """Take the certificate from its files, where it is made anew when it ends soon; new connections get it.

        Raises:
            HostingError: the directory cannot be written.
        """
        files, replaced = _certificates(self._options, self._settings, self._listening)
        if replaced:
            _say(f"The names served changed, so there is a new certificate authority: {files.ca}. Trust it anew.")
        self.context.load_cert_chain(files.certificate, files.key)


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


def _config(app: log.Application, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app, loop="uvloop", http=Protocol, ws="none", log_config=None, access_log=False, proxy_headers=False,
        server_header=False,
        # Longer than clients keep idle connections: a POST must not meet one being closed.
        timeout_keep_alive=75, timeout_graceful_shutdown=GRACE_SECONDS, **more,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready, renews its certificate, and ends in time and with exit code 0."""

    def __init__(
        self, app: application.App, tls: _Tls, settings: Settings, options: Options, machine: Listening | None
    ) -> None:
        self.settings = settings
        self.options = options
        self.tls = tls
        self.machine = machine
        self.inner = uvicorn.Server(_config(log.logged(imds.Machine(app)), lifespan="off")) if machine else None
        super().__init__(
            _config(log.logged(Mounted(app)), lifespan="on", ssl_context_factory=lambda _config, _default: tls.context)
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections, then say so."""
        await super().startup(sockets=sockets)
        if self.inner and self.machine:
            self.inner.config.load()
            self.inner.lifespan = self.inner.config.lifespan_class(self.inner.config)
            await self.inner.startup(sockets=self.machine.sockets)
        published = {"origin": self.settings.origin, "pid": str(os.getpid()), "suffix": self.settings.suffix}
        published |= {"imds": str(self.machine.endpoints[0])} if self.machine else {}
        line = f"ready {self.settings.origin}\n"
        _write(self.settings.state / "serving.json", json.dumps(published))
        if self.options.ready_file:
            _write(Path(self.options.ready_file).expanduser().absolute(), line)
        sys.stdout.write(line)
        sys.stdout.flush()

    async def on_tick(self, counter: int) -> bool:
        """Do what is due, ten times a second; once an hour see to the certificate."""
        if counter and counter % RENEWAL_TICKS == 0:
            try:
                await asyncio.to_thread(self.tls.renew)
            except (HostingError, OSError, ssl.SSLError):
                logging.getLogger("aztrust.server").exception("the certificate could not be renewed; it is tried again")
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let requests finish."""
        both = [super().shutdown(sockets=sockets)]
        if self.inner and self.machine:
            both.append(self.inner.shutdown(sockets=self.machine.sockets))
        await asyncio.gather(*both)

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
