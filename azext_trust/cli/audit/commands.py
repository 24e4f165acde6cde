"""Rows of ``audit`` and ``twin``."""

from dataclasses import replace

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows

_WORDS = ("sign", "push", "pull", "delete", "manage-policy", "purge", "grant", "catalog", "import", "metadata_read",
          "metadata_write", "deleted_read", "deleted_restore", "quarantine_read", "quarantine_write", "trust_read")  # fmt: skip
_CAPABILITY = Argument(
    "capability", (), "What somebody wants to do: sign, push, pull, delete, manage-policy (purge is the same), grant.",
    choices=_WORDS, many="?",
)  # fmt: skip
_CAPABILITY_OPTION = replace(_CAPABILITY, options=("--capability",), many="")
_ACTION = Argument("action", ("--action",), "An action or data action of any provider, instead of a capability.")
_REGISTRY = Argument(
    "registry", ("--registry", "-r"), "Name or resource ID of a registry; all registries when omitted."
)
_ONE_REGISTRY = replace(_REGISTRY, help="Name or resource ID of the registry.")
_SCOPE = Argument("scope", ("--scope",), "Another resource's ID, for actions that are not about a registry.")
_REPOSITORY = Argument(
    "repository", ("--repository",), "One repository: conditions on other repositories do not count."
)
_ASSIGNEE = Argument(
    "assignee", ("--assignee",), "User name, object ID, application ID, service principal name or display name.",
    required=True,
)  # fmt: skip
_ANYBODY = replace(_ASSIGNEE, required=False)
_FROM = Argument("folder", ("--from",), "A folder of exported files, or a twin, to answer from instead of the cloud.")
_LIVE = Argument("live", ("--live",), "Read the facts through Resource Manager and Graph, where the cloud itself could "
                 "answer.", flag=True)  # fmt: skip
_SOURCE = (_FROM, _LIVE)
_SINCE = Argument("since", ("--since",), "Only entries of the activity log after this time (ISO 8601, UTC).")
_INTO = Argument("into", ("--into",), "The twin's directory; ~/.aztrust/twin when omitted.")
_CHANGES = (
    Argument("changes", ("--changes",), "File of changes, YAML or JSON; - reads the standard input."),
    Argument("add", ("--add",), "Add a role assignment: ASSIGNEE ROLE SCOPE.", many="+", repeat=True),
    Argument("remove", ("--remove",), "Remove a role assignment, by its ID.", repeat=True),
    Argument("delete_principal", ("--delete-principal",), "Delete a principal.", repeat=True),
)

_HOLDERS = (
    "value[].{Signer: principalName || principalId, Registry: registry, Via: via, Role: role, Scope: scope, Key: key, "
    "CanPush: canPush, Notes: notes}"
)
_PATHS = (
    "value[].{Action: action, Effect: effect, Via: via, Role: role, Pattern: pattern, Scope: scope, Condition: condition, "
    "Detail: detail}"
)
_CHANGED = (
    "value[].{Change: change, Principal: principalName || principalId, Capability: capability, Registry: registry, "
    "Via: via, Role: role, Scope: scope, Notes: notes}"
)
_GRANTS = "value[].{Scope: scope, Role: role, Via: via, Condition: condition, Can: join(', ', capabilities)}"
_VERDICT = (
    "value[].{Principal: principalName || principalId, Capability: capability, Registry: registry, Allowed: allowed, "
    "Missing: join(', ', missing), Fix: fix, Notes: notes}"
)
_REPLAYED = (
    "value[].{Time: time, Principal: principalName || principalId, Action: action, Scope: scope, Now: outcome, "
    "Would: would, Missing: missing}"
)
_LEAST = (
    "value[].{Principal: principalName || principalId, Role: role, Scope: scope, Unused: unused, Suggestion: suggestion, "
    "Roles: join(', ', roles), Scopes: join(', ', scopes)}"
)
_REFUSAL = (
    "value[].{Time: time, Principal: principalName || principalId, Missing: missing, Scope: scope, Reason: reason, "
    "Fix: fix, Now: now}"
)
_CHECKS = "value[].{Rule: rule, Registry: registry, Passed: passed, Limit: limit, Found: found, Subjects: join(', ', subjects)}"
_FINDINGS = (
    "value[].{Severity: severity, Finding: title, Registry: registry, Subject: subject, Evidence: evidence, Cure: cure}"
)

