"""What the pages show and do, in process."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.unit.portal.browser import OURS, PAGES, SIGNER, SUBSCRIPTION, Browser


def test_first_page(looking: Browser) -> None:
    """M31: after the sign-in there are the registries, with their plans."""
    page = looking.open("/portal/")
    assert page.status == 200
    assert "myregistry" in page.text
    assert "Premium" in page.text


def test_enable(owner: Browser, cloud: Client) -> None:
    """M2: Policies > Content trust > Enabled > Save."""
    page = owner.open(f"{PAGES}/content-trust")
    after = owner.submit(page, fields={"status": "enabled"})
    assert "Content trust is enabled for myregistry." in after.text


def test_disable_asks_first(owner: Browser) -> None:
    """M4: Disabled > Save names what is lost and changes nothing before OK."""
    page = owner.submit(owner.open(f"{PAGES}/content-trust"), fields={"status": "enabled"})
    asked = owner.submit(page, fields={"status": "disabled"})
    assert "All signatures in the registry myregistry will be lost" in asked.text
    assert "0 signed tags" in asked.text
    assert 'value="enabled" checked' in owner.open(f"{PAGES}/content-trust").text
    done = owner.submit(asked, fields={"status": "disabled", "confirm": "yes", "seen": asked.hidden()["seen"]})
    assert "Content trust is disabled for myregistry." in done.text


def test_disable_asks_again_when_the_loss_grew(owner: Browser) -> None:
    """M4: an OK for another loss than the present one is no OK."""
    page = owner.submit(owner.open(f"{PAGES}/content-trust"), fields={"status": "enabled"})
    asked = owner.submit(page, fields={"status": "disabled", "confirm": "yes", "seen": "another loss"})
    assert "The loss has changed" in asked.text
    assert 'value="enabled" checked' in owner.open(f"{PAGES}/content-trust").text


def test_not_premium(looking: Browser) -> None:
    """M1: on Basic the page says what is missing, and a forced save is refused by ARM."""
    where = f"{PAGES.replace('myregistry', 'basicregistry')}/content-trust"
    page = looking.open(where)
    assert "Content trust is a feature of the Premium service tier." in page.text
    assert '<fieldset class="toggle" disabled>' in page.text
    forced = looking.submit(page, where, {"status": "enabled"})
    assert forced.status == 400
    assert "The SKU Basic is not supported." in forced.text


@pytest.mark.parametrize(("position", "text"), [
    ("2026", "cannot be enabled again once disabled"), ("2028", "was removed on March 31, 2028"),
])  # fmt: skip
def test_retirement(owner: Browser, cloud: Client, position: str, text: str) -> None:
    """M5: the page says where the retirement stands, and ARM's refusal of enabling is shown."""
    key = (cloud.app.settings.state / "keys" / "operator").read_text().strip()
    cloud.call("PUT", "/operator/retirement", {"position": position}, key)
    page = owner.open(f"{PAGES}/content-trust")
    assert text in page.text
    refused = owner.submit(page, fields={"status": "enabled"})
    assert refused.status == 400
    assert "Content Trust is being deprecated and will be completely removed on March 31, 2028." in refused.text


def test_create_with_a_new_group(owner: Browser) -> None:
    """M1: a registry is created, with a plan, in a group that is made for it."""
    page = owner.open("/portal/registries/create")
    made = owner.submit(page, fields={"subscription": SUBSCRIPTION.split("/")[2], "group": "fresh", "name": "freshone",
                                      "location": "westeurope", "sku": "Standard"})  # fmt: skip
    assert "The registry freshone was created." in made.text
    assert "Standard" in made.text


def test_create_does_not_replace(looking: Browser) -> None:
    """M1: a name in use is refused, and what was typed is kept."""
    page = looking.open("/portal/registries/create")
    fields = {"subscription": SUBSCRIPTION.split("/")[2], "group": "lab", "name": "myregistry", "sku": "Basic"}
    refused = looking.submit(page, fields=fields)
    assert refused.status == 409
    assert "already in use" in refused.text
    assert 'value="myregistry"' in refused.text


