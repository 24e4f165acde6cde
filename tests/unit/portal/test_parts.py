"""The portal's parts by themselves: sessions, way back, texts, places, pages of long lists, files."""

from __future__ import annotations

import re
import stat
import string
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_trust.audit.permitted import Permitted
from azext_trust.portal import assets, guard, paging, place, words
from azext_trust.portal.menu import ITEMS
from azext_trust.portal.routes import PAGES
from azext_trust.portal.sessions import IDLE_SECONDS, LIFE_SECONDS, Session, Sessions

TEMPLATES = Path(words.__file__).with_name("templates")


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


def session(clock: Clock) -> Session:
    """Return a signed-in visitor."""
    return Session("a@contoso.com", "A", "oid", "tid", "refresh", clock.now, tokens={"arm": ("SECRET-TOKEN", 1)})


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Sessions:
    """Sessions in a directory of their own."""
    return Sessions(tmp_path / "portal", clock)


def test_session_comes_back(sessions: Sessions, clock: Clock) -> None:
    """M31: another worker, which knows the directory alone, opens the session with the cookie."""
    secret = sessions.create(session(clock))
    found = Sessions(sessions._folder, clock).load(secret)
    assert found is not None
    assert found.tokens == {"arm": ("SECRET-TOKEN", 1)}
    assert sessions.load(secret + "x") is None


def test_session_files_say_nothing(sessions: Sessions, clock: Clock) -> None:
    """M31: without the cookie the files open to nobody, and only their owner may read them."""
    secret = sessions.create(session(clock))
    (file,) = sessions._folder.glob("*.session")
    assert b"SECRET" not in file.read_bytes()
    assert secret not in file.name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(sessions._folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 400])
def test_damaged_session(sessions: Sessions, clock: Clock, damage: bytes) -> None:
    """M31: a half-written or foreign file is no session, and no failure."""
    secret = sessions.create(session(clock))
    next(sessions._folder.glob("*.session")).write_bytes(damage)
    assert sessions.load(secret) is None


def test_idle_session_ends(sessions: Sessions, clock: Clock) -> None:
    """M31: use keeps a session, disuse ends it, and a day ends it in any case."""
    secret = sessions.create(session(clock))
    for _ in range(2):
        clock.now += IDLE_SECONDS - 1
        assert sessions.load(secret)
    clock.now += IDLE_SECONDS + 1
    assert sessions.load(secret) is None
    secret = sessions.create(session(clock))
    started = clock.now
    while clock.now < started + LIFE_SECONDS:
        assert sessions.load(secret)
        clock.now += IDLE_SECONDS / 2
    clock.now = started + LIFE_SECONDS + 1
    assert sessions.load(secret) is None


def test_ended_sessions_are_cleared_away(sessions: Sessions, clock: Clock) -> None:
    """M31: the directory does not grow with those who never sign out."""
    sessions.create(session(clock))
    clock.now += IDLE_SECONDS + 1
    sessions.create(session(clock))
    assert len(list(sessions._folder.glob("*.session"))) == 1


def test_changes_come_one_after_the_other(sessions: Sessions, clock: Clock) -> None:
    """M31: of renewals at the same time none is lost."""
    secret = sessions.create(session(clock))

    def change(number: int) -> None:
        with sessions.changing(secret) as current:
            assert current is not None
            current.tokens[str(number)] = ("t", number)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sessions.load(secret)
    assert found is not None
    assert len(found.tokens) == 9


def test_sign_out_beats_a_renewal(sessions: Sessions, clock: Clock) -> None:
    """M31: a renewal that is under way does not bring an ended session back."""
    secret = sessions.create(session(clock))
    with sessions.changing(secret):
        leaving = threading.Thread(target=sessions.delete, args=(secret,))
        leaving.start()
    leaving.join()
    assert sessions.load(secret) is None


@settings(deadline=None)
@given(st.text(max_size=60))
def test_way_back_stays_here(text: str) -> None:
    """M31: whatever is asked for, the way back is a path of the portal."""
    for wanted in (text, f"/portal/{text}", f"//{text}", f"/portal/..{text}"):
        found = guard.way_back(wanted)
        assert found.startswith("/portal/")
        assert "\\" not in found
        assert not any(ord(letter) < 33 for letter in found)


def test_languages_are_complete() -> None:
    """M31: each text is there in each language, with the same places to fill."""
    english, french = words.texts("en"), words.texts("fr")
    assert set(english) == set(french)
    for key, text in english.items():
        assert text.strip()
        assert french[key].strip()
        assert _places(text) == _places(french[key]), key


