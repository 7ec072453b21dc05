"""One attempt, in named steps: resolve, bind, call, classify, conclude."""

import contextvars
import copy
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger, log_context
from cronzimus.errors import DatabaseUnavailable, Snooze
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import Kind, call_of, function_of
from cronzimus.models.policy import Isolation, Policy
from cronzimus.models.run import Claim, Ended, ErrorCategory, RunState
from cronzimus.services.secrets import Secrets
from cronzimus.services.tracing import executing
from cronzimus.utils.backoff import wait_before
from cronzimus.workers.capture import recorded
from cronzimus.workers.context import RunContext
from cronzimus.workers.invocation import invoke, load
from cronzimus.workers.isolation import run_in_process
from cronzimus.workers.ledger import Definitions
from cronzimus.workers.outcome import Outcome, matches, raised, returned, stopped
from cronzimus.workers.preparation import Preparation, Prepared
from cronzimus.workers.request import Request
from cronzimus.workers.roster import LiveAttempt

_LOG = get_logger(__name__)
_DEFINITION_AWAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What one attempt is to do: a path, its arguments and the policy around it."""

    path: str
    args: list[Any]
    kwargs: dict[str, Any]
    policy: Policy
    allowed: tuple[str, ...] | None
    secrets: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)


class Executor:
    """Executes attempts on the caller's thread; holds what all attempts of a worker share."""

    def __init__(
        self,
        definitions: Definitions,
        database: Database,
        settings: Any,
        *,
        worker_id: str,
        allowed_functions: Iterable[str],
        expect: Callable[[LiveAttempt, float], None],
        isolate: bool = False,
    ) -> None:
        self._isolate = isolate
        self._definitions, self._database, self._settings = definitions, database, settings
        self._worker_id, self._expect = worker_id, expect
        self._allowed = tuple(allowed_functions)
        self._preparation = Preparation(database, Secrets.of(settings))

    def perform(self, attempt: LiveAttempt) -> Outcome:
        """Everything that can go wrong inside goes wrong for this attempt only."""
        try:
            plan = self._resolve(attempt.claim)
            attempt.policy = plan.policy
            run = self._bind(attempt, plan.inputs)
            with recorded(attempt.log):
                return self._call(attempt, plan, run)
        except BaseException as error:
            return raised(error)

    def _resolve(self, claim: Claim) -> Plan:
        try:
            definition = self._definitions.get(claim.job_id, claim.job_version)
        except DatabaseUnavailable as error:
            raise Snooze(_DEFINITION_AWAY_SECONDS) from error
        return plan_of(definition, self._preparation.of(definition, claim), self._allowed)

    def _bind(self, attempt: LiveAttempt, inputs: Mapping[str, Any]) -> RunContext:
        timeout = attempt.policy.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        run = RunContext(
            attempt.claim,
            self._database,
            self._settings,
            worker_id=self._worker_id,
            deadline=deadline,
            inputs=inputs,
        )
        attempt.isolated = self._isolate or attempt.policy.isolation is Isolation.PROCESS
        attempt.bind(run)
        if deadline is not None:
            self._expect(attempt, deadline)
        return run

    def _call(self, attempt: LiveAttempt, plan: Plan, run: RunContext) -> Outcome:
        marks = {"run_id": str(run.id), "job_id": run.job_id, "trace_id": run.trace_id}
        with executing(attempt.claim, self._worker_id) as span, log_context(**marks):
            outcome = self._carried_out(attempt, plan, run)
            if outcome.error is not None:
                span.fail(f"{outcome.error['type']}: {outcome.error['message']}")
            return outcome

    def _carried_out(self, attempt: LiveAttempt, plan: Plan, run: RunContext) -> Outcome:
        if attempt.isolated:
            request = self._request(attempt.claim, plan, run)
            return run_in_process(request, run, plan.policy.memory_limit_mb)
        function = load(plan.path, plan.allowed)
        return returned(contextvars.copy_context().run(invoke, function, plan.args, plan.kwargs, run))

    def _request(self, claim: Claim, plan: Plan, run: RunContext) -> Request:
        return Request.of(
            plan.path,
            plan.args,
            plan.kwargs,
            plan.allowed,
            claim,
            worker_id=self._worker_id,
            deadline=run.deadline,
            database_url=self._database.url,
            settings=self._settings,
            secrets=plan.secrets,
            inputs=plan.inputs,
        )


def plan_of(definition: JobDefinition, prepared: Prepared, allowed: tuple[str, ...]) -> Plan:
    """What an attempt is to do; the kinds of the house are not subject to the list of allowed functions."""
    params = dict(prepared.params)
    args, kwargs = call_of(definition.kind, params)
    # Copied, because a definition serves every run: a function may change what it is given.
    return Plan(
        path=function_of(definition.kind, params),
        args=copy.deepcopy(args) if args else args,
        kwargs=copy.deepcopy(kwargs) if kwargs else kwargs,
        policy=definition.policy,
        allowed=allowed if definition.kind is Kind.FUNCTION else None,
        secrets=prepared.secrets,
        inputs=prepared.inputs,
    )


def conclude(attempt: LiveAttempt, outcome: Outcome) -> Ended:
    """The report of an attempt: a stop from outside wins over what the function made of it."""
    claim, policy = attempt.claim, attempt.policy
    if attempt.stop is not None:
        outcome = replace(stopped(attempt.stop, policy.timeout), result=outcome.result)
    now = datetime.now(UTC)
    return Ended(
        run_id=claim.run_id,
        attempt=claim.attempt,
        state=outcome.state,
        started_at=attempt.started_at or now,
        ended_at=now,
        result=outcome.result,
        error=outcome.error,
        retry_in=_retry_in(outcome, claim, policy),
        costs_attempt=outcome.costs_attempt,
        job_id=claim.job_id,
        gated=claim.gated,
    )


def _retry_in(outcome: Outcome, claim: Claim, policy: Policy) -> float | None:
    if outcome.retry_in is not None:
        return outcome.retry_in
    if not _may_retry(outcome, claim, policy):
        return None
    return wait_before(
        claim.attempt + 1,
        backoff=policy.backoff,
        multiplier=policy.backoff_multiplier,
        cap=policy.backoff_cap,
        jitter=policy.jitter,
    )


def _may_retry(outcome: Outcome, claim: Claim, policy: Policy) -> bool:
    if outcome.state not in (RunState.FAILED, RunState.TIMEOUT, RunState.LOST):
        return False
    if claim.attempt >= claim.max_attempts or outcome.category is ErrorCategory.BUSINESS:
        return False
    if not outcome.names:  # a lost attempt is nobody's exception: the rules about names do not speak of it
        return True
    if matches(outcome.names, policy.give_up_on):
        return False
    return not policy.retry_on or matches(outcome.names, policy.retry_on)
