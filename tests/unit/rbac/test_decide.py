"""The decision, rule by rule (rbac-semantics.md sections 1 to 5)."""

from __future__ import annotations

import pytest

from azext_trust.rbac.model import ALL_SUBSCRIPTIONS, DenyAssignment, Permission, Principal
from tests.unit.rbac.tenants import CONTENT_READ, GROUP, OTHER, PULL, PUSH, REGISTRY, SIGN, SUBSCRIPTION, TRUST, Tenant

EVERYBODY = ("00000000-0000-0000-0000-000000000000",)
ROOT, MID = ("/providers/Microsoft.Management/managementGroups/" + name for name in ("Root", "mid"))


def test_default_is_deny() -> None:
    """M12: nothing assigned, nothing allowed."""
    assert not Tenant().allows(PULL)


def test_unknown_principal_may_nothing() -> None:
    """M12: who is not in the directory may do nothing, whatever is assigned to its id."""
    tenant = Tenant()
    tenant.assign("Owner", who="ghost")
    decision = tenant.decide(PULL, who="ghost")
    assert (decision.allowed, decision.misses[0].kind) == (False, "principal")


def test_deleted_principal_loses_and_its_assignments_stay() -> None:
    """M24: an orphaned assignment stays; a new principal of another id does not get it."""
    tenant = Tenant()
    name = tenant.assign("AcrPull")
    tenant.index.remove_principal("ann")
    assert not tenant.allows(PULL)
    assert tenant.index.assignment(name) is not None
    tenant.people("ann2")
    assert not tenant.allows(PULL, who="ann2")


@pytest.mark.parametrize(
    "scope", [REGISTRY.upper(), REGISTRY + "/", GROUP.lower(), SUBSCRIPTION, MID.upper(), ROOT, "/"]
)
def test_assignments_are_inherited(scope: str) -> None:
    """M12: from every level above, in any case, with or without a slash at the end."""
    tenant = Tenant()
    tenant.index.put_parent(SUBSCRIPTION, MID)
    tenant.index.put_parent(MID, ROOT)
    tenant.assign("AcrPull", scope)
    assert tenant.allows(PULL)
    assert tenant.allows(PULL, REGISTRY + "/tokens/t")


@pytest.mark.parametrize("scope", [OTHER, GROUP + "2", REGISTRY[:-1], REGISTRY + "/tokens/t", MID, "/subscriptions/s2"])
def test_other_scopes_give_nothing(scope: str) -> None:
    """M12: neither siblings nor children, nor names that begin alike."""
    tenant = Tenant()
    tenant.assign("AcrPull", scope)
    decision = tenant.decide(PULL)
    assert (decision.allowed, decision.misses[0].kind) == (False, "scope")


def test_moving_a_subscription_moves_inheritance() -> None:
    """M12: a subscription that leaves its management group loses what is assigned there."""
    tenant = Tenant()
    tenant.index.put_parent(SUBSCRIPTION, MID)
    tenant.assign("AcrPull", MID)
    assert tenant.allows(PULL)
    tenant.index.put_parent(SUBSCRIPTION, None)
    assert not tenant.allows(PULL)


def test_nested_groups_and_the_way_there() -> None:
    """M22: the way through the groups is told, the shortest one."""
    tenant = Tenant()
    tenant.group("inner", "ann")
    tenant.group("middle", "inner")
    tenant.group("outer", "middle", "inner")
    tenant.assign("AcrPull", who="outer")
    assert tenant.decide(PULL).grants[0].group_chain == ("inner", "outer")


def test_groups_in_a_circle() -> None:
    """M12: groups that contain each other end no search, and give what they have."""
    tenant = Tenant()
    tenant.group("one", "ann", "two")
    tenant.group("two", "one")
    tenant.assign("AcrPull", who="two")
    assert tenant.decide(PULL).grants[0].group_chain == ("one", "two")


def test_planes_do_not_cross() -> None:
    """M8: ``*`` of the control plane gives no data action, and the other way round."""
    tenant = Tenant()
    tenant.assign("Owner")
    tenant.role("all data", Permission(data_actions=("*",)))
    assert tenant.decide(TRUST).misses[0].kind == "plane"
    tenant.assign("all data")
    assert tenant.allows(TRUST)
    assert not any(grant.role and grant.role.id == "all data" for grant in tenant.decide(PULL).grants)


def test_not_actions_are_local_to_a_permission_object() -> None:
    """M12: what one object takes away, another object or role gives back."""
    tenant = Tenant()
    tenant.role("less", Permission(("*",), (PUSH,)))
    tenant.assign("less")
    assert tenant.decide(PUSH).misses[0].kind == "notActions"
    tenant.role("less", Permission(("*",), (PUSH,)), Permission((PUSH,)))
    assert tenant.allows(PUSH)
    tenant.role("less", Permission(("*",), (PUSH,)))
    tenant.assign("AcrPush")
    assert tenant.allows(PUSH)


def test_unknown_role_gives_nothing() -> None:
    """M12: an assignment of a role whose definition is gone."""
    tenant = Tenant()
    tenant.assign("gone")
    assert not tenant.allows(PULL)


def test_deny_beats_owner_and_classic_administrator() -> None:
    """M12: a deny assignment overrules every role, and is named."""
    tenant = Tenant()
    tenant.index.put_principal(Principal("ann", "User", ALL_SUBSCRIPTIONS))
    tenant.assign("Owner")
    tenant.deny("*/push/write", scope=SUBSCRIPTION)
    decision = tenant.decide(PUSH)
    assert not decision.allowed
    assert decision.denied_by is not None
    assert decision.denied_by.id == "deny"
    assert len(decision.grants) == 2
    assert tenant.allows(PULL)


