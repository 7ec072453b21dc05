"""`cronzimus serve`."""

import click

from cronzimus.app import serve as serve_app
from cronzimus.cli.command import ProjectCommand, Session
from cronzimus.cli.ground import find_functions_here
from cronzimus.config import bootstrap_app


@click.command("serve", cls=ProjectCommand)
@click.option("--host", metavar="ADDRESS", help="Where to listen; else server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Else server.port; 0 takes any free port.")
@click.option("--log-level", metavar="LEVEL", help="Else logging.level.")
@click.option("--no-scheduler", is_flag=True, help="Fire nothing; only serve and execute.")
@click.option("--worker", is_flag=True, help="Be a worker too: worker.enabled.")
@click.option("--no-worker", is_flag=True, help="Execute nothing; only serve and fire.")
@click.pass_obj
def serve(
    session: Session,
    /,
    host: str | None,
    port: int | None,
    log_level: str | None,
    no_scheduler: bool,
    worker: bool,
    no_worker: bool,
) -> int:
    """Start the service and serve until it is told to stop. With -o json the log is JSON."""
    find_functions_here()
    overrides = {
        "server.host": host,
        "server.port": port,
        "logging.level": log_level,
        "logging.format": "json" if session.as_json else None,
        "scheduler.enabled": False if no_scheduler else None,
        "scheduler.local_runs": False if no_worker else None,
        "worker.enabled": False if no_worker else worker or None,
    }
    return serve_app(bootstrap_app(session.config_path, session.environment, overrides))
