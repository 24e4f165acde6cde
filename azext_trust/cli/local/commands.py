"""Rows of ``local``."""

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows

_POSITION = Argument("position", ("--position", "-p"), "off: the article's world; 2026: enabling is refused as in Azure "
                     "today; 2028: content trust is gone.", required=True, choices=("off", "2026", "2028"))  # fmt: skip
_CLOCK = "{Now: now, OffsetSeconds: offsetSeconds, FrozenAt: frozenAt}"
_SWEPT = "{Manifests: manifests, Links: links, Blobs: blobs, Bytes: bytes, Uploads: uploads, Orphans: orphans}"
_LOG = (
    "[].{Sequence: sequence, Time: time, Outcome: outcome, Operation: operation, Caller: caller, Scope: scope, "
    "Missing: missing, Reason: reason}"
)

ROWS = Rows(
    groups=(
        Group("local", "Look after the local cloud: activity log, layers, retirement switch, clock."),
        Group("local log", "The activity log: who did what, when, allowed or denied."),
        Group("local retirement", "The retirement switch of content trust."),
        Group("local clock", "The clock of the local cloud."),
        Group("local option", "How the local cloud behaves where the real one can behave in more than one way."),
        Group("local key", "The keys that the local Entra signs tokens with."),
        Group("local token", "The access tokens of the local Entra."),
    ),
    commands=(
        Command(
            "local log list", "local.log:listed", "List the activity log, oldest first.",
            (
                Argument("last", ("--last",), "Only the newest entries: how many.", number=True),
                Argument("outcome", ("--outcome",), "Only entries with this outcome.", choices=("Allowed", "Denied")),
            ),
            (Example("Show who was refused and what permission was missing.",
                     "aztrust local log list --outcome Denied -o table"),),
            table=_LOG,
        ),
        Command(
            "local log verify", "local.log:verify", "Check that the activity log was not tampered with.",
            (Argument("head", ("--head",), "A head noted earlier: shows that nothing after it was cut off."),),
            (Example("Check the log, and that it still holds what it held when the head was noted.",
                     "aztrust local log verify --head 5f2c…"),),
        ),
        Command(
            "local gc", "local.world:collect", "Delete layers that nothing needs, as a served cloud does every hour.",
            (Argument("older_than", ("--older-than",), "Leave alone what was used within so many seconds: a push may rely on "
                      "it. At least 60.", default=3600, number=True),),
            (Example("Delete now what untagged and deleted images have left.", "aztrust local gc --older-than 60"),),
            details="Retention and soft delete policies are applied first. What a running push needs stays, also while "
                    "the cloud is served.",
            table=_SWEPT,
        ),
        Command("local retirement show", "local.world:retirement", "Show where the retirement switch stands."),
        Command("local retirement set", "local.world:set_retirement", "Move the retirement switch. Nothing is deleted.",
                (_POSITION,), (Example("Rehearse Azure as it is today.", "aztrust local retirement set -p 2026"),)),
        Command("local clock show", "local.world:clock", "Show the clock.", table=_CLOCK),
        Command(
            "local clock set", "local.world:set_clock", "Set the clock, or let it stand still.",
            (
                Argument("time", ("--time",), "Stand still at this time (ISO 8601, UTC)."),
                Argument("offset", ("--offset",), "Seconds ahead of the machine's clock."),
            ),
            (Example("Stand still.", "aztrust local clock set --time 2028-03-31T00:00:00Z"),), table=_CLOCK,
        ),
        Command("local clock advance", "local.world:advance", "Move the clock forward (or back).",
                (Argument("seconds", ("--seconds", "-s"), "How many seconds.", required=True),), table=_CLOCK),
        Command(
            "local dump", "local.world:dump", "Write the whole world in the form of a seed file, secrets left out.",
            (Argument("file", ("--file", "-f"), "Write YAML to this file instead of printing the world."),),
            (Example("Take the people, roles and registries of one cloud into another.",
                     "aztrust local dump -f world.yaml\naztrust cloud init --seed world.yaml --state ./copy"),),
            details="Left out: passwords, secrets and keys, images and trust data, the activity log, times.",
        ),
        Command("local option list", "local.world:options", "Show the options."),
        Command("local option set", "local.world:set_options", "Change some of the options.",
                (Argument("settings", ("--settings",), "Space-separated options: name=value.", required=True, many="+",
                          key_values=True),),
                (Example("Throttle a script that does not wait, and let registries take their time.",
                         "aztrust local option set --settings requestsPerMinute=60 longRunningSeconds=5"),)),
        Command("local key list", "local.keys:listed", "List the signing keys that are published, newest first.",
                table="[].{Kid: kid, SignsFrom: signsFrom, Signing: signing}"),
        Command(
            "local key rotate", "local.keys:rotate", "Sign with a new key from now on; the older ones still verify.",
            (Argument("forget", ("--forget",), "Delete the older keys at once: their tokens are no longer good.",
                      flag=True),),
            (Example("See whether a client fetches the keys again.", "aztrust local key rotate"),),
            table="[].{Kid: kid, SignsFrom: signsFrom, Signing: signing}",
        ),
        Command("local token revoke", "local.keys:revoke",
                "Challenge every access token made until now: clients get a new one, without a sign-in."),
        Command("local clock reset", "local.world:reset", "Follow the machine's clock again.", table=_CLOCK),
    ),
)  # fmt: skip
