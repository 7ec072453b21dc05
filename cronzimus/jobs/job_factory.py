"""The one way every door builds a job: code, jobs.yaml, REST and the command line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from cronzimus.common.db import Database
from cronzimus.controller.shell import check_command_allowed
from cronzimus.errors import Fault, Invalid
from cronzimus.jobs.parameter_checks import arguments_to_check, check_parameters
from cronzimus.jobs.triggers import DefinitionTrigger
from cronzimus.models.faults import refusal
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import Kind
from cronzimus.models.limit_keys import check_keys
from cronzimus.models.policy import CatchUp, Policy
from cronzimus.models.trigger import refuse_if_never
from cronzimus.services.secrets import Secrets
from cronzimus.workers.injection import check_allowed, check_call, resolve

TRIGGER_TYPES = ("interval", "cron", "date", "manual")
_DEFINITION_OPTIONS = frozenset(JobDefinition.model_fields) - {"id", "kind", "params", "trigger", "policy"}


class JobFactory:
    """Builds jobs and refuses those that could not run.

    `create_job` needs no house and suits plain APScheduler too. An instance knows the house's allow-list
    and defaults, and is asked before anything reaches the timetable.
    """

    def __init__(
        self,
        *,
        allowed_functions: Iterable[str],
        allowed_commands: Iterable[str] = (),
        secrets: Secrets | None = None,
        **defaults: Any,
    ) -> None:
        self._allowed_functions = tuple(allowed_functions)
        self._allowed_commands = tuple(allowed_commands)
        self._secrets = secrets or Secrets()
        self._defaults = defaults

    @classmethod
    def create_job(
        cls,
        func: str | Callable[..., Any],
        trigger_type: str,
        trigger_args: Mapping[str, Any],
        job_id: str,
        args: Sequence[Any] = (),
        **policy: Any,
    ) -> dict[str, Any]:
        """The job as the dict `add_job(**job)` takes; raises Invalid, which is a ValueError.

        `policy` takes every field of the policy block, the definition's own options (`timezone`, `tags`,
        `queue`, `priority`, `description`) and `kwargs` for the function. A `Database` among `args` is
        left out of what is stored: a function that declares `db` gets one when it runs.
        """
        if trigger_type not in TRIGGER_TYPES:
            message = f"unknown trigger type {trigger_type!r}; there are {', '.join(TRIGGER_TYPES)}"
            raise Invalid(message, code="INVALID_TRIGGER", faults=[Fault("trigger.type", message)])
        kwargs = policy.pop("kwargs", {})
        options = {name: policy.pop(name) for name in _DEFINITION_OPTIONS & policy.keys()}
        stored = [value for value in args if not isinstance(value, Database)]
        document = {
            "id": job_id,
            "params": {"func": _path_of(func), **_given(args=stored, kwargs=dict(kwargs))},
            "trigger": {"type": trigger_type, **trigger_args},
            "policy": _modern(policy),
            **options,
        }
        job = cls.describe(_validated(document))
        return job if stored == list(args) else {**job, "func": func, "args": tuple(args)}

    def from_document(
        self, document: Mapping[str, Any], *, now: datetime | None = None, may_be_over: bool = False
    ) -> dict[str, Any]:
        """The same from the JSON document; raises Invalid, whose faults name the fields.

        `may_be_over` lets pass what has nothing to fire any more: a file goes on declaring a date that has come.
        """
        definition = _validated(self.with_defaults(document))
        if not may_be_over:
            self._refuse_if_never(definition, now)
        self._check_call(definition)
        check_parameters(definition, self._secrets, present=not may_be_over)
        check_keys(definition)
        return self.describe(definition)

    def check(self, definition: JobDefinition, *, now: datetime | None = None) -> None:
        """Refuse a job that would never fire, or whose function may not or cannot be called."""
        self._refuse_if_never(definition, now)
        self._check_call(definition)
        check_parameters(definition, self._secrets)
        check_keys(definition)

    def check_function(self, definition: JobDefinition) -> None:
        """Refuse a function that is not allowed, not there, or does not take these arguments."""
        if definition.kind is Kind.FUNCTION:
            check_allowed(definition.function, self._allowed_functions)
        check_call(resolve(definition.function), *arguments_to_check(definition))

    def _refuse_if_never(self, definition: JobDefinition, now: datetime | None) -> None:
        since = now or datetime.now(UTC)
        refuse_if_never(definition.triggers, since, job_id=definition.id, timezone=definition.timezone)

    def _check_call(self, definition: JobDefinition) -> None:
        self.check_function(definition)
        if definition.kind is Kind.SHELL:
            check_command_allowed(definition.params["command"], self._allowed_commands)

    @staticmethod
    def describe(definition: JobDefinition) -> dict[str, Any]:
        """A definition as APScheduler's `add_job` takes a job; the definition rides in its trigger."""
        args, kwargs = definition.call
        return {
            "id": definition.id,
            "name": definition.id,
            "func": _callable(definition),
            "trigger": DefinitionTrigger(definition),
            "args": tuple(args),
            "kwargs": kwargs,
            "misfire_grace_time": max(1, round(definition.policy.misfire_grace)),
            "coalesce": definition.policy.catch_up is not CatchUp.ALL,
            "max_instances": definition.policy.max_instances,
        }

    def with_defaults(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The house's defaults for what the document leaves open."""
        policy = document.get("policy", {})
        if not isinstance(policy, Mapping):
            return dict(document)
        defaults = {name: value for name, value in self._defaults.items() if name in Policy.model_fields}
        zone = {"timezone": self._defaults["timezone"]} if "timezone" in self._defaults else {}
        return {**zone, **document, "policy": {**defaults, **policy}}


def definition_of(job: Mapping[str, Any]) -> JobDefinition:
    """The definition inside a job dict; raises KeyError when the dict was not built here."""
    trigger = job["trigger"]
    if not isinstance(trigger, DefinitionTrigger):
        raise KeyError("trigger")
    return trigger.definition


class _Uninjected:
    """A function that declares `db` or `run`, called by a plain APScheduler that has no house to give them."""

    def __init__(self, function: Callable[..., Any], missing: Iterable[str]) -> None:
        self._function = function
        self._missing = dict.fromkeys(missing)
        self.__name__ = getattr(function, "__name__", "task")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **{**self._missing, **kwargs})