def test_change_plan(owner: Browser) -> None:
    """M1: the plan is changed; leaving Premium with trust on is refused in ARM's words."""
    page = owner.open(f"{PAGES}/update")
    assert "myregistry is now Standard." in owner.submit(page, fields={"sku": "Standard"}).text
    owner.submit(page, fields={"sku": "Premium"})
    owner.submit(owner.open(f"{PAGES}/content-trust"), fields={"status": "enabled"})
    refused = owner.submit(page, fields={"sku": "Basic"})
    assert refused.status == 400
    assert "content trust" in refused.text.lower()


def _member(owner: Browser, name: str) -> str:
    found = owner.open(f"{PAGES}/iam/add/candidates?q={name}")
    return found.text.split('name="member" value="')[1].split('"')[0]


def test_assign(owner: Browser, cloud: Client) -> None:
    """M7, M8: role, members, review with what is still lacking, assign; the assignment is listed by role."""
    alain = _member(owner, "Alain")
    review = owner.open(f"{PAGES}/iam/add?step=review&role={SIGNER}&member={alain}")
    assert "Alain still cannot push trusted images." in review.text
    assert "Microsoft.ContainerRegistry/registries/trustedCollections/write" in review.text
    done = owner.submit(review, f"{PAGES}/iam/add", {"role": SIGNER, "member": alain})
    assert "Alain was added as AcrImageSigner for myregistry." in done.text
    assert "AcrImageSigner (1)" in done.text


def test_review_tells_gains(looking: Browser) -> None:
    """M23: who pushes already gains the right to push trusted images with AcrImageSigner."""
    builder = _member(looking, "builder")
    review = looking.open(f"{PAGES}/iam/add?step=review&role={SIGNER}&member={builder}")
    assert "Gained" in review.text
    assert "still cannot" not in review.text


def test_review_of_a_group(looking: Browser) -> None:
    """M23: a role given to a group reaches its members, and the review says how many."""
    signers = _member(looking, "signers")
    review = looking.open(f"{PAGES}/iam/add?step=review&role={SIGNER}&member={signers}")
    assert "signers is a group: the change reaches 1 member." in review.text


def test_assign_twice_is_no_error(owner: Browser) -> None:
    """M7: az lists the existing assignment when there is one already; so does the portal."""
    alain = _member(owner, "Alain")
    review = owner.open(f"{PAGES}/iam/add?step=review&role={SIGNER}&member={alain}")
    for _ in range(2):
        done = owner.submit(review, f"{PAGES}/iam/add", {"role": SIGNER, "member": alain})
    assert "AcrImageSigner (1)" in done.text


def test_bad_condition(looking: Browser) -> None:
    """M7: ARM's refusal of a condition is shown, and what was chosen is kept."""
    alain = _member(looking, "Alain")
    review = looking.open(f"{PAGES}/iam/add?step=review&role={SIGNER}&member={alain}&condition=nonsense")
    refused = looking.submit(review, f"{PAGES}/iam/add", {"role": SIGNER, "member": alain, "condition": "nonsense"})
    assert refused.status == 400
    assert "Alain: " in refused.text
    assert "nonsense" in refused.text


def test_remove(owner: Browser) -> None:
    """M7: an assignment is removed after a question."""
    listed = owner.open(f"{PAGES}/iam/assignments")
    where = "/portal/" + listed.text.split("/iam/remove?name=")[0].rsplit("/portal/", 1)[1] + "/iam/remove?name="
    name = listed.text.split("/iam/remove?name=")[1].split('"')[0]
    asked = owner.open(where + name)
    assert "Do you want to remove builder from the role AcrPush for myregistry?" in asked.text
    assert "was removed" in owner.submit(asked, where + name).text
    assert "AcrPush (" not in owner.open(f"{PAGES}/iam/assignments").text


def test_inherited_is_shown_with_its_scope(looking: Browser) -> None:
    """M7: an inherited assignment links to where it was made, and cannot be removed here."""
    page = looking.open(f"{PAGES}/iam/assignments?scope=inherited")
    assert f'<a href="/portal/resource{SUBSCRIPTION}/iam/assignments"' in page.text
    assert "Inherited: remove it at the scope where it was made." in page.text
    assert "AcrPush (" not in page.text


