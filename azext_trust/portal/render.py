"""Templates: every value is escaped; icons are drawn into the page so that no second request is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, StrictUndefined, UndefinedError
from jinja2.utils import missing
from markupsafe import Markup, escape

from azext_trust.portal import assets, menu

if TYPE_CHECKING:
    from azext_trust.portal.visit import Visit

_HERE = Path(__file__).parent


class _Undefined(ChainableUndefined):
    """What a service left out of its answer is shown as nothing; a name that no page gave is a mistake of ours."""

    __slots__ = ()

    def __new__(
        cls, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: type[Exception] = UndefinedError
    ) -> _Undefined:
        return super().__new__(_Name if obj is missing else cls)


class _Name(StrictUndefined, _Undefined):
    __slots__ = ()


@cache
def environment() -> Environment:
    """Return the templates' environment, made when the first page is shown."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=_Undefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {"icon": icon, "asset": assets.url, "query": urlencode}
    made.filters |= {"moment": moment, "size": size}
    return made


@cache
def _icons() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads((_HERE / "icons.json").read_text(encoding="utf-8"))
    return loaded


@cache
def icon(name: str) -> Markup:
    """Return an icon as SVG; it says nothing that the text beside it does not say."""
    found = _icons()[name]
    paths = Markup("").join(Markup('<path d="{}"/>').format(d) for d in found["d"])
    return Markup('<svg class="icon" viewBox="0 0 {0} {0}" aria-hidden="true" focusable="false">{1}</svg>').format(
        found["size"], paths
    )


def moment(text: object) -> Markup:
    """Return a time stamp, to the second, as UTC."""
    if not isinstance(text, str) or not text:
        return Markup("&ndash;")
    return Markup('<time datetime="{}">{} UTC</time>').format(text, text[:19].replace("T", " "))


def size(number: float) -> str:
    """Return a number of bytes in the unit that fits."""
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.2f} {unit}"
        value /= 1024
    return f"{value:.2f} TiB"


def page(template: str, visit: Visit, **values: Any) -> str:
    """Return a page of a signed-in visitor.

    Args:
        template: the template's name, without its ending.
        visit: the request.
        values: what the template names.
    """
    shown = {
        "visit": visit, "t": visit.words, "csrf": visit.visitor.csrf, "theme": visit.theme,
        "place": visit.place, "menu": menu.of(visit.place), "escape": escape,
    }  # fmt: skip
    return environment().get_template(f"{template}.html").render(shown | values)


def bare(template: str, **values: Any) -> str:
    """Return a page for somebody who is not signed in."""
    return environment().get_template(f"{template}.html").render(values)
