"""The portal's cookies: the session's key, a sign-in under way, a notice for the next page, language and theme.

``__Host-`` names are taken by browsers only with Secure, without Domain and with Path=/ (RFC 6265bis section 4.1.3.2):
no other host and no page without TLS can plant one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from azext_trust.portal.words import LANGUAGES, Words, negotiated, texts

THEMES = ("system", "light", "dark")
TOAST, LANGUAGE, THEME = "__Host-aztrust-toast", "aztrust-language", "aztrust-theme"
FLOW_SECONDS = 3600
"""How long a visitor may take to sign in."""
_YEAR = 365 * 86400


def names(origin: str) -> tuple[str, str]:
    """Return the names of session and sign-in cookies; clouds on other ports of one host have others."""
    port = urlsplit(origin).port
    suffix = f"-{port}" if port else ""
    return f"__Host-aztrust-portal{suffix}", f"__Host-aztrust-sign-in{suffix}"


def put(answer: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that only this host and no script can read; without seconds it ends with the browser."""
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def drop(answer: Response, name: str) -> None:
    """Make the browser forget a cookie."""
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def packed(value: object) -> str:
    """Return a value as cookie text."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unpacked(text: str) -> dict[str, Any]:
    """Return what was packed, empty when it is something else."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def set_toast(answer: Response, key: str, values: Mapping[str, str]) -> None:
    """Leave a notice for the next page: the key of a text, and what it names."""
    short = {name: text[:200] for name, text in values.items()}
    put(answer, TOAST, packed({"key": key, "values": short}), 60)


def toast(jar: Mapping[str, str], words: Words) -> str:
    """Return the notice that the last request left, or nothing."""
    found = unpacked(jar.get(TOAST, ""))
    key, values = str(found.get("key", "")), found.get("values")
    if not key.startswith("toast.") or key not in texts(words.language) or not isinstance(values, dict):
        return ""
    try:
        return texts(words.language)[key].format(**values)
    except (KeyError, IndexError, TypeError):
        return ""


def forget_toast(answer: Response) -> None:
    """A notice is shown once."""
    drop(answer, TOAST)


def language(jar: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the visitor's language: as chosen, else as the browser likes best."""
    chosen = jar.get(LANGUAGE, "")
    return chosen if chosen in LANGUAGES else negotiated(headers.get("accept-language", ""))


def theme(jar: Mapping[str, str]) -> str:
    """Return the chosen theme."""
    chosen = jar.get(THEME, "")
    return chosen if chosen in THEMES else THEMES[0]


def choose(answer: Response, name: str, value: str) -> None:
    """Keep a choice for a year."""
    put(answer, name, value, _YEAR)
