"""A hand-made tenant with traps (docs/audit-traps.md): one line of facts for each thing, ids from names."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac import roles

TENANT, SUB_A = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SUB_B = "23232323-2323-2323-2323-232323232323"
R, A = "Microsoft.ContainerRegistry/registries", "Microsoft.Authorization"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/"
PARENTS = {
    MANAGEMENT + "corp": MANAGEMENT + TENANT, f"/subscriptions/{SUB_A}": MANAGEMENT + "corp",
    f"/subscriptions/{SUB_B}": MANAGEMENT + TENANT,
}  # fmt: skip
GROUPS_OF = {SUB_A: ("prod", "prod2", "lab"), SUB_B: ("other",)}
REGISTRIES: dict[str, dict[str, Any]] = {
    "plain": {"group": (SUB_A, "prod")}, "neighbour": {"group": (SUB_A, "prod2")},
    "modern": {"group": (SUB_A, "lab"), "mode": "AbacRepositoryPermissions"},
    "doors": {"group": (SUB_A, "lab"), "admin": True, "anonymous": True}, "abroad": {"group": (SUB_B, "other")},
}  # fmt: skip


def guid(name: str) -> str:
    """Return the id that stands for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"traps/{name}"))


def registry(name: str) -> str:
    """Return a registry's resource id."""
    subscription, group = REGISTRIES[name]["group"]
    return scopes.registry_id(subscription, group, name)


def place(text: str) -> str:
    """Return a scope: a registry's name, ``rg:GROUP``, ``sub:a``, ``mg:NAME``, ``/`` or a full id."""
    kind, _, name = text.partition(":")
    if text.startswith("/"):
        return text
    if kind == "rg":
        owner = next(sub for sub, groups in GROUPS_OF.items() if name.lower() in groups)
        return f"/subscriptions/{owner}/resourceGroups/{name}"
    if kind == "mg":
        return MANAGEMENT + name
    return f"/subscriptions/{SUB_A if name == 'a' else SUB_B}" if kind == "sub" else registry(text)


PEOPLE = (
    "nested", "looped", "halfsigner", "pusher", "boss", "signhalf", "pieced", "twice", "less", "monitor", "wild",
    "dataonly", "denied", "spared", "childless", "repouser", "oldrole", "above", "prefixed", "cased", "ghostly", "classic",
    "bound", "unbound", "maker", "keyholder", "split", "mixed",
)  # fmt: skip
"""Users; each stands in one trap."""
SERVICES = ("robot",)
GROUPS = {
    "inner": ("nested",), "middle": ("inner",), "outer": ("middle",), "ring": ("chain", "looped"), "chain": ("ring",),
    "sparing": ("spared",), "empty": (), "robots": ("robot",), "pushing": ("mixed",),
}  # fmt: skip
DELETED = "deleted"
"""Somebody whose assignments outlived it; a new user has its name."""
ROLES: dict[str, dict[str, list[str]]] = {
    "Half Sign": {"actions": [f"{R}/sign/write"]},
    "Half Collections": {"dataActions": [f"{R}/trustedCollections/write"]},
    "All But Push": {"actions": [f"{R}/*"], "notActions": [f"{R}/push/write"]},
    "Registry Wild": {"actions": ["Microsoft.ContainerRegistry/*"]},
    "All Data": {"dataActions": ["*"]},
    "Settings": {"actions": [f"{R}/read", f"{R}/write", f"{R}/listCredentials/action"]},
}
REPOSITORY = (
    f"((!(ActionMatches{{'{R}/repositories/content/read'}})) OR "
    f"(@Request[{R}/repositories:name] StringStartsWithIgnoreCase 'team/'))"
)
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
_ROLE_ID = f"@Request[{A}/roleAssignments:RoleDefinitionId]"
BUT_SIGNER = (
    f"((!(ActionMatches{{'{A}/roleAssignments/write'}})) OR ({_ROLE_ID} ForAnyOfAllValues:GuidNotEquals {{{SIGNER}}}))"
)
ONLY_SIGNER = (
    f"((!(ActionMatches{{'{A}/roleAssignments/write'}})) OR ({_ROLE_ID} ForAnyOfAnyValues:GuidEquals "
    f"{{{SIGNER}, 8311e382-0749-4cb8-b61a-304f252e45ec}}))"
)


@dataclass(frozen=True)
class Given:
    """A role assignment: who, role, scope, perhaps a condition."""

    who: str
    role: str
    at: str
    condition: str | None = None

    @property
    def name(self) -> str:
        """Its GUID."""
        return guid(f"{self.who} {self.role} {self.at}")

    @property
    def id(self) -> str:
        """Its resource id."""
        return scopes.role_assignment_id(place(self.at), self.name)

    @property
    def role_id(self) -> str:
        """The role's GUID."""
        known = roles.built_in_by_name(self.role)
        return known.id if known else guid(self.role)


