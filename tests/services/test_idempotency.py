"""One key, one deed: in one process, in two at once, after a refusal, and after a day."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from cronzimus.errors import Conflict, Invalid
from cronzimus.services.idempotency import Answer, Asked, Idempotency
from tests.heart import Heart

ASKED = Asked("ann", "key-1", "POST /x", "hash")


def answer(text: str = "done") -> Answer:
    """What somebody is told."""
    return Answer(202, {"Location": "/x"}, text)


def deeds(heart: Heart) -> list[UUID]:
    """The runs that exist."""
    return [run_id for (run_id,) in heart.database.fetch_all("SELECT id FROM cronzimus.runs")]


def triggering(heart: Heart) -> Any:
    """An act that starts a run."""
    return lambda: answer(str(heart.runs.trigger("a", by="t").id))


def test_a_repeated_request_gets_the_first_answer(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    once = Idempotency(heart.database).once
    first = once(ASKED, triggering(heart))
    again = once(ASKED, triggering(heart))
    assert (again.status, again.headers, again.body) == (202, {"Location": "/x"}, first.body)
    assert not first.replayed and again.replayed
    assert [str(run_id) for run_id in deeds(heart)] == [first.body]


def test_a_run_is_offered_when_the_key_is_committed_and_not_before(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    seen: list[int] = []

    def act() -> Answer:
        heart.runs.trigger("a", by="t")
        seen.append(len(heart.offered))
        return answer()

    Idempotency(heart.database).once(ASKED, act)
    assert seen == [0] and len(heart.offered) == 1


@pytest.mark.parametrize("other", [{"request": "else"}, {"route": "POST /y"}])
def test_another_request_under_the_same_key_is_refused(heart: Heart, other: dict[str, str]) -> None:
    once = Idempotency(heart.database).once
    once(ASKED, answer)
    facts = {"caller": "ann", "key": "key-1", "route": "POST /x", "request": "hash", **other}
    with pytest.raises(Invalid) as caught:
        once(Asked(**facts), lambda: pytest.fail("it was done"))
    assert caught.value.code == "IDEMPOTENCY_MISMATCH"


def test_keys_of_different_callers_are_different(heart: Heart) -> None:
    once = Idempotency(heart.database).once
    once(ASKED, answer)
    assert not once(Asked("bob", "key-1", "POST /x", "hash"), lambda: answer("his")).replayed


def test_a_refusal_is_not_remembered(heart: Heart) -> None:
    heart.add()
    heart.timetable.pause("a", by="t")
    once = Idempotency(heart.database).once
    with pytest.raises(Conflict):
        once(ASKED, triggering(heart))
    assert deeds(heart) == [] and heart.offered == []
    heart.timetable.resume("a", by="t")
    assert not once(ASKED, triggering(heart)).replayed and len(deeds(heart)) == 1


def test_two_processes_at_once_do_it_once(heart: Heart, other: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    holds, go_on = threading.Event(), threading.Event()

    def slow() -> Answer:
        found = triggering(heart)()
        holds.set()
        assert go_on.wait(20)
        return found

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Idempotency(heart.database).once, ASKED, slow)
        assert holds.wait(20)
        second = pool.submit(Idempotency(other.database).once, ASKED, triggering(other))
        go_on.set()
        assert first.result(20).body == second.result(20).body
        assert second.result().replayed
    assert len(deeds(heart)) == 1


def test_many_at_once_do_it_once(heart: Heart, other: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    with ThreadPoolExecutor(6) as pool:
        tries = [
            pool.submit(Idempotency(home.database).once, ASKED, triggering(home))
            for home in (heart, other, heart, other, heart, other)
        ]
        bodies = {each.result(30).body for each in tries}
    assert len(bodies) == 1 and len(deeds(heart)) == 1


def test_who_waits_too_long_is_told_so(heart: Heart, other: Heart) -> None:
    holds, go_on = threading.Event(), threading.Event()

    def endless() -> Answer:
        holds.set()
        assert go_on.wait(20)
        return answer()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Idempotency(heart.database).once, ASKED, endless)
        assert holds.wait(20)
        with pytest.raises(Conflict) as caught:
            Idempotency(other.database).once(ASKED, lambda: pytest.fail("it was done"))
        go_on.set()
        first.result(20)
    assert caught.value.code == "IDEMPOTENCY_IN_PROGRESS"


def test_the_one_whose_first_fails_does_it_itself(heart: Heart, other: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    holds, go_on = threading.Event(), threading.Event()

    def failing() -> Answer:
        holds.set()
        assert go_on.wait(20)
        raise Conflict("no")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Idempotency(heart.database).once, ASKED, failing)
        assert holds.wait(20)
        second = pool.submit(Idempotency(other.database).once, ASKED, triggering(other))
        go_on.set()
        with pytest.raises(Conflict):
            first.result(20)
        assert not second.result(20).replayed
    assert len(deeds(heart)) == 1


def test_after_a_day_a_key_is_new_and_upkeep_forgets_it(heart: Heart) -> None:
    once = Idempotency(heart.database).once
    once(ASKED, answer)
    heart.upkeep.prune()
    assert once(ASKED, answer).replayed
    heart.database.execute("UPDATE cronzimus.idempotency_keys SET expires_at = now() - interval '1 second'")
    assert not once(ASKED, lambda: answer("anew")).replayed
    assert once(ASKED, answer).body == "anew"
    heart.database.execute("UPDATE cronzimus.idempotency_keys SET expires_at = now() - interval '1 second'")
    heart.upkeep.prune()
    assert heart.database.fetch_one("SELECT count(*) FROM cronzimus.idempotency_keys") == (0,)
