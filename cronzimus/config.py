"""`bootstrap_app()`: the configuration, merged from its layers and checked before anything starts.

Later wins: defaults, base/*, scheduler.toml, <environment>/*, <environment>.toml, .env, the process
environment, overrides (command line flags). Maps merge key by key, lists replace.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dynaconf.utils import object_merge  # type: ignore[import-untyped]
from pydantic import ValidationError

from cronzimus.common.logger import get_logger, init_logger
from cronzimus.common.masking import register_secret
from cronzimus.errors import ConfigError
from cronzimus.settings import FileJob, Settings, files, layers, redacted, variables
from cronzimus.settings.expand import register_secret_variables
from cronzimus.settings.faults import explain
from cronzimus.settings.jobs import overlay_jobs
from cronzimus.settings.report import Report
from cronzimus.settings.tree import OVERRIDE
from cronzimus.utils.env import Env, EnvError, environment_variable

__all__ = ["FileJob", "Settings", "bootstrap_app", "load_settings", "redacted"]


def bootstrap_app(
    config_path: str | os.PathLike[str] | None = None,
    environment: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Load and check the configuration, start the log, return the settings. May be called again.

    `overrides` is nested or has dotted keys (`{"server.port": 0}`); None means not given.
    Raises one ConfigError that lists every fault.
    """
    settings = load_settings(config_path, environment, overrides)
    _register_secrets(settings)
    log = settings.logging
    init_logger(log.level, log.format, log.file, log.rotation, log.retention)
    logger = get_logger(__name__)
    for warning in settings.warnings:
        logger.warning(warning)
    logger.debug(
        "configuration ready: environment {}, {} jobs in files", settings.environment, len(settings.jobs)
    )
    return settings


def load_settings(
    config_path: str | os.PathLike[str] | None = None,
    environment: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings alone: as `bootstrap_app`, without touching the log's set-up."""
    report = Report()
    process = variables.Variables(dict(os.environ))
    dotenv = variables.dotenv(process.values, report)
    known = {**dotenv.values, **{name: text for name, text in process.values.items() if text}}
    register_secret_variables(known)
    tree = files.locate(Path(config_path) if config_path else None, process.values, dotenv.values)
    chosen = _environment(environment, tree, process, dotenv)
    sources = _read(files.listed(tree, chosen), report)
    report.warnings += [f"{path}: not read; is it misnamed?" for path in files.unread(tree, chosen)]
    given = [layers.of_file(source, report) for source in sources]
    given += [variables.given(dotenv, report), variables.given(process, report)]
    given += [layers.of_mapping(overrides or {}, OVERRIDE)]
    values, origins = _split(_merge(layers.layer(one, known, report) for one in given))
    _add_token(values, origins, (process, dotenv), report)
    jobs: dict[str, FileJob] = {}
    for source in sources:
        overlay_jobs(jobs, source, known, report)
    reader = partial(bootstrap_app, config_path, environment, overrides)
    return _assembled({**values, "environment": chosen}, origins, tuple(jobs.values()), report, reader)


def _environment(
    given: str | None, tree: files.Tree, process: variables.Variables, dotenv: variables.Variables
) -> str:
    """The environment that was named; a config path that ends in one names it too, and may not contradict."""
    name, text = "--environment", given or ""
    if not text:
        name, text = environment_variable(process.values)
    if not name:
        name, text = environment_variable(dotenv.values)
    try:
        chosen = str(Env.named(text))
    except EnvError as error:
        raise ConfigError(f"{name}: {error}") from None
    if tree.environment and name and tree.environment != chosen:
        raise ConfigError(f"the config path ends in {tree.environment}, but {name} says {chosen}")
    return tree.environment or chosen


def _read(paths: Iterable[Path], report: Report) -> list[files.Source]:
    sources = []
    for path in paths:
        try:
            sources.append(files.read(path))
        except ConfigError as error:
            report.plain(error.message)
    return sources


def _merge(given: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One map of maps of leaves; what a later layer says wins.

    dynaconf's merge alone: a Dynaconf object would also obey variables such as SETTINGS_FILE_FOR_DYNACONF.
    """
    merged: dict[str, Any] = {}
    for layer in given:
        merged = object_merge(merged, layer)
    return merged


def _split(merged: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """The values, and the origin of each under its dotted key."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, item in merged.items():
        if isinstance(item, layers.Leaf):
            values[name], origins[f"{prefix}{name}"] = item.value, item.origin
        else:
            values[name], inner = _split(item, f"{prefix}{name}.")
            origins |= inner
    return values, origins


def _add_token(
    values: dict[str, Any], origins: dict[str, str], places: Iterable[variables.Variables], report: Report
) -> None:
    for place in places:
        token = variables.api_token(place, report)
        if token is not None:
            auth = values.setdefault("api", {}).setdefault("auth", {})
            auth["tokens"] = (*auth.get("tokens", ()), token)
            here = [origins.get("api.auth.tokens"), place.origin(variables.API_TOKEN)]
            origins["api.auth.tokens"] = ", ".join(filter(None, here))
            return


def _assembled(
    values: Mapping[str, Any],
    origins: Mapping[str, str],
    jobs: tuple[FileJob, ...],
    report: Report,
    reader: Callable[[], Settings],
) -> Settings:
    try:
        settings = Settings.assembled(
            values, jobs=jobs, origins=origins, warnings=tuple(report.warnings), reader=reader
        )
    except ValidationError as error:
        explain(error, origins, report)
        report.raise_if_any()
        raise
    report.raise_if_any()
    return settings


def _register_secrets(settings: Settings) -> None:
    for token in settings.api.auth.tokens:
        if token.token is not None:
            register_secret(token.token.get_secret_value())
    for url in (settings.database.url, settings.message_queue.url):
        parts = urlsplit(url.get_secret_value() if url else "")
        # A password equal to the user's name is no secret, and masking it would garble every second line.
        if parts.password and parts.password != parts.username:
            register_secret(parts.password)
            register_secret(unquote(parts.password))
