"""The rows of answers: a contract (docs/audit.md). JSON has the same names in camelCase."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HolderRow:
    """Somebody who can: the row of ``who-can``.

    Attributes:
        principal_id: object id; of an admin account, anonymous access or a token the registry's id and a word.
        principal_name: user name, or display name.
        principal_type: ``User``, ``ServicePrincipal``, ``Group`` (its members are not known), ``AdminAccount``,
            ``Anonymous`` or ``ScopeMapToken``.
        registry: the registry's name, or the scope that was asked about.
        capability: what it can: a capability or an action.
        via: ``direct``, the groups from the principal to the assignment, ``classic administrator``, or a way round.
        role: the role that decides.
        roles: the roles that decide, one for each action that is needed.
        scope: where the deciding role is assigned.
        assignment_id: the deciding assignment.
        key: ids of signing keys of a delegation that is this principal's, for ``sign``.
        can_push: whether it can push images too.
        depends: only under a condition: on some repositories, some requests.
        condition: that condition.
        indirect: only by a way round: it must change something first.
        notes: what else to know.
        registry_id: the registry's resource id.
    """

    principal_id: str
    principal_name: str | None
    principal_type: str
    registry: str
    capability: str
    via: str
    role: str | None
    roles: tuple[str, ...]
    scope: str | None
    assignment_id: str | None
    key: str | None
    can_push: bool
    depends: bool
    condition: str | None
    indirect: bool
    notes: str
    registry_id: str


@dataclass(frozen=True, slots=True)
class MissRow:
    """What nearly allowed it.

    Attributes:
        kind: ``condition``, ``classic``, ``notActions``, ``plane``, ``scope``, ``deny`` or ``principal``.
        action: the action that is missing.
        assignment_id: the assignment that comes near.
        role: its role.
        scope: where it is assigned.
        detail: what stands in the way, in words.
    """

    kind: str
    action: str
    assignment_id: str | None
    role: str | None
    scope: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """The one row of ``can``.

    Attributes:
        principal_id: who.
        principal_name: its name.
        principal_type: its kind.
        capability: what was asked.
        registry: where: a registry's name, or a scope.
        scope: the resource id.
        allowed: the verdict; null when what is not known could allow it.
        depends: allowed under a condition only.
        missing: the actions that are not granted.
        nearest: what nearly allowed it, nearest first.
        fix: the smallest change that allows it, a command of az; null when it is allowed or no command can.
        notes: what else stands in the way, or is to be known.
    """

    principal_id: str
    principal_name: str | None
    principal_type: str
    capability: str
    registry: str
    scope: str
    allowed: bool | None
    depends: bool
    missing: tuple[str, ...]
    nearest: tuple[MissRow, ...]
    fix: str | None
    notes: str


@dataclass(frozen=True, slots=True)
class PathRow:
    """One path of ``why``: assignment, groups, role, pattern, scope, condition.

    Attributes:
        principal_id: who.
        principal_name: its name.
        capability: what was asked.
        action: the action this path is about.
        effect: ``grants``; ``removes`` (notActions took it away); ``denies`` (a deny assignment); ``misses``.
        assignment_id: the role or deny assignment.
        via: ``direct`` or the groups in between.
        group_ids: their object ids, from the principal to the assignment.
        role: the role's name, or the deny assignment's.
        role_id: the role's id.
        pattern: the pattern that matched.
        scope: where it is assigned.
        condition: the condition, or null.
        condition_verdict: ``holds``, ``depends`` (on the request), ``fails``, or empty without a condition.
        detail: in words.
    """

    principal_id: str
    principal_name: str | None
    capability: str
    action: str
    effect: str
    assignment_id: str | None
    via: str
    group_ids: tuple[str, ...]
    role: str | None
    role_id: str | None
    pattern: str | None
    scope: str | None
    condition: str | None
    condition_verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One assignment of ``what-can``, with what its holder can where it is assigned.

    Attributes:
        principal_id: who.
        principal_name: its name.
        scope: where.
        role: the role's name; null when its definition is not known.
        role_id: the role's id.
        via: ``direct`` or the groups in between.
        group_ids: their object ids.
        assignment_id: the assignment.
        condition: its condition.
        actions: what the role allows on the control plane.
        not_actions: what it takes away again.
        data_actions: what it allows on the data plane.
        not_data_actions: what it takes away again.
        capabilities: what the principal can at this scope, all its assignments and denials taken together.
    """

    principal_id: str
    principal_name: str | None
    scope: str
    role: str | None
    role_id: str
    via: str
    group_ids: tuple[str, ...]
    assignment_id: str | None
    condition: str | None
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    data_actions: tuple[str, ...]
    not_data_actions: tuple[str, ...]
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """Who gains or loses what: the row of ``what-if`` and ``diff``.

    Attributes:
        change: ``gains`` or ``loses``.
        principal_id: who.
        principal_name: its name.
        principal_type: its kind.
        capability: what.
        registry: the registry's name.
        via: by which way: the one that is new, or gone.
        role: its role.
        scope: its scope.
        depends: the gain or loss is only under a condition.
        notes: what else to know.
        registry_id: the registry's resource id.
    """

    change: str
    principal_id: str
    principal_name: str | None
    principal_type: str
    capability: str
    registry: str
    via: str
    role: str | None
    scope: str | None
    depends: bool
    notes: str
    registry_id: str


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """An entry of the log that would end otherwise: the row of ``replay``.

    Attributes:
        time: when.
        principal_id: who.
        principal_name: its name.
        action: what.
        scope: on what.
        outcome: how it ends as things are: ``Allowed`` or ``Denied``.
        would: how it would end.
        missing: the action that would be missing.
        correlation_id: of the log entry.
        notes: what else to know.
    """

    time: str
    principal_id: str
    principal_name: str | None
    action: str
    scope: str
    outcome: str
    would: str
    missing: str | None
    correlation_id: str
    notes: str


