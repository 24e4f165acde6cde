"""The portal as an ASGI application: every request is checked, opened, answered in a thread, and guarded."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs

from requests.adapters import BaseAdapter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from azext_trust.clients.registry import NoToken
from azext_trust.cloud.errors import CloudError, HttpError
from azext_trust.cloud.profile import Profile
from azext_trust.portal import assets, cookies, guard, place, render
from azext_trust.portal.connection import Ended, VisitorConnection
from azext_trust.portal.routes import PAGES, Page
from azext_trust.portal.sessions import Sessions
from azext_trust.portal.sign_in import RETURN, Doorway
from azext_trust.portal.visit import Asked, Visit
from azext_trust.portal.words import Words

MAX_BODY = 1024 * 1024
"""Largest post in bytes: a scope map's 500 actions are far below."""
MAX_FIELDS = 2000

Function = Callable[[Visit], Response]


def create(profile: Profile, state: Path, adapter: BaseAdapter) -> guard.Application:
    """Return the portal of a cloud.

    Args:
        profile: the cloud, as published; the portal answers under its origin alone.
        state: the cloud directory, in which the sessions are kept.
        adapter: carries requests to the cloud. The portal knows no other way to it.
    """
    portal = _Portal(profile, Sessions(state / "portal"), adapter)
    fixed = [
        Route("/portal", lambda _: RedirectResponse("/portal/")),
        Route("/portal/static/{version}/{name}", assets.serve),
        Route("/portal/sign-in", portal.endpoint(portal.sign_in)),
        Route(RETURN, portal.endpoint(portal.signed_in), methods=["POST"]),
        Route("/portal/sign-out", portal.endpoint(portal.sign_out), methods=["POST"]),
    ]
    pages = [
        Route("/portal" + row.path, portal.endpoint(portal.page(row)), methods=[row.method], name=row.function)
        for row in PAGES
    ]
    app = Starlette(routes=fixed + pages, exception_handlers={HTTPException: portal.refused, Exception: portal.broken})
    # Who asks for the first page signs in first: what the pages need is loaded meanwhile.
    threading.Thread(target=_warm, daemon=True).start()
    return guard.Guarded(app)


def _warm() -> None:
    for row in PAGES:
        importlib.import_module(f"azext_trust.portal.{row.function.partition(':')[0]}")
    for name in render.environment().list_templates():
        render.environment().get_template(name)


