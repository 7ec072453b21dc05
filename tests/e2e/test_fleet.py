"""Many processes at work: each run once, on a worker that may have it, never more than it has places for."""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import NewCrew
from tests.e2e.fleet import ENGINES, Crew, Eyes, by_hand
from tests.e2e.network import Network, networks
from tests.e2e.postgres import Postgres
from tests.e2e.waiting import LONG, let_pass, scaled, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900 if LONG else 120)]

STRATEGIES = ["round_robin", "load_based", "task_type_affinity"]
SHARED = ["procrastinate", "rabbit", "redis"]
MIXED_RUNS = int(scaled(48, 1000))

_SHELL = """
run="${CRONZIMUS_RUN_KEY#*/}"; run="${run%/*}"
say() { printf '{"event": "%s", "job_id": "shell", "due_at": null, "run_id": "%s", "attempt": 1, "at": %s}\\n' \
"$1" "$run" "$(date +%s.%N)" >> "$WITNESS_FILE"; }
say start; sleep 0.2; say end
"""


def function(name: str, *args: Any, **placement: Any) -> dict[str, Any]:
    """A job of the witness, by hand, on workers."""
    return {**by_hand(func=f"witness:{name}", args=list(args)), "placement": placement}


@contextmanager
def answering(witness: Path) -> Iterator[str]:
    """A server that takes its time, and writes down whose requests it had."""

    class Slow(BaseHTTPRequestHandler):
        """Answers after a while."""

        def do_GET(self) -> None:
            """One request of one run."""
            run_id = self.headers["Idempotency-Key"].rpartition("/")[2]
            for event in ("start", "end"):
                line = {"event": event, "job_id": "http", "due_at": None, "run_id": run_id, "attempt": 1}
                with witness.open("a") as file:
                    file.write(json.dumps({**line, "at": time()}) + "\n")
                if event == "start":
                    self.server.pause.wait(0.1)  # type: ignore[attr-defined]
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.pause = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def mixed_jobs(crew: Crew, url: str) -> dict[str, set[str]]:
    """A job of every kind and strategy, short and long; and which workers may have its runs."""
    marks = "INSERT INTO public.marks SELECT 1 FROM pg_sleep(0.1)"
    command = {"command": ["sh", "-c", _SHELL], "env": {"WITNESS_FILE": str(crew.trial.fleet.witness)}}
    jobs = {
        "shell": (by_hand("shell", **command), {"b", "c"}),
        "http": (by_hand("http", url=url), {"b", "c"}),
        "sql": (by_hand("sql", statement=marks), {"c"}),
        "heavy": ({**function("work", 0.4), "queue": "heavy"}, {"a", "c"}),
        "fast": (function("mark", labels={"disk": "fast"}), {"a"}),
        **{name: (function("mark", strategy=name), {"a", "b", "c"}) for name in STRATEGIES},
    }
    for job_id, (document, _) in jobs.items():
        crew.add(job_id, document)
    return {job_id: able for job_id, (_, able) in jobs.items()}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_run_happens_once_on_a_worker_that_may_have_it(
    engine: str, new_crew: NewCrew, calm_postgres: Postgres
) -> None:
    crew = new_crew(calm_postgres, engine, {}, worker__max_concurrent_tasks=3, worker__worker_id="own")
    service = crew.serve()
    crew.trial.change("CREATE TABLE public.marks (n int); GRANT ALL ON public.marks TO public")
    if engine == "inline":
        crew.capacity = {"own": 3}
    else:
        crew.worker("a", 1, kinds="function", labels="disk=fast")
        crew.worker("b", 2, kinds="function,shell,http", queues="default")
        crew.worker("c", 4, labels="disk=slow")
        crew.wait_alive()
    with answering(crew.trial.fleet.witness) as url, Eyes(crew.trial.url) as eyes:
        able = mixed_jobs(crew, url)
        if engine == "inline":
            del able["fast"]
            able = dict.fromkeys(able, {"own"})
        orders = [crew.order(list(able)[n % len(able)])[0] for n in range(MIXED_RUNS)]
        told = crew.wait_ended(orders, scaled(40, 300))
    assert {(one.state, one.attempt) for one in told} == {("success", 1)}
    assert [one for one in told if one.worker_id not in able[one.job_id]] == []
    assert service.get("/api/v1/health").body["components"].keys() >= {"dispatcher", "queue", "workers"}
    written = sorted((line.run_id, line.event) for line in crew.trial.lines())
    spoken = [one.id for one in told if one.job_id != "sql"]
    assert written == sorted((run_id, event) for run_id in spoken for event in ("start", "end"))
    assert crew.trial.query("SELECT count(*) FROM public.marks")[0][0] == len(told) - len(spoken)
    at_once = crew.most_at_once()
    print(f"{len(told)} runs on {crew.shares(orders)}; at once: seen {eyes.most}, written {at_once}")
    for name, most in [*eyes.most.items(), *at_once.items()]:
        assert most <= crew.capacity[name], f"{name} had {most} at once"


