"""From a claim to a call: templates see history, secrets come last and are seen by nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.common.masking import MASK
from cronzimus.errors import Invalid
from cronzimus.models.run import Cause, ErrorCategory, RunState
from cronzimus.services.secrets import Secrets
from cronzimus.workers.execution import Executor
from cronzimus.workers.outcome import Outcome
from cronzimus.workers.preparation import Preparation
from cronzimus.workers.roster import LiveAttempt
from tests.heart import Heart
from tests.workers.support import JOBS, NOWHERE, Ledger, claim, definition, settings

DUE = datetime(2026, 3, 1, 2, tzinfo=UTC)
SECRET = "correct-horse-battery"


def preparation(database: Database | None = None) -> Preparation:
    """One that knows a secret."""
    return Preparation(database or Database(NOWHERE), Secrets("S_", environ={"S_KEY": SECRET}))


def test_a_plain_job_is_left_as_it_is() -> None:
    job = definition(kwargs={"text": "{{ due_at }}"})
    made = preparation().of(job, claim(params={"n": 1}))
    assert made.params["kwargs"] == {"text": "{{ due_at }}", "n": 1} and made.secrets == ()


def test_templates_speak_of_the_due_instant_and_its_interval() -> None:
    kwargs = {"from": "{{ data_interval_start }}", "to": "{{ data_interval_end }}", "id": "{{ run.id }}"}
    job = definition(kwargs=kwargs, templates=True, trigger={"type": "interval", "hours": 6})
    held = claim(due_at=DUE - timedelta(hours=2), cause=Cause.SCHEDULE)
    assert preparation().of(job, held).params["kwargs"] == {
        "from": "2026-02-28T18:00:00Z",
        "to": "2026-03-01T00:00:00Z",
        "id": str(held.run_id),
    }


def test_a_run_by_hand_is_of_the_time_it_was_asked_for() -> None:
    job = definition(kwargs={"at": "{{ due_at | epoch }}"}, templates=True)
    held = claim()
    asked = int(preparation().of(job, held).params["kwargs"]["at"])
    assert asked == (held.run_id.int >> 80) // 1000


def test_secrets_are_filled_in_last() -> None:
    job = definition(kwargs={"key": "${secret:KEY}", "of": "{{ job.id }}"}, templates=True)
    made = preparation().of(job, claim(due_at=DUE))
    assert made.params["kwargs"] == {"key": SECRET, "of": "job"} and made.secrets == (SECRET,)
    assert job.params["kwargs"]["key"] == "${secret:KEY}"


def test_a_secret_that_is_missing_names_the_field() -> None:
    with pytest.raises(Invalid) as caught:
        preparation().of(definition(kwargs={"key": "${secret:OTHER}"}), claim())
    assert caught.value.faults[0].field == "params.kwargs.key"


def test_the_previous_success_is_an_earlier_one_for_an_earlier_moment(heart: Heart) -> None:
    text = "{{ previous_success_at | default('never') }}"
    heart.add(
        trigger={"type": "manual"}, templates=True, params={"func": f"{JOBS}:echo", "kwargs": {"since": text}}
    )
    job = heart.definitions.get("a", 1)

    def seen(as_of: datetime) -> tuple[str, Any]:
        run = heart.runs.trigger("a", as_of=as_of, by="t")
        (held,) = heart.claim(heart.offered[-1:])
        return preparation(heart.database).of(job, held).params["kwargs"]["since"], (run, held)

    first, (_, held) = seen(DUE)
    assert first == "never"
    heart.end(held, RunState.FAILED)
    second, (_, held) = seen(DUE + timedelta(days=1))
    assert second == "never"
    heart.end(held)
    third, (_, held) = seen(DUE + timedelta(days=2))
    assert third == "2026-03-02T02:00:00Z"
    heart.end(held, RunState.FAILED)
    again, _ = seen(DUE)
    assert again == "never"


# --- as the executor uses it


def perform(job: Any, monkeypatch: pytest.MonkeyPatch, **facts: Any) -> Outcome:
    """One attempt, the secret being in the environment."""
    monkeypatch.setenv("S_KEY", SECRET)
    tree = settings()
    tree.secrets = SecretsSection()
    executor = Executor(
        Ledger(job),
        Database(NOWHERE),
        tree,
        worker_id="w",
        allowed_functions=(JOBS, "cronzimus.controller"),
        expect=lambda attempt, deadline: None,
    )
    return executor.perform(LiveAttempt(claim(**facts), lambda attempt: None))


class SecretsSection:
    """The section of the settings."""

    env_prefix, dir, grants, allow_plain = "S_", None, (), False


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_secret_reaches_the_function_and_nothing_that_is_stored(
    isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = definition("tell_key", kwargs={"key": "${secret:KEY}"}, policy={"isolation": isolation})
    outcome = perform(job, monkeypatch)
    assert outcome.state is RunState.SUCCESS
    assert outcome.result == {"length": len(SECRET), "text": f"it is {MASK}", MASK: [MASK]}


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_secret_in_an_error_is_masked(isolation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = definition("spill_key", kwargs={"key": "${secret:KEY}"}, policy={"isolation": isolation})
    outcome = perform(job, monkeypatch)
    assert outcome.error is not None and SECRET not in str(outcome.error)
    assert MASK in outcome.error["message"]


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"key": "${secret:NOBODY}"}, "params.kwargs.key: there is no secret 'NOBODY'"),
        ({"key": "{{ previous_success_at.year }}"}, "params.kwargs.key"),
    ],
)
def test_what_cannot_be_prepared_fails_for_good(
    kwargs: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    job = definition("tell_key", kwargs=kwargs, templates="{{" in kwargs["key"])
    monkeypatch.setattr(Database, "fetch_one", lambda self, *a, **k: None)
    outcome = perform(job, monkeypatch, max_attempts=5)
    assert outcome.state is RunState.FAILED and outcome.category is ErrorCategory.BUSINESS
    assert outcome.error is not None and words in outcome.error["message"]


def test_inputs_are_results_of_the_runs_named(heart: Heart) -> None:
    heart.add("a-1", trigger={"type": "manual"})
    ids = []
    for result in ({"rows": 7}, [1, 2]):
        heart.offered.clear()
        ids.append(str(heart.runs.trigger("a-1", by="t").id))
        heart.end(heart.claim(heart.offered)[0], result=result)
    job = definition(kwargs={"n": "{{ inputs.a_1.rows }} rows"}, templates=True, depends_on=["a-1"])
    given = {"a-1": ids[0], "parts": ids, "skipped": None}
    made = preparation(heart.database).of(job, claim(inputs=given))
    assert made.inputs == {"a-1": {"rows": 7}, "parts": [{"rows": 7}, [1, 2]], "skipped": None}
    assert made.params["kwargs"] == {"n": "7 rows"}


def test_a_run_by_hand_has_no_inputs_and_its_templates_say_so() -> None:
    job = definition(kwargs={"n": "{{ inputs.a }}"}, templates=True, depends_on=["a"])
    with pytest.raises(Invalid, match="params.kwargs.n"):
        preparation().of(job, claim())
    spare = definition(kwargs={"n": "{{ inputs.a | default('none') }}"}, templates=True, depends_on=["a"])
    made = preparation().of(spare, claim())
    assert made.params["kwargs"] == {"n": "none"} and made.inputs == {}