@pytest.mark.parametrize(("query", "shown", "hidden"), [
    ("type=ServicePrincipal", "AcrPush (1)", "Owner ("), ("q=read", "Reader (1)", "AcrPush ("),
    ("scope=here", "AcrPush (1)", "Owner ("), ("role=8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner (1)", "AcrPush ("),
])  # fmt: skip
def test_filters(looking: Browser, query: str, shown: str, hidden: str) -> None:
    """M7: role assignments are filtered by who, type, role and scope."""
    page = looking.open(f"{PAGES}/iam/assignments?{query}")
    assert shown in page.text
    assert hidden not in page.text


def test_check_access(looking: Browser) -> None:
    """M22: what somebody may do here, and which permission is missing for the rest."""
    found = looking.open(f"{PAGES}/iam?q=builder")
    builder = found.text.split("/iam?id=")[2].split('"')[0]
    page = looking.open(f"{PAGES}/iam?id={builder}")
    assert "Access of builder" in page.text
    assert "<code>Microsoft.ContainerRegistry/registries/sign/write</code>" in page.text


def test_role_in_full(looking: Browser) -> None:
    """M8: AcrImageSigner shows its action and its data action."""
    page = looking.open(f"{PAGES}/iam/role?id={SIGNER}")
    assert "Microsoft.ContainerRegistry/registries/sign/write" in page.text
    assert "Microsoft.ContainerRegistry/registries/trustedCollections/write" in page.text


def test_access_keys(owner: Browser) -> None:
    """M9: passwords are shown on demand alone, and regenerated one by one."""
    page = owner.submit(owner.open(f"{PAGES}/access-keys"), fields={"do": "on"})
    assert "••••" in page.text
    shown = owner.submit(page, fields={"do": "show"})
    first = shown.text.split('data-name="password2">')[1].split("<")[0]
    renewed = owner.submit(shown, fields={"do": "password2"})
    assert first not in renewed.text
    assert "••••" not in renewed.text


@pytest.mark.parametrize("page", ["repositories", "iam/denies", "iam/roles", "overview", "update", "iam"])
def test_empty_and_plain_pages(looking: Browser, page: str) -> None:
    """M31: each page is right when there is nothing to show."""
    assert looking.open(f"{PAGES}/{page}").status == 200


@pytest.mark.parametrize("page", ["nothing", "iam/add/x", "../../etc/passwd"])
def test_no_such_page(looking: Browser, page: str) -> None:
    """M31: what is no page is 404, in the visitor's language."""
    assert looking.send("GET", f"{PAGES}/{page}").status == 404


@pytest.mark.parametrize(
    "scope", ["/subscriptions/x", "/subscriptions", "/a/b", f"{SUBSCRIPTION}/resourceGroups/a%3Fb"]
)
def test_no_such_place(looking: Browser, scope: str) -> None:
    """M12: a scope that has no pages is not asked for."""
    assert looking.open(f"/portal/resource{scope}/iam").status == 404


def test_french(owner: Browser) -> None:
    """M31: the article's French words, as the browser prefers them or as chosen."""
    owner.language = "fr-CH, en;q=0.5"
    page = owner.open(f"{PAGES}/content-trust").text
    for word in ("Stratégies", "Approbation de contenu", "Activé", "Désactivé", "Enregistrer"):
        assert word in page
    owner.submit(owner.open("/portal/settings"), fields={"language": "en", "theme": "dark"})
    page = owner.open(f"{PAGES}/content-trust").text
    assert "Save" in page
    assert 'data-theme="dark"' in page


def test_problem_of_a_clients_request(looking: Browser) -> None:
    """M31: a registry that is gone gives ARM's own words."""
    page = looking.open(f"{PAGES.replace('myregistry', 'gonegone')}/overview")
    assert page.status == 404
    assert "was not found" in page.text


def test_bodies_have_a_limit(looking: Browser) -> None:
    """M12: a post without end is cut."""
    assert looking.send("POST", f"{PAGES}/content-trust", {"x": "y" * 1_100_000}, OURS).status == 413
