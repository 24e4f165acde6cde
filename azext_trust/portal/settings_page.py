"""Theme and language."""

from __future__ import annotations

from starlette.responses import Response

from azext_trust.portal import cookies
from azext_trust.portal.visit import Visit
from azext_trust.portal.words import LANGUAGES


def show(visit: Visit) -> Response:
    """Show what is chosen."""
    return visit.page("settings", themes=cookies.THEMES, languages=LANGUAGES)


def save(visit: Visit) -> Response:
    """Keep the choices in the browser."""
    answer = visit.go("/portal/settings", "toast.settings")
    for name, offered in ((cookies.THEME, cookies.THEMES), (cookies.LANGUAGE, LANGUAGES)):
        chosen = visit.form("theme" if name == cookies.THEME else "language")
        if chosen in offered:
            cookies.choose(answer, name, chosen)
    return answer
