"""What the commands about people and tokens stand on: the database itself, so that no service need run."""

import contextlib
import getpass
import os
import sys
from collections.abc import Iterator

import click

from cronzimus.cli.command import Session
from cronzimus.cli.ground import database_url, settings_of
from cronzimus.common.db import Database
from cronzimus.common.masking import register_secret
from cronzimus.common.migrate import Migrations
from cronzimus.errors import Invalid
from cronzimus.models.actor import Actor, Door, current_actor
from cronzimus.services.access import Access
from cronzimus.services.audit import Audit
from cronzimus.utils.env import EnvError, lookup

_PASSWORD = "CRONZIMUS_PASSWORD"  # nosec B105


@contextlib.contextmanager
def opened_access(session: Session) -> Iterator[Access]:
    """The services on the configured database; what they change is recorded as whoever sits here."""
    settings = settings_of(session)
    with database_url(settings, may_create=True) as url:
        # The library tells on the output stream what it does; that stream holds the answer alone.
        with contextlib.redirect_stdout(sys.stderr):
            Migrations(url).ensure(may_change=settings.database.auto_migrate)
        database = Database(url, max_connections=2)
        token = current_actor.set(Actor(who(), Door.CLI))
        try:
            yield Access(database, Audit(database), settings.api.auth)
        finally:
            current_actor.reset(token)
            database.close()


def who() -> str:
    """The account of whoever sits here."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "cli"


def given_password() -> str:
    """A password from CRONZIMUS_PASSWORD, else typed twice, else the first line that is piped in; never echoed."""
    try:
        found = lookup(_PASSWORD, os.environ, file=True)
    except EnvError as error:
        raise Invalid(str(error)) from None
    if found is None and sys.stdin.isatty():
        found = str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    if found is None:
        found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise Invalid(f"no password was given: type it, pipe it in, or set {_PASSWORD}")
    register_secret(found)
    return found
