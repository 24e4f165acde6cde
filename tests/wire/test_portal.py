"""The article's procedures in the portal, followed word for word in Chromium, and checked with the unmodified az."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.wire.browser import GROUP, Visitor, window
from tests.wire.programs import PASSWORDS, Program, Served, az

WORDS = {
    "en": {
        "policy": "Content trust", "policies": "Policies", "on": "Enabled", "off": "Disabled", "save": "Save",
        "iam": "Access control (IAM)", "add": "Add", "assign": "Add role assignment", "to": "Assign access to",
        "user": "User, group, or service principal", "members": "Members", "select": "Select members", "take": "Select",
        "review": "Review + assign", "next": "Next", "lost": "All signatures in the registry", "create": "Create",
    },
    "fr": {
        "policy": "Approbation de contenu", "policies": "Stratégies", "on": "Activé", "off": "Désactivé",
        "save": "Enregistrer", "iam": "Contrôle d’accès (IAM)", "add": "Ajouter",
        "assign": "Ajouter une attribution de rôle", "to": "Attribuer l’accès à",
        "user": "Utilisateur, groupe ou principal de service", "members": "Membres",
        "select": "Sélectionner des membres", "take": "Sélectionner", "review": "Vérifier + attribuer",
        "next": "Suivant", "lost": "Toutes les signatures du registre", "create": "Créer",
    },
}  # fmt: skip
_number = itertools.count(1)
WAYS = pytest.mark.parametrize(("language", "scripts"), [("fr", True), ("en", True), ("fr", False)])
"""In French as the article has it, in English, and in a browser that runs no scripts."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, portal: Served) -> Program:
    """Az, signed in as the owner."""
    found = az(tmp_path_factory.mktemp("az"), portal)
    found.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    return found


@pytest.fixture
def owner(browser: Browser, portal: Served, language: str, scripts: bool) -> Iterator[Visitor]:
    """The owner in a window, at the start page."""
    with window(browser, portal, locale=language, java_script_enabled=scripts) as visitor:
        visitor.sign_in("owner")
        yield visitor
        assert visitor.told == []
        assert visitor.hosts == {portal.origin.removeprefix("https://")}


def create(owner: Visitor, words: dict[str, str]) -> str:
    """Create a Premium registry of its own for a test, by clicking, and return its name."""
    name = f"myregistry{next(_number)}"
    page = owner.page
    page.get_by_role("link", name=words["create"], exact=True).first.click()
    page.locator("#group").fill("portal")
    page.locator("#name").fill(name)
    page.get_by_role("button", name=words["create"], exact=True).click()
    page.wait_for_url("**/overview")
    return name


def follow(owner: Visitor, words: dict[str, str], registry: str, status: str) -> None:
    """Access the registry in the portal; under Policies, select Content trust > status > Save."""
    page = owner.page
    owner.open("/portal/")
    page.get_by_role("link", name=registry, exact=True).click()
    policies = page.locator("nav.side h2", has_text=words["policies"]).locator("xpath=following-sibling::ul[1]")
    policies.get_by_role("link", name=words["policy"], exact=True).click()
    page.get_by_text(words[status], exact=True).click()
    page.get_by_role("button", name=words["save"], exact=True).click()


def trust(program: Program, registry: str) -> str:
    """Return the status as az shows it."""
    return program.must(
        "acr", "config", "content-trust", "show", "-r", registry, "--query", "status", "-o", "tsv", "--only-show-errors"
    ).strip()


@WAYS
def test_enable(owner: Visitor, program: Program, language: str) -> None:
    """M2, M31: "Sous Stratégies, sélectionnez Approbation de contenu > Activé > Enregistrer"."""
    words = WORDS[language]
    registry = create(owner, words)
    follow(owner, words, registry, "on")
    expect(owner.page.get_by_role("status")).to_contain_text(registry)
    assert trust(program, registry) == "enabled"


@WAYS
def test_disable(owner: Visitor, program: Program, language: str) -> None:
    """M4, M31: "Désactivé > Enregistrer": a message warns of the loss of all signatures; OK deletes them."""
    words, page = WORDS[language], owner.page
    registry = create(owner, words)
    follow(owner, words, registry, "on")
    follow(owner, words, registry, "off")
    expect(page.get_by_role("dialog")).to_contain_text(f"{words['lost']} {registry}")
    assert trust(program, registry) == "enabled"
    page.get_by_role("dialog").get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(registry)
    assert trust(program, registry) == "disabled"


@WAYS
def test_grant(owner: Visitor, program: Program, language: str) -> None:
    """M7, M31: "Contrôle d'accès (IAM)", "Ajouter > Ajouter une attribution de rôle", AcrImageSigner, Utilisateur, Alain."""
    words, page = WORDS[language], owner.page
    registry = create(owner, words)
    page.get_by_role("link", name=words["iam"], exact=True).click()
    page.locator("summary", has_text=words["add"]).click()
    page.get_by_role("link", name=words["assign"], exact=True).click()
    page.get_by_label("AcrImageSigner", exact=True).check()
    page.get_by_role("button", name=words["next"], exact=True).click()
    page.get_by_role("group", name=words["to"]).get_by_label(words["user"], exact=True).check()
    page.get_by_role("button", name=words["select"], exact=True).click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("searchbox").fill("Ala")
    panel.get_by_role("searchbox").press("Enter")
    panel.get_by_label("Alain").check()
    panel.get_by_role("button", name=words["take"], exact=True).click()
    page.locator(".footer").get_by_role("button", name=words["review"], exact=True).click()
    page.locator(".footer").get_by_role("button", name=words["review"], exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Alain")
    scope = f"{GROUP}/portal/providers/Microsoft.ContainerRegistry/registries/{registry}"
    query = "[].[principalName, roleDefinitionName, scope]"
    listed = program.must("role", "assignment", "list", "--scope", scope, "--query", query, "-o", "tsv")
    assert listed.split("\n")[0] == f"alain@contoso.com\tAcrImageSigner\t{scope}"


@pytest.mark.parametrize(("language", "scripts"), [("en", True)])
def test_enable_by_keyboard(owner: Visitor, program: Program, language: str) -> None:
    """M31: the way from the registry's page to the saved policy without a mouse."""
    page = owner.page
    registry = create(owner, WORDS[language])
    page.get_by_role("link", name="Content trust", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/content-trust")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(3):  # Save, Discard, the status
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Content trust is enabled")
    assert trust(program, registry) == "enabled"


@pytest.mark.parametrize(("language", "scripts"), [("en", True)])
def test_dialog_by_keyboard(owner: Visitor, program: Program, language: str) -> None:
    """M4, M31: Escape leaves the warning, and nothing is lost; the focus begins on Cancel."""
    page, words = owner.page, WORDS[language]
    registry = create(owner, words)
    follow(owner, words, registry, "on")
    follow(owner, words, registry, "off")
    expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert trust(program, registry) == "enabled"