def _places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_texts_that_pages_ask_for_exist() -> None:
    """M31: no page asks for a text that is not there, and none is there for nothing."""
    source = "\n".join(p.read_text() for p in [*TEMPLATES.glob("*.html"), *TEMPLATES.parent.glob("*.py")])
    known = set(words.texts("en"))
    asked = set(re.findall(r"""\b(?:t|words|_words\(asked\)|known)\(\s*["']([\w.-]+)["']\s*[,)]""", source))
    assert asked <= known, asked - known
    plurals = {f"{key}.{number}" for key in re.findall(r't\.count\("([\w.]+)"', source) for number in ("one", "many")}
    made = set(re.findall(r'["\']([a-z_]+\.)["\'] ?[~+]', source)) | {"change.", "toast.", "trust.notice."}
    named = set(re.findall(r'["\']([\w.-]+)["\']', source))
    unused = {key for key in known - asked - plurals - named if not any(key.startswith(start) for start in made)}
    assert not unused


@pytest.mark.parametrize(("header", "language"), [
    ("fr-FR,fr;q=0.9,en;q=0.8", "fr"), ("en-US,en;q=0.9,fr;q=0.8", "en"), ("de, fr;q=0.5", "fr"), ("", "en"),
    ("de", "en"), ("en;q=0.3, fr;q=0.7", "fr"), ("fr;q=0", "en"), (";;,q=1,*", "en"), ("x" * 10_000, "en"),
])  # fmt: skip
def test_negotiation(header: str, language: str) -> None:
    """M31: the browser's preference chooses the language."""
    assert words.negotiated(header) == language


def test_plural() -> None:
    """M31: French has the singular for nothing, English the plural."""
    assert words.Words("fr").count("trust.loss.tags", 0) == "0 balise signée"
    assert words.Words("en").count("trust.loss.tags", 0) == "0 signed tags"


SUB = "/subscriptions/22222222-2222-2222-2222-222222222222"


@pytest.mark.parametrize(("text", "kind"), [
    (SUB, "subscription"), (f"{SUB}/resourcegroups/A.b(c)_d-é", "group"),
    (f"{SUB}/resourceGroups/lab/providers/microsoft.containerregistry/Registries/x1", "registry"),
    (f"{SUB}/resourceGroups/lab/providers/Microsoft.Storage/accounts/x1", None), ("/", None), ("", None),
    (f"{SUB}/resourceGroups/a?b", None), (f"{SUB}/resourceGroups/..", None), ("/subscriptions/x", None),
    (f"{SUB}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/..", None),
])  # fmt: skip
def test_places(text: str, kind: str | None) -> None:
    """M31: pages are about subscriptions, resource groups and registries, and nothing else."""
    found = place.of(text)
    assert (found.kind if found else None) == kind


def test_skip_token() -> None:
    """M31: ARM's own link says where its next page begins."""
    assert paging.skip_token("https://h/x?api-version=1&%24skiptoken=a%3Db&$filter=c") == "a=b"
    assert paging.skip_token(None) == ""


def test_menu_leads_to_pages() -> None:
    """M31: each entry of the menu has its page."""
    paths = {row.path for row in PAGES if row.method == "GET"}
    assert all(f"/resource{{scope:path}}/{item.page}" in paths for item in ITEMS)


def test_first_page_is_small() -> None:
    """M31: what the first page loads beside itself stays far below 100 KB on the wire."""
    loaded = ("tokens.css", "portal.css", "htmx.min.js", "portal.js", "icon.svg")
    assert sum(len(assets.files()[name].packed) for name in loaded) < 40_000


def test_licences_are_shipped() -> None:
    """M31: the vendored parts come with their licences."""
    text = (assets.FOLDER / "LICENSES.txt").read_text()
    assert all(name in text for name in ("htmx.org", "@fluentui/tokens", "@fluentui/svg-icons", "vega-interpreter"))


def test_permitted() -> None:
    """M8: what is missing is named; notActions and planes count."""
    held = Permitted([{"actions": ["*"], "notActions": ["*/write"], "dataActions": []}])
    assert held.missing("pull") == ()
    assert held.missing("sign") == (
        "Microsoft.ContainerRegistry/registries/push/write", "Microsoft.ContainerRegistry/registries/sign/write",
        "Microsoft.ContainerRegistry/registries/trustedCollections/write",
    )  # fmt: skip
    assert Permitted([]).missing("sign", "AbacRepositoryPermissions") is None
