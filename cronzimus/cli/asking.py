"""Asking a person before something is lost."""

import sys

import click

from cronzimus.errors import Invalid


def confirmed(question: str, *, already: bool) -> bool:
    """Whether somebody said yes, beforehand with --yes or now; Invalid when there is nobody to ask."""
    if already:
        return True
    if not sys.stdin.isatty():
        raise Invalid(f"{question} Nobody is here to answer; say --yes to do it")
    return click.confirm(question, err=True)
