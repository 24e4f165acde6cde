"""Who can, what can, what if: the shape of the answers."""

from __future__ import annotations

from azext_trust.rbac import capabilities, what_can, what_if
from azext_trust.rbac.model import ALL_SUBSCRIPTIONS, Principal, RoleAssignment
from azext_trust.rbac.who_can import WhoCan, who_can
from tests.unit.rbac.tenants import GROUP, OTHER, PULL, REGISTRY, SUBSCRIPTION, Tenant

SIGN = capabilities.needs("sign") or ()


def team() -> Tenant:
    """Return a tenant where the group ``signers`` (bob) signs in myregistry, and ann only pushes."""
    tenant = Tenant()
    tenant.people("bob")
    tenant.group("signers", "bob")
    tenant.assign("AcrPush", SUBSCRIPTION, "signers")
    tenant.assign("AcrImageSigner", REGISTRY, "signers")
    tenant.assign("AcrPush", REGISTRY)
    return tenant


def test_groups_are_expanded() -> None:
    """M22: the people of a group, with the way there."""
    [holder] = who_can(team().index, SIGN, REGISTRY)
    assert (holder.id, holder.kind, holder.depends) == ("bob", "User", False)
    assert {way.grant.group_chain for way in holder.ways} == {("signers",)}
    assert {way.action for way in holder.ways} == {action for group in SIGN for action in group}


def test_groups_as_they_are_assigned() -> None:
    """M22: without expanding, the group itself stands there."""
    assert [holder.id for holder in who_can(team().index, SIGN, REGISTRY).assigned()] == ["signers"]


def test_one_principal_of_the_answer() -> None:
    """M22: whether and why one principal is among them."""
    holders = who_can(team().index, SIGN, REGISTRY)
    assert holders.holder("ann") is None
    assert holders.holder("nobody") is None
    bob = holders.holder("bob")
    assert bob is not None
    assert len(bob.ways) == 4


def test_half_of_signing_is_not_signing() -> None:
    """M8: every part is needed."""
    assert not len(who_can(team().index, SIGN, OTHER))


def test_orphans_are_told_apart() -> None:
    """M24: a deleted principal cannot, though its assignments would let it."""
    tenant = team()
    tenant.assign("Owner", SUBSCRIPTION, "ghost")
    holders = who_can(tenant.index, ((PULL,),), REGISTRY)
    assert sorted(holders.ids()) == ["ann", "bob"]
    assert holders.orphans() == ["ghost"]


def test_deny_takes_a_group_off() -> None:
    """M22: denied, its members are no longer among them; the excluded ones are."""
    tenant = team()
    tenant.people("cas")
    tenant.index.put_member("signers", "cas")
    tenant.deny("*", who=("signers",), but=("cas",))
    assert who_can(tenant.index, SIGN, REGISTRY).ids() == ["cas"]


def test_classic_administrators_are_among_them() -> None:
    """M9: on the control plane; never for signing."""
    tenant = Tenant()
    tenant.index.put_principal(Principal("old", "User", ALL_SUBSCRIPTIONS))
    assert who_can(tenant.index, ((PULL,),), REGISTRY).ids() == ["old"]
    assert not len(who_can(tenant.index, SIGN, REGISTRY))


def test_nothing_needed_is_nobody() -> None:
    """An empty question is no way to list the directory."""
    assert not len(who_can(team().index, (), REGISTRY))


def test_many_registries_with_one_question() -> None:
    """M22: the sets of the scopes above are used again, also when the memory is trimmed."""
    tenant = team()
    question = WhoCan(tenant.index, ((PULL,),))
    scopes = [
        f"{SUBSCRIPTION}/resourceGroups/rg{n}/providers/Microsoft.ContainerRegistry/registries/r" for n in range(3000)
    ]
    assert all(question.at(scope).ids() == ["bob"] for scope in scopes)


def test_what_can_in_the_order_of_scopes() -> None:
    """M22: a principal's assignments, upper scopes first."""
    tenant = team()
    rows = what_can.held(tenant.index, "bob")
    assert [(row.role.name, row.group_chain) for row in rows if row.role] == [
        ("AcrPush", ("signers",)), ("AcrImageSigner", ("signers",)),
    ]  # fmt: skip
    assert what_can.held(tenant.index, "nobody") == []


def test_what_if_tells_gains_and_losses_and_changes_nothing() -> None:
    """M23: a removed membership and a new assignment."""
    tenant = team()
    after = tenant.index.overlay()
    after.remove_member("signers", "bob")
    after.put_member("signers", "ann")
    answers = [who_can(index, SIGN, REGISTRY) for index in (tenant.index, after)]
    found = what_if.difference(*answers)
    assert (found.gains, found.loses, bool(found)) == (("ann",), ("bob",), True)
    assert who_can(tenant.index, SIGN, REGISTRY).ids() == ["bob"]


def test_what_if_the_mode_changes() -> None:
    """M23: in mode rbac-abac nobody signs."""
    before = who_can(team().index, SIGN, REGISTRY)
    assert what_if.difference(before, None).loses == ("bob",)
    assert not what_if.difference(None, None)


def test_what_if_a_condition_falls() -> None:
    """M23: who could under a condition and now can in any case neither gains nor loses."""
    tenant = Tenant()
    name = tenant.assign("AcrPull", GROUP, condition="@Request[x] StringEquals 'y'")
    after = tenant.index.overlay()
    after.remove_assignment(name)
    after.put_assignment(next(iter(_unconditional(tenant))))
    found = what_if.difference(*(who_can(index, ((PULL,),), REGISTRY) for index in (tenant.index, after)))
    assert (found.gains, found.loses, found.depends) == ((), (), ("ann",))


def _unconditional(tenant: Tenant) -> list[RoleAssignment]:
    return [row._replace(condition=None) for row in tenant.index.assignments()]
