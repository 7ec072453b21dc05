"""The `cronzimus` command: one file for each noun."""

from typing import Final

from cronzimus.cli.failures import MEANINGS
from cronzimus.cli.root import Root

__all__ = ["main"]

_COMMANDS: Final = {
    "serve": ("cronzimus.cli.service:serve", "Start the service and serve until it is told to stop."),
    "jobs": ("cronzimus.cli.jobs:jobs", "List, show, define, pause, resume and run jobs."),
    "runs": ("cronzimus.cli.runs:runs", "List, show, cancel, retry and await runs."),
    "firings": ("cronzimus.cli.firings:firings", "Read the ledger of due instants."),
    "why": ("cronzimus.cli.why:why", "Say in one sentence why a job did or did not run."),
    "verify": ("cronzimus.cli.verify:verify", "Prove that every due instant is accounted for."),
    "next": ("cronzimus.cli.preview:preview", "Preview when a trigger is due, without a service."),
    "db": ("cronzimus.cli.db:db", "Bring the database's schema up or down."),
    "config": ("cronzimus.cli.config:config", "Show or check the configuration."),
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