@pytest.mark.skipif(not LONG, reason="a thousand runs for each engine: CHAOS=long")
@pytest.mark.parametrize("engine", SHARED)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_workers_in_two_networks_share_a_thousand_runs(
    engine: str, strategy: str, new_crew: NewCrew, calm_postgres: Postgres
) -> None:
    crew = new_crew(calm_postgres, engine, {}, dispatcher__strategy=strategy)
    crew.serve()
    crew.add("short", function("mark"))
    crew.add("long", function("work", 0.3))
    with networks(2) as both, Eyes(crew.trial.url) as eyes:
        for number, network in enumerate(both):
            for capacity in (2, 4):
                start(crew, f"net{number}-{capacity}", capacity, network)
        crew.wait_alive()
        orders = [crew.order("long" if n % 10 == 0 else "short")[0] for n in range(500)]
        both[0].pull()
        orders += [crew.order("long" if n % 10 == 0 else "short")[0] for n in range(500)]
        let_pass(12)
        both[0].plug()
        told = crew.wait_ended(orders, 200)
        crew.wait_alive()
    print(f"{engine}, {strategy}: {crew.shares(orders)}; at once: seen {eyes.most}")
    lost = [one for one in told if one.state == "lost"]
    assert {one.state for one in told} <= {"success", "lost"} and len(lost) <= sum(crew.capacity.values())
    ends = Counter(line.run_id for line in crew.trial.lines() if line.event == "end")
    assert {one.id for one in told if one.state == "success"} <= ends.keys()
    assert set(ends.values()) == {1}
    for name, most in [*eyes.most.items(), *crew.most_at_once().items()]:
        assert most <= crew.capacity[name], f"{name} had {most} at once"


def start(crew: Crew, name: str, capacity: int, network: Network) -> None:
    """A worker in that network, with the ways it needs to database and broker."""
    known = crew.trial.fleet.environment
    addresses = {name: known[name] for name in ("DATABASE_URL", "CRONZIMUS_MESSAGE_QUEUE__URL")}
    ways = {
        name: network.reachable(url, port) for name, url in addresses.items() if (port := urlsplit(url).port)
    }
    crew.worker(name, capacity, inside=network.inside, **ways)