def _callable(definition: JobDefinition) -> str | _Uninjected:
    """The import path where that will do, else a wrapper that fills the injected names with None."""
    try:
        task = resolve(definition.function)
    except Invalid:
        return definition.function
    return _Uninjected(task.function, task.injected) if task.injected else definition.function


def _path_of(func: str | Callable[..., Any]) -> str:
    if isinstance(func, str):
        return func
    path = f"{getattr(func, '__module__', '')}:{getattr(func, '__qualname__', '')}"
    if path.startswith(":") or "<" in path:
        raise Invalid(
            f"{func!r} cannot be named by an import path; use a function of a module", code="INVALID_FUNCTION"
        )
    return path


def _given(**arguments: Any) -> dict[str, Any]:
    """Those arguments that say something."""
    return {name: value for name, value in arguments.items() if value}


def _modern(policy: Mapping[str, Any]) -> dict[str, Any]:
    """APScheduler's names for what our policy block says in its own."""
    modern = dict(policy)
    if "misfire_grace_time" in modern:
        modern["misfire_grace"] = modern.pop("misfire_grace_time") or 31_536_000
    if "coalesce" in modern:
        modern["catch_up"] = CatchUp.LATEST if modern.pop("coalesce") else CatchUp.ALL
    modern.pop("name", None)
    return modern


def _validated(document: Mapping[str, Any]) -> JobDefinition:
    try:
        definition = JobDefinition.model_validate(document)
    except ValidationError as error:
        raise refusal(error, known=JobDefinition.model_fields) from None
    return definition
