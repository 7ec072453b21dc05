"""The settings reach the parts."""

from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.models.policy import CatchUp, Isolation
from cronzimus.parts import modules_of, new_engine, new_factory, new_worker
from cronzimus.pools import Pools
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import unannounced
from cronzimus.settings import Settings
from cronzimus.workers.attempt_log import Unwritten
from cronzimus.workers.engines.inline import InlineEngine

FUNC = "cronzimus.controller.task:task"


def test_factory_knows_the_installation() -> None:
    sections = {
        "scheduler": {"timezone": "Europe/Berlin", "misfire_grace_seconds": 7, "coalesce": False},
        "worker": {"isolation": "process"},
    }
    factory = new_factory(Settings.model_validate(sections), ["cronzimus.controller"])
    job = factory.from_document({"id": "a", "params": {"func": FUNC}, "trigger": {"type": "manual"}})
    policy = definition_of(job).policy
    assert (policy.misfire_grace, policy.catch_up) == (7.0, CatchUp.ALL)
    assert policy.isolation is Isolation.PROCESS


def test_engine_is_the_one_of_the_settings() -> None:
    url = "postgresql://postgres@127.0.0.1:1/ours"
    assert new_engine(Settings(), url).transactional
    assert new_engine(Settings.model_validate({"message_queue": {"url": "memory://"}}), url).name == "inline"


def test_modules_of_looks_at_jobs_with_a_trigger() -> None:
    job = JobFactory.create_job(FUNC, "interval", {"seconds": 1}, "a")
    assert modules_of([job, {"id": "b"}]) == {"cronzimus.controller.task"}


def test_worker_is_ready_to_start(database_url: str) -> None:
    settings = Settings.model_validate({"database": {"url": database_url}})
    pools = Pools(database_url, settings.database)
    worker = new_worker(
        settings,
        pools,
        Definitions(pools.ledger, lambda _: None),
        InlineEngine(),
        "me",
        (),
        unannounced,
        Unwritten(),
        ahead=True,
        isolate=False,
        left=lambda run_ids: None,
    )
    worker.start()
    assert worker.alive
    worker.stop()
    pools.close()