@pytest.mark.parametrize("engine", SHARED)
def test_workers_get_the_shares_their_strategy_promises(
    engine: str, new_crew: NewCrew, calm_postgres: Postgres
) -> None:
    sized, equal = {"group": "sized"}, {"group": "equal"}
    crew = new_crew(calm_postgres, engine, {})
    crew.serve()
    for name, capacity in {"w2": 2, "w4": 4, "w8": 8}.items():
        crew.worker(name, capacity, labels="group=sized")
    for name in ("e1", "e2", "e3"):
        crew.worker(name, 4, labels="group=equal")
    crew.wait_alive()
    crew.add("turns", function("mark", strategy="round_robin", labels=equal))
    crew.add("load", function("work", 2.5, strategy="load_based", labels=sized))
    crew.add("affine", function("mark", strategy="task_type_affinity", labels=equal))
    loaded = crew.order("load", 14)
    turns = crew.order("turns", 30)
    affine = crew.order("affine")
    crew.wait_ended(affine)
    for _ in range(9):
        affine += crew.order("affine")
        crew.wait_ended(affine)
    crew.wait_ended([*turns, *loaded])
    print(f"turns {crew.shares(turns)}, load {crew.shares(loaded)}, affinity {crew.shares(affine)}")
    assert all(abs(crew.shares(turns).get(name, 0) - 10) <= 1 for name in ("e1", "e2", "e3"))
    assert crew.shares(loaded) == {"w2": 2, "w4": 4, "w8": 8}
    assert len(crew.shares(affine)) == 1
    assert crew.most_at_once()["w8"] == 8


def test_one_firing_is_spread_or_kept_together_as_asked(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {}, dispatcher__strategy="witness:Dearest")
    crew.serve()
    crew.worker("cheap", 8, labels="price=1,zone=eu")
    crew.worker("dear", 8, labels="price=9,zone=us")
    crew.worker("middle", 8, labels="price=5,zone=eu")
    crew.wait_alive()
    crew.add("everywhere", function("mark", spread="broadcast"))
    crew.add("in-eu", function("mark", spread="broadcast", labels={"zone": "eu"}))
    crew.add("cut", function("shard", spread="shard", shards=5))
    crew.add("pinned", function("mark", worker="cheap"))
    crew.add("labelled", function("mark", labels={"zone": "eu"}))
    crew.add("anywhere", function("mark"))
    (everywhere,), (in_eu,), (cut,) = (crew.order(job) for job in ("everywhere", "in-eu", "cut"))
    singles = {job: crew.order(job, 3) for job in ("pinned", "labelled", "anywhere")}
    crew.wait_ended([everywhere, in_eu, cut, *sum(singles.values(), [])])
    spread = {run_id: crew.wait_ended(crew.parts(run_id)) for run_id in (everywhere, in_eu, cut)}
    assert sorted(one.worker_id or "" for one in spread[everywhere]) == ["cheap", "dear", "middle"]
    assert sorted(one.worker_id or "" for one in spread[in_eu]) == ["cheap", "middle"]
    results = "SELECT result FROM cronzimus.runs WHERE job_id = 'cut' ORDER BY part"
    assert [row[0] for row in crew.trial.query(results)] == [[part, 5] for part in range(5)]
    assert {one.state for parts in spread.values() for one in parts} == {"success"}
    assert crew.shares(singles["pinned"]) == {"cheap": 3}
    assert crew.shares(singles["labelled"]) == {"middle": 3}
    assert crew.shares(singles["anywhere"]) == {"dear": 3}


def test_strategy_without_its_method_is_refused_by_name(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {}, dispatcher__strategy="witness:Undecided")
    service = crew.trial.fleet.start()
    assert service.wait(20) == os.EX_CONFIG
    assert "witness:Undecided" in service.text() and "choose" in service.text()


def test_run_nobody_may_have_waits_until_somebody_comes(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {})
    crew.serve()
    crew.add("fast", function("mark", labels={"disk": "fast"}))
    (run_id,) = crew.order("fast")
    held = "SELECT held_by FROM cronzimus.runs WHERE id = %s AND held_by IS NOT NULL"
    until(lambda: "disk" in str(crew.trial.query(held, run_id)), 10, "the run to say what it waits for")
    crew.worker("late", 1, labels="disk=fast")
    assert crew.wait_ended([run_id])[0].worker_id == "late"


def test_health_says_that_nobody_may_have_a_run(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {})
    service = crew.serve()
    crew.add("anywhere", function("mark"))
    crew.order("anywhere")
    until(lambda: "NO_ELIGIBLE_WORKER" in str(service.get("/api/v1/health").body), 5, "health to say so")