@dataclass(frozen=True, slots=True)
class LeastRow:
    """An assignment that gives more than was used: the row of ``least``.

    Attributes:
        principal_id: who is assigned.
        principal_name: its name.
        role: what is assigned.
        scope: where.
        assignment_id: the assignment.
        used: the actions that were used through it, by whoever it concerns.
        unused: how many known actions it gives that were not.
        suggestion: ``remove``, ``replace`` or ``narrow``.
        roles: the smallest roles that keep what was used.
        scopes: where to assign them.
        commands: the commands of az that do it, in order.
        notes: what else to know.
    """

    principal_id: str
    principal_name: str | None
    role: str | None
    scope: str
    assignment_id: str
    used: tuple[str, ...]
    unused: int
    suggestion: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    commands: tuple[str, ...]
    notes: str


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A refusal explained: the row of ``explain``.

    Attributes:
        time: when.
        principal_id: who was refused.
        principal_name: its name.
        operation: what was asked.
        scope: on what.
        missing: the permission that was missing.
        reason: why, in words.
        nearest: what nearly allowed it, nearest first.
        fix: what to do: a command.
        now: how the same request would end now: ``Allowed``, ``Denied``, or empty when that cannot be said.
        correlation_id: of the log entry.
    """

    time: str
    principal_id: str
    principal_name: str | None
    operation: str
    scope: str
    missing: str | None
    reason: str
    nearest: tuple[MissRow, ...]
    fix: str | None
    now: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A rule of a gate, held at one place: the row of ``assert``.

    Attributes:
        rule: ``max-signers``, ``no-admin-account`` ...
        registry: where it was looked at.
        passed: whether it holds there.
        limit: what the rule allows.
        found: what there is.
        subjects: who or what breaks it.
        message: in words.
        scope: the resource concerned.
    """

    rule: str
    registry: str
    passed: bool
    limit: int
    found: int
    subjects: tuple[str, ...]
    message: str
    scope: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of the report.

    Attributes:
        severity: ``high``, ``medium``, ``low`` or ``info``.
        finding: which kind: ``signer-without-push``, ``admin-account`` ...
        title: the kind, in words.
        registry: the registry's name, or null.
        subject: who or what it is about.
        evidence: the facts, in words.
        cure: the command that cures it.
        scope: the resource concerned.
    """

    severity: str
    finding: str
    title: str
    registry: str | None
    subject: str
    evidence: str
    cure: str
    scope: str