_ENDS = (
    "Ends with 5 when the answer is not complete because something may not be read; stderr says what. -o csv works too."
)

ROWS = Rows(
    groups=(
        Group("audit", "Who can do what in registries, why, and what if: on a cloud, a twin or exported files."),
        Group("twin", "A local copy of a live cloud's access and content trust, to rehearse on."),
    ),
    commands=(
        Command(
            "audit who-can", "audit.questions:who_can", "List who can do something, at one registry or at all.",
            (_CAPABILITY, _ACTION, _REGISTRY, _SCOPE, _REPOSITORY,
             Argument("indirect", ("--indirect",), "Also who could give itself the right: by assigning itself a role, "
                      "through the admin account, by making a token.", flag=True), *_SOURCE),
            (Example("Who can sign in a registry, and by which way.", "aztrust audit who-can sign -r myregistry -o table"),
             Example("The same, answered from what az exported of a real tenant.",
                     "aztrust audit who-can sign -r myregistry --from exports/")),
            table=_HOLDERS, details=_ENDS,
        ),
        Command(
            "audit can", "audit.questions:can", "Tell whether somebody can; if not, what came nearest and the smallest fix.",
            (_CAPABILITY, _ACTION, _ASSIGNEE, _ONE_REGISTRY, _SCOPE, _REPOSITORY, *_SOURCE),
            (Example("Can Alain sign here?", "aztrust audit can sign --assignee alain@contoso.com -r myregistry"),),
            table=_VERDICT, details="Ends with 4 when not, with 5 when that cannot be said for sure.",
        ),
        Command(
            "audit why", "audit.questions:why", "Show each path from assignment to right, and what was taken away.",
            (_CAPABILITY, _ACTION, _ASSIGNEE, _ONE_REGISTRY, _SCOPE, _REPOSITORY, *_SOURCE),
            (Example("Why can Alain sign?",
                     "aztrust audit why sign --assignee alain@contoso.com -r myregistry -o table"),),
            table=_PATHS, details=_ENDS,
        ),
        Command(
            "audit what-can", "audit.questions:what_can", "List what somebody can, by scope.", (_ASSIGNEE, *_SOURCE),
            (Example("All that reaches Alain.", "aztrust audit what-can --assignee alain@contoso.com -o table"),),
            table=_GRANTS, details=_ENDS,
        ),
        Command(
            "audit what-if", "audit.questions:what_if", "Show who would gain and lose what by changes. Nothing is changed.",
            (*_CHANGES, _CAPABILITY_OPTION, _ACTION, _REGISTRY, *_SOURCE),
            (Example("What a change file would do.", "aztrust audit what-if --changes changes.yaml -o table"),
             Example("What one assignment would do.",
                     "aztrust audit what-if --add alain@contoso.com AcrPush /subscriptions/0000-...")),
            table=_CHANGED, details=_ENDS,
        ),
        Command(
            "audit replay", "audit.questions:replay", "Play the activity log again under changes: what would have failed?",
            (*_CHANGES, _ANYBODY, _SINCE, *_SOURCE),
            (Example("Which pushes of this month a change would have broken.",
                     "aztrust audit replay --changes changes.yaml --since 2026-11-01"),),
            table=_REPLAYED, details=_ENDS,
        ),
        Command(
            "audit diff", "audit.questions:diff", "Show who gained and lost what since an export.",
            (replace(_FROM, required=True, help="The earlier export."),
             Argument("to", ("--to",), "The later export; the cloud as it is now when omitted."), _CAPABILITY_OPTION,
             _ACTION, _REGISTRY),
            (Example("Has anything moved since last week?", "aztrust audit diff --from last-week/ -o table"),),
            table=_CHANGED, details="Ends with 4 when anything moved, with 5 when something may not be read.",
        ),
        Command(
            "audit least", "audit.questions:least", "List what is assigned and was not used, and the smallest roles that do.",
            (_ANYBODY, _REGISTRY, _SINCE, *_SOURCE),
            (Example("What a pipeline has and does not need.", "aztrust audit least --assignee builder -o table"),),
            table=_LEAST, details="Reads are not in activity logs: what was only read does not count as used. " + _ENDS,
        ),
        Command(
            "audit explain", "audit.questions:explain", "Explain a 401 or 403: the missing permission, where, and the fix.",
            (Argument("last_denial", ("--last-denial",), "The last refusal of the signed-in user, or of --assignee.",
                      flag=True),
             Argument("correlation_id", ("--correlation-id",), "The refusal with this correlation ID."), _ANYBODY,
             *_SOURCE),
            (Example("Why was I refused?", "aztrust audit explain --last-denial"),),
            table=_REFUSAL, details=_ENDS,
        ),
        Command(
            "audit assert", "audit.gate:check", "Hold rules against every registry, for pipelines.",
            (
                Argument("max_signers", ("--max-signers",), "At most so many may sign.", number=True),
                Argument("max_granters", ("--max-granters",), "At most so many may assign roles.", number=True),
                Argument("max_pushers", ("--max-pushers",), "At most so many may push.", number=True),
                Argument("no_signer_above_registry", ("--no-signer-above-registry",),
                         "Nobody may sign by a role assigned above the registry.", flag=True),
                Argument("no_new_signer_since", ("--no-new-signer-since",),
                         "Nobody may sign who is not in this file: an answer of 'audit who-can sign', or object IDs."),
                Argument("no_admin_account", ("--no-admin-account",), "The admin account is disabled.", flag=True),
                Argument("no_anonymous_pull", ("--no-anonymous-pull",), "Anonymous pull is disabled.", flag=True),
                Argument("no_orphans", ("--no-orphans",), "No assignment's principal is deleted.", flag=True),
                _REGISTRY, *_SOURCE,
                Argument("junit", ("--junit",), "Also write the result to this file as JUnit XML."),
                Argument("sarif", ("--sarif",), "Also write the result to this file as SARIF 2.1.0."),
            ),
            (Example("A gate in a pipeline.", "aztrust audit assert --max-signers 3 --no-signer-above-registry "
                     "--no-admin-account --from exports/ --junit result.xml"),),
            table=_CHECKS, details="Ends with 4 when a rule is broken, with 5 when something may not be read. -o junit and "
            "-o sarif print the result so.",
        ),
        Command(
            "audit report", "audit.questions:report", "Report what is wrong with access and content trust, and the cures.",
            (_REGISTRY, Argument("file", ("--file", "-f"), "Also write the report to this file: .html, .csv or .json."),
             *_SOURCE),
            (Example("A page with charts.", "aztrust audit report -o html > report.html"),
             Example("The findings of one registry.", "aztrust audit report -r myregistry -o table")),
            table=_FINDINGS, details=_ENDS + " -o html prints one self-contained page with charts.",
        ),
        Command(
            "twin pull", "audit.twins:pull", "Read the active cloud's access and content trust into a local store.",
            (
                _INTO,
                Argument("restart", ("--restart",), "Begin anew, where an earlier reading was interrupted.", flag=True),
                Argument("no_trust", ("--no-trust",), "Leave trust data and images aside.", flag=True),
                Argument("no_log", ("--no-log",), "Leave the activity log aside.", flag=True),
            ),
            (Example("Make a twin of the active cloud, or bring it up to date.", "aztrust twin pull"),
             Example("Ask it.", "aztrust audit who-can sign --from ~/.aztrust/twin")),
            details="Only reads from the cloud, and waits when it is told to. What was interrupted goes on where it ended.",
        ),
        Command("twin show", "audit.twins:show", "Show how far a twin is, and what could not be read.", (_INTO,)),
    ),
)  # fmt: skip