ADMINISTRATOR = "Role Based Access Control Administrator"
ASSIGNMENTS = (
    Given("outer", "AcrPush", "plain"), Given("outer", "AcrImageSigner", "plain"),
    Given("ring", "AcrPush", "plain"), Given("chain", "AcrImageSigner", "plain"),
    Given("halfsigner", "AcrImageSigner", "plain"), Given("pusher", "AcrPush", "plain"), Given("boss", "Owner", "sub:a"),
    Given("signhalf", "AcrPush", "plain"), Given("signhalf", "Half Sign", "plain"),
    Given("pieced", "Contributor", "rg:prod"), Given("pieced", "Half Collections", "plain"),
    Given("twice", "All But Push", "plain"), Given("twice", "AcrPush", "plain"), Given("less", "All But Push", "plain"),
    Given("monitor", "Monitoring Reader", "sub:a"), Given("monitor", "Reader", "sub:b"), Given("wild", "Registry Wild", "sub:a"),
    Given("dataonly", "All Data", "rg:prod"), Given("denied", "Contributor", "sub:a"),
    Given("spared", "Contributor", "sub:a"), Given("childless", "Contributor", "rg:prod2"),
    Given("repouser", "Container Registry Repository Reader", "modern", REPOSITORY),
    Given("oldrole", "AcrPush", "modern"), Given("oldrole", "AcrImageSigner", "modern"),
    Given("above", "AcrPush", "mg:corp"), Given("above", "AcrImageSigner", f"mg:{TENANT}"),
    Given("prefixed", "AcrPush", "rg:prod"), Given("cased", "AcrPush", "rg:PROD"),
    Given(DELETED, "AcrPush", "plain"), Given(DELETED, "AcrImageSigner", "plain"),
    Given("bound", ADMINISTRATOR, "plain", BUT_SIGNER), Given("unbound", ADMINISTRATOR, "plain", ONLY_SIGNER),
    Given("maker", "Settings", "plain"), Given("keyholder", "Container Registry Configuration Reader and Data Access "
                                               "Configuration Reader", "doors"),
    Given("split", "AcrImageSigner", "sub:a"), Given("split", "AcrPush", "plain"),
    Given("pushing", "AcrPush", "plain"), Given("mixed", "AcrImageSigner", "plain"),
    Given("empty", "AcrPush", "plain"), Given("empty", "AcrImageSigner", "plain"),
    Given("robots", "AcrPush", "plain"), Given("robot", "AcrImageSigner", "plain"),
)  # fmt: skip


@dataclass(frozen=True)
class Denied:
    """A deny assignment; it takes the same from both planes."""

    name: str
    at: str
    actions: tuple[str, ...]
    who: tuple[str, ...]
    but: tuple[str, ...] = ()
    here_only: bool = False


EVERYBODY = "00000000-0000-0000-0000-000000000000"
DENIES = (
    Denied("freeze", "rg:prod", (f"{R}/push/write",), ("denied", "spared"), ("sparing",)),
    Denied("shallow", "rg:prod2", (f"{R}/push/write",), (EVERYBODY,), here_only=True),
)
CLASSIC = ("classic",)


@dataclass(frozen=True)
class Trap:
    """What could be got wrong, and what is right.

    Attributes:
        number: its number in docs/audit-traps.md.
        who: a principal of the world.
        word: a capability.
        at: a registry.
        allowed: the right answer.
        effects: effects that `why` must name, with a word of the row each.
        via: how the way reads, of who can.
        change: a change that turns the answer round, in the change file's form; none where nothing can.
        indirect: whether it could give itself the right.
        repository: the question is about this repository.
        depends: only under a condition.
    """

    number: int
    who: str
    word: str
    at: str
    allowed: bool
    effects: tuple[tuple[str, str], ...] = ()
    via: str = ""
    change: dict[str, Any] = field(default_factory=dict)
    indirect: bool = False
    repository: str = ""
    depends: bool = False


def _gone(who: str, role: str, at: str) -> dict[str, Any]:
    return {"change": "remove-assignment", "id": Given(who, role, at).id}


def _given(who: str, role: str, at: str) -> dict[str, Any]:
    return {"change": "add-assignment", "principalId": guid(who), "role": role, "scope": place(at)}


def _out(group: str, who: str) -> dict[str, Any]:
    return {"change": "remove-member", "groupId": guid(group), "memberId": guid(who)}


