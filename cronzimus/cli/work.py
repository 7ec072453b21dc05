"""`cronzimus worker start`: the process that executes."""

from pathlib import Path

import click

from cronzimus.cli.command import ProjectCommand, Session
from cronzimus.cli.ground import find_functions_here
from cronzimus.config import bootstrap_app
from cronzimus.errors import ConfigError
from cronzimus.worker_house import work


@click.command("start", cls=ProjectCommand)
@click.option(
    "--id", "worker_id", metavar="NAME", help="Its name; else worker.worker_id, else host and process."
)
@click.option("--kinds", metavar="KIND,...", help="Kinds of jobs it takes; else worker.kinds.")
@click.option("--queues", metavar="QUEUE,...", help="Queues it takes runs of; else worker.queues.")
@click.option("--labels", metavar="NAME=VALUE,...", help="What it is or has; else worker.labels.")
@click.option(
    "--concurrency", type=int, metavar="N", help="Runs at the same time; else worker.max_concurrent_tasks."
)
@click.option(
    "--isolation", metavar="WHERE", help="process: each run in a process of its own; else worker.isolation."
)
@click.option("--log-level", metavar="LEVEL", help="Else logging.level.")
@click.option(
    "--health-file", type=click.Path(dir_okay=False, path_type=Path), help="Touched while it is sound."
)
@click.pass_obj
def start(
    session: Session,
    /,
    worker_id: str | None,
    kinds: str | None,
    queues: str | None,
    labels: str | None,
    concurrency: int | None,
    isolation: str | None,
    log_level: str | None,
    health_file: Path | None,
) -> int:
    """Execute runs of workers until it is told to stop. With -o json the log is JSON."""
    if worker_id is not None and not worker_id.strip():
        raise ConfigError("worker.worker_id: must not be empty (from --id)")
    find_functions_here()
    overrides = {
        "worker.worker_id": worker_id,
        "worker.kinds": kinds,
        "worker.queues": queues,
        "worker.labels": labels,
        "worker.max_concurrent_tasks": concurrency,
        "worker.isolation": isolation,
        "logging.level": log_level,
        "logging.format": "json" if session.as_json else None,
    }
    return work(bootstrap_app(session.config_path, session.environment, overrides), health=health_file)