class _Portal:
    def __init__(self, profile: Profile, sessions: Sessions, adapter: BaseAdapter) -> None:
        self.profile = profile
        self.sessions = sessions
        self.adapter = adapter
        self.door = Doorway(profile, adapter, sessions)

    def endpoint(self, answer: Callable[[Asked], Response]) -> Callable[[Request], object]:
        """Return the ASGI side of a function: it reads the request, then works in a thread."""

        async def respond(request: Request) -> Response:
            asked = await _read(request)
            if isinstance(asked, Response):
                return asked
            if request.headers.get("host", "").lower() != self.profile.arm.removeprefix("https://").lower():
                return self._elsewhere(asked)
            return await run_in_threadpool(answer, asked)

        return respond

    def _elsewhere(self, asked: Asked) -> Response:
        """The portal answers under one name: cookies are that name's, and another one may be an attacker's."""
        if asked.method in ("GET", "HEAD"):
            return RedirectResponse(self.profile.arm + guard.way_back(asked.here))
        return PlainTextResponse("This portal answers under another name.", 421)

    def sign_in(self, asked: Asked) -> Response:
        """Begin a sign-in."""
        return self.door.start((asked.query.get("back") or ["/portal/"])[-1])

    def signed_in(self, asked: Asked) -> Response:
        """End a sign-in. The state, kept in this browser alone, says whose it is; the sign-in page sends no origin."""
        return self.door.finish(asked, _words(asked), cookies.theme(asked.cookies))

    def sign_out(self, asked: Asked) -> Response:
        """Sign out; a form of another site cannot."""
        session = self.sessions.load(asked.cookies.get(self.door.cookie, ""))
        if session is None:
            return self.door.leave(asked)
        if not self._ours(asked, session.csrf):
            return self._foreign(asked)
        return self.door.leave(asked)

    def _ours(self, asked: Asked, csrf: str) -> bool:
        mark = (asked.form.get("csrf") or [""])[-1]
        return guard.from_here(asked.headers, self.profile.arm) and guard.same(mark, csrf)

    def _foreign(self, asked: Asked) -> Response:
        page = render.bare(
            "refused", t=_words(asked), theme=cookies.theme(asked.cookies), title="error.foreign",
            text=_words(asked)("error.foreign.text"),
        )  # fmt: skip
        return HTMLResponse(page, 403)

    def page(self, row: Page) -> Callable[[Asked], Response]:
        """Return the function that answers a row's requests for those who are signed in."""
        module, _, name = row.function.partition(":")

        def answer(asked: Asked) -> Response:
            secret = asked.cookies.get(self.door.cookie, "")
            visitor = self.sessions.load(secret) if secret else None
            if visitor is None:
                return self._sign_in_first(asked)
            if asked.method == "POST" and not self._ours(asked, visitor.csrf):
                return self._foreign(asked)
            connection = VisitorConnection(self.profile, self.adapter, self.sessions, secret, visitor)
            visit = Visit(asked, visitor, connection, _words(asked), cookies.theme(asked.cookies))
            function = cast(Function, getattr(importlib.import_module(f"azext_trust.portal.{module}"), name))
            return self._answered(function, visit)

        return answer

    def _answered(self, function: Function, visit: Visit) -> Response:
        if "scope" in visit.asked.params:
            visit.place = place.of(visit.asked.params["scope"])
            if visit.place is None:
                return _problem(visit, 404, visit.asked.path)
        try:
            return function(visit)
        except Ended:
            self.sessions.delete(visit.asked.cookies.get(self.door.cookie, ""))
            return self._sign_in_first(visit.asked)
        except HttpError as error:
            return _problem(visit, error.status, error.message)
        except NoToken as error:
            return _problem(visit, 403, str(error))
        except CloudError as error:
            return _problem(visit, 502, str(error))
        finally:
            visit.connection.close()

    def _sign_in_first(self, asked: Asked) -> Response:
        # A post's page is shown again after the sign-in: its form must be filled in anew, and is not sent unseen.
        if asked.fragment:
            return Response(status_code=204, headers={"hx-refresh": "true"})
        return self.door.start(asked.here)

    async def refused(self, request: Request, error: Exception) -> Response:
        """Show what the router refuses: no such page, another method."""
        assert isinstance(error, HTTPException)
        words = Words(cookies.language(request.cookies, request.headers))
        title = "error.missing" if error.status_code == 404 else "error.other"
        theme = cookies.theme(request.cookies)
        page = render.bare("refused", t=words, theme=theme, title=title, text=error.detail)
        return HTMLResponse(page, error.status_code, headers=dict(error.headers or {}))

    async def broken(self, request: Request, error: Exception) -> Response:
        """Show that the fault is ours; Starlette hands it on to the log."""
        words = Words(cookies.language(request.cookies, request.headers))
        theme = cookies.theme(request.cookies)
        page = render.bare("refused", t=words, theme=theme, title="error.other", text=words("error.ours"))
        return HTMLResponse(page, 500)


def _words(asked: Asked) -> Words:
    return Words(cookies.language(asked.cookies, asked.headers))


def _problem(visit: Visit, status: int, text: str) -> Response:
    """Show what a service refused in its own words, beside the menu of the place when there is one."""
    title = visit.words({403: "error.forbidden", 404: "error.missing"}.get(status, "error.other"))
    if visit.place is None:
        return visit.page("problem", status, title=title, text=text)
    current = visit.asked.path.removeprefix(visit.place.url + "/").split("/")[0]
    return visit.page("resource_problem", status, title=title, text=text, place_name=visit.place.name, current=current,
                      page_title="error.short")  # fmt: skip


async def _read(request: Request) -> Asked | Response:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return PlainTextResponse("Payload Too Large", 413)
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        query = parse_qs(request.url.query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except (UnicodeDecodeError, ValueError):
        return PlainTextResponse("Bad Request", 400)
    except ClientDisconnect:
        return Response(status_code=400)
    return Asked(
        request.method, request.scope["path"], request.path_params, query, form, dict(request.headers),
        request.cookies,
    )  # fmt: skip