TRAPS = (
    Trap(1, "nested", "sign", "plain", True, (("grants", "AcrImageSigner"),), "inner > middle > outer", _out("outer", "middle")),
    Trap(2, "looped", "sign", "plain", True, (("grants", "AcrPush"),), "ring > chain", _out("ring", "looped")),
    Trap(3, "halfsigner", "sign", "plain", False, (("grants", "AcrImageSigner"),), "",
         _given("halfsigner", "AcrPush", "plain")),
    Trap(4, "pusher", "sign", "plain", False, (("grants", "AcrPush"),), "", _given("pusher", "AcrImageSigner", "plain")),
    Trap(5, "boss", "sign", "plain", False, (("misses", "plane"),), "", _given("boss", "AcrImageSigner", "plain"), True),
    Trap(6, "signhalf", "sign", "plain", False, (("grants", "Half Sign"),), "", _given("signhalf", "Half Collections", "plain")),
    Trap(7, "pieced", "sign", "plain", True, (("grants", "Half Collections"), ("grants", "Contributor")), "direct",
         _gone("pieced", "Contributor", "rg:prod")),
    Trap(8, "twice", "push", "plain", True, (("grants", "AcrPush"), ("removes", "All But Push")), "direct",
         _gone("twice", "AcrPush", "plain")),
    Trap(9, "less", "push", "plain", False, (("removes", f"{R}/push/write"),), "", _given("less", "AcrPush", "plain"), True),
    Trap(10, "monitor", "pull", "plain", True, (("grants", "*/read"),), "direct", _gone("monitor", "Monitoring Reader", "sub:a")),
    Trap(11, "wild", "sign", "plain", False, (("grants", "Microsoft.ContainerRegistry/*"), ("misses", "plane")), "",
         {"change": "role-permissions", "role": "Registry Wild", "permissions": [
             {"actions": ["Microsoft.ContainerRegistry/*"], "dataActions": ["Microsoft.ContainerRegistry/*"]}]}),
    Trap(12, "dataonly", "push", "plain", False, (("misses", "plane"),), "", _given("dataonly", "AcrPush", "plain")),
    Trap(13, "denied", "push", "plain", False, (("grants", "Contributor"), ("denies", "freeze")), "",
         {"change": "remove-deny", "name": "freeze"}, True),
    Trap(14, "spared", "push", "plain", True, (("grants", "Contributor"),), "direct", _out("sparing", "spared")),
    Trap(15, "childless", "push", "neighbour", True, (("grants", "Contributor"),), "direct",
         _gone("childless", "Contributor", "rg:prod2")),
    Trap(16, "repouser", "pull", "modern", True, (("grants", "depends"),), "direct",
         {"change": "registry-mode", "registry": "modern", "roleAssignmentMode": "LegacyRegistryPermissions"}, depends=True),
    Trap(17, "oldrole", "sign", "modern", False, (), "",
         {"change": "registry-mode", "registry": "modern", "roleAssignmentMode": "LegacyRegistryPermissions"}),
    Trap(18, "above", "sign", "plain", True, (("grants", MANAGEMENT + "corp"),), "direct", _gone("above", "AcrPush", "mg:corp")),
    Trap(19, "prefixed", "push", "neighbour", False, (("misses", "scope"),), "", _given("prefixed", "AcrPush", "neighbour")),
    Trap(20, "cased", "push", "plain", True, (("grants", "AcrPush"),), "direct", _gone("cased", "AcrPush", "rg:PROD")),
    Trap(21, "ghostly", "sign", "plain", False, (), "", {}),
    Trap(22, "classic", "push", "plain", True, (("grants", "classic"),), "classic administrator",
         {"change": "delete-principal", "principalId": guid("classic")}),
    Trap(23, "bound", "sign", "plain", False, (), "", {}),
    Trap(24, "unbound", "sign", "plain", False, (), "", {}, True),
    Trap(25, "maker", "push", "plain", False, (), "", _given("maker", "AcrPush", "plain"), True),
    Trap(26, "keyholder", "push", "doors", False, (), "", _given("keyholder", "AcrPush", "doors"), True),
    Trap(27, "split", "sign", "plain", True, (("grants", "AcrImageSigner"),), "direct", _gone("split", "AcrImageSigner", "sub:a")),
    Trap(28, "mixed", "sign", "plain", True, (("grants", "AcrPush"),), "direct", _out("pushing", "mixed")),
    Trap(29, "robot", "sign", "plain", True, (("grants", "AcrImageSigner"),), "direct", _out("robots", "robot")),
    Trap(30, "repouser", "pull", "modern", False, (("misses", "condition"),), "", {}, repository="other/app"),
)  # fmt: skip
