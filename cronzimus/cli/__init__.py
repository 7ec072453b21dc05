"""The `cronzimus` command: one file for each noun."""

from typing import Final

from cronzimus.cli.failures import MEANINGS
from cronzimus.cli.root import Root

__all__ = ["main"]

_COMMANDS: Final = {
    "serve": ("cronzimus.cli.service:serve", "Start the service and serve until it is told to stop."),
    "jobs": ("cronzimus.cli.jobs:jobs", "List, show, define, pause, resume and run jobs."),
    "runs": ("cronzimus.cli.runs:runs", "List, show, cancel, retry and await runs, and read what they said."),
    "workflow": (
        "cronzimus.cli.workflow:workflow",
        "Show one cycle of jobs that depend on each other, or try again what went wrong in it.",
    ),
    "logs": ("cronzimus.cli.logs:search", "Search what runs printed and logged."),
    "firings": ("cronzimus.cli.firings:firings", "Read the ledger of due instants."),
    "worker": (
        "cronzimus.cli.workers:workers",
        "Start a worker; see which processes are there, and let one drain.",
    ),
    "calendars": (
        "cronzimus.cli.calendars:calendars",
        "List, show, define, refresh and remove calendars of days off.",
    ),
    "blackouts": (
        "cronzimus.cli.blackouts:blackouts",
        "List, show, define and remove blackouts of the house.",
    ),
    "backfill": (
        "cronzimus.cli.backfill:backfill",
        "Run due instants of the past: start, list, show, pause, resume, cancel.",
    ),
    "queue": ("cronzimus.cli.queues:queue", "List, pause, resume and drain queues."),
    "pool": ("cronzimus.cli.pools:pool", "List, set and delete pools of slots."),
    "alerts": ("cronzimus.cli.alerts:alerts", "See what is wrong, and say who is told of it."),
    "why": ("cronzimus.cli.why:why", "Say in one sentence why a job did or did not run."),
    "verify": ("cronzimus.cli.verify:verify", "Prove that every due instant is accounted for."),
    "audit": ("cronzimus.cli.audit:audit", "Read who changed what."),
    "users": ("cronzimus.cli.users:users", "Say who may sign in, and what they may do."),
    "tokens": ("cronzimus.cli.tokens:tokens", "Make, list and revoke what programs come in with."),
    "next": ("cronzimus.cli.preview:preview", "Preview when a trigger is due, without a service."),
    "plan": ("cronzimus.cli.plan:plan", "Show what the jobs of FILE would change, without changing it."),
    "apply": ("cronzimus.cli.plan:apply", "Make the planned change, whole or not at all."),
    "export": (
        "cronzimus.cli.as_code:export",
        "Print every job as jobs.yaml holds it; `cronzimus plan` of it changes nothing.",
    ),
    "drift": (
        "cronzimus.cli.as_code:drift",
        "Say where the timetable is not what is declared; exit code 1 when it is not.",
    ),
    "import": (
        "cronzimus.cli.importing:importing",
        "Turn what others scheduled into jobs; every line or entry is accounted for.",
    ),
    "db": ("cronzimus.cli.db:db", "Bring the database's schema up or down."),
    "config": ("cronzimus.cli.config:config", "Show, check or reload the configuration."),
    "version": ("cronzimus.cli.version:show_version", "Show which version this is."),
}

_EXIT_CODES = "\n".join(
    ["\b", "Exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())]
)

main = Root(
    "cronzimus",
    _COMMANDS,
    help="The cron service for teams that already have PostgreSQL.",
    epilog=f'{_EXIT_CODES}\n\nTab completion: eval "$(_CRONZIMUS_COMPLETE=bash_source cronzimus)"',
)