def test_deny_for_everybody_but_some() -> None:
    """M12: all principals, and the excluded ones, through groups as well."""
    tenant = Tenant()
    tenant.people("bob", "cas")
    tenant.group("trusted", "bob")
    for who in ("ann", "bob", "cas"):
        tenant.assign("AcrPull", who=who)
    tenant.deny(PULL, who=EVERYBODY, but=("trusted", "cas"))
    assert [tenant.allows(PULL, who=who) for who in ("ann", "bob", "cas")] == [False, True, True]


def test_deny_through_a_group() -> None:
    """M12: a deny assignment of a group concerns its members, nested ones too."""
    tenant = Tenant()
    tenant.group("inner", "ann")
    tenant.group("outer", "inner")
    tenant.assign("AcrPull")
    tenant.deny(PULL, who=("outer",))
    assert not tenant.allows(PULL)


def test_deny_here_only() -> None:
    """M12: one that does not apply to child scopes."""
    tenant = Tenant()
    tenant.assign("AcrPull", GROUP)
    tenant.deny("*", scope=GROUP, here_only=True)
    assert not tenant.allows(PULL, GROUP)
    assert tenant.allows(PULL, REGISTRY)


def test_deny_with_not_actions() -> None:
    """M12: a deny assignment subtracts like a role does."""
    tenant = Tenant()
    tenant.assign("AcrPush")
    tenant.index.put_deny(_deny_all_but_pull())
    assert tenant.allows(PULL)
    assert not tenant.allows(PUSH)


def _deny_all_but_pull() -> DenyAssignment:
    return DenyAssignment("deny", "no", REGISTRY, (Permission(("*",), ("*/read",)),), ("ann",), ())


def classic(subscriptions: frozenset[str] = ALL_SUBSCRIPTIONS, *, strict: bool = False) -> Tenant:
    """Return a tenant where ann is a classic administrator."""
    tenant = Tenant(strict_classic=strict)
    tenant.index.put_principal(Principal("ann", "User", subscriptions))
    return tenant


def test_classic_administrator_is_owner_of_its_subscription_only() -> None:
    """M9: it passes the control plane as Owner does, in its subscription and below."""
    tenant = classic(frozenset({"s1"}))
    assert tenant.allows(PUSH)
    assert tenant.allows(SIGN)
    assert not tenant.allows(PUSH, REGISTRY.replace("/s1/", "/s2/"))
    assert not tenant.allows(PUSH, "/")


def test_classic_administrator_has_no_data_action() -> None:
    """M9: so it never signs by the flag alone."""
    decision = classic().decide(TRUST)
    assert (decision.allowed, decision.misses[0].detail) == (False, "a classic administrator has no data action")


def test_classic_administrator_with_image_signer() -> None:
    """M9: one who also holds AcrImageSigner signs, unless the strict reading is on."""
    for strict in (False, True):
        tenant = classic(strict=strict)
        tenant.assign("AcrImageSigner")
        assert tenant.allows(TRUST) is not strict
        assert tenant.allows(SIGN) is not strict
        assert tenant.allows(PUSH)


def test_strict_reading_is_told() -> None:
    """M22: a refusal by the strict reading names the assignment that it cancels."""
    tenant = classic(strict=True)
    tenant.assign("AcrImageSigner")
    assert [miss.kind for miss in tenant.decide(TRUST).misses] == ["classic", "plane"]


def test_misses_come_nearest_first() -> None:
    """M22: condition, then notActions, then plane, then other scopes by their distance."""
    tenant = Tenant()
    tenant.role("less", Permission(("*",), (PUSH,)))
    tenant.role("data", Permission(data_actions=("*",)))
    tenant.assign("AcrPush", "/subscriptions/s2")
    tenant.assign("AcrPush", OTHER)
    tenant.assign("data", GROUP)
    tenant.assign("less", SUBSCRIPTION)
    tenant.assign("AcrPush", condition="@Request[x] StringEquals 'y'")
    decision = tenant.decide(PUSH)
    assert [miss.kind for miss in decision.misses] == ["condition", "notActions", "plane", "scope", "scope"]
    assert [miss.assignment.scope for miss in decision.misses[3:] if miss.assignment] == [OTHER, "/subscriptions/s2"]
    assert decision.condition_refused


def test_several_ways_are_all_told_nearest_first() -> None:
    """M22: every assignment that grants it."""
    tenant = Tenant()
    tenant.assign("Reader", SUBSCRIPTION)
    tenant.assign("AcrPull")
    assert [grant.role.name for grant in tenant.decide(PULL).grants if grant.role] == ["AcrPull", "Reader"]


def test_same_role_twice_with_different_conditions() -> None:
    """M12: an export may hold what the service would refuse; one true condition is enough."""
    from azext_trust.rbac.model import RoleAssignment
    from azext_trust.rbac.roles import built_in_by_name
    from tests.unit.rbac.tenants import NAME

    tenant = Tenant()
    reader = built_in_by_name("Container Registry Repository Reader")
    assert reader is not None
    for name in ("one", "two"):
        condition = f"@Request[{NAME}] StringEquals '{name}'"
        tenant.index.put_assignment(RoleAssignment(name, REGISTRY, reader.id, "ann", condition))
    assert tenant.allows(CONTENT_READ, name="two")
    assert not tenant.allows(CONTENT_READ, name="three")
    tenant.index.remove_assignment("two")
    assert not tenant.allows(CONTENT_READ, name="two")
