"""The watch raises what is wrong once, and resolves it when it is over."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.models.run import RunState
from cronzimus.services.alerts.watch import MOST_AT_ONCE, Watch
from tests.heart import Heart
from tests.services.alerts.support import Desk, by_hand, ended, fired, started

A_WHILE_AGO = "clock_timestamp() - interval '10 minutes'"


def hourly() -> dict[str, Any]:
    """An hourly trigger with no instant of its own between a while ago and now, whatever o'clock it is."""
    return {"type": "interval", "hours": 1, "start_date": datetime.now(UTC) + timedelta(minutes=30)}


def refused(heart: Heart, job_id: str = "a", at: str = A_WHILE_AGO) -> datetime:
    """An instant that comes while the job is paused; it gets its row in the ledger."""
    heart.timetable.pause(job_id, by="test")
    due_at = heart.make_due(job_id, at)
    assert fired(heart) == []
    return due_at


# --- failures -------------------------------------------------------------------------------------------------------


def test_a_failure_is_told_once_and_so_is_its_recovery(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    ended(heart, RunState.FAILED)
    desk.look(3)
    assert desk.open() == {"job/a": "a failed: no rows"} and desk.told() == ["raised"]
    run_id = ended(heart)
    desk.look(3)
    assert desk.over() == {"job/a": f"run {run_id} succeeded"} and desk.told() == ["raised", "resolved"]
    assert [(e.topic, e.job_id, e.state) for e in desk.heard] == [
        ("alert", "a", "open"),
        ("alert", "a", "resolved"),
    ]


def test_more_failures_are_news_but_not_every_second(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    for _ in range(3):
        ended(heart, RunState.FAILED)
        desk.look()
    assert desk.told() == ["raised"] and desk.alerts.get(desk.alert_id()).occurrences == 3
    desk.move("alerts", "told_at", "told_at - interval '1 minute'")
    desk.look(2)
    assert desk.told() == ["raised", "raised"]


def test_first_failure_is_told_once_for_a_row_of_them(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("first_failure")
    for state in (RunState.TIMEOUT, RunState.FAILED, RunState.SUCCESS, RunState.FAILED):
        ended(heart, state)
        desk.look()
        desk.move("alerts", "told_at", "told_at - interval '1 hour'", "told_at IS NOT NULL")
    assert desk.told() == ["raised", "resolved", "raised"]


def test_failures_in_a_row_are_counted_from_the_last_success(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule({"failures_in_a_row": 3})
    for state in (RunState.FAILED, RunState.FAILED, RunState.SUCCESS, RunState.FAILED, RunState.LOST):
        ended(heart, state)
        desk.look()
    assert desk.open() == {}
    ended(heart, RunState.TIMEOUT)
    desk.look(2)
    assert desk.open() == {"job/a": "a timed out 3 times in a row: no rows"} and desk.told() == ["raised"]


def test_cancelled_runs_are_no_failures(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    ended(heart, RunState.CANCELLED)
    desk.look()
    assert desk.open() == {}


def test_a_failure_that_is_committed_late_is_found_all_the_same(
    heart: Heart, desk: Desk, database_url: str
) -> None:
    """Its transaction began before others that were seen already, and ended after them."""
    by_hand(heart, policy={"overlap": "allow"})
    desk.rule("failure")
    slow, quick = started(heart), started(heart)
    failing = "UPDATE cronzimus.runs SET state = 'failed', ended_at = now(), lease_until = NULL WHERE id = %s"
    with psycopg.connect(database_url) as late:
        late.execute(failing, [slow.run_id])
        heart.end(quick, RunState.FAILED, error={"message": "quick"})
        desk.look()
        assert desk.open() == {"job/a": "a failed: quick"}
        late.commit()
    desk.look(2)
    assert desk.alerts.get(desk.alert_id()).occurrences == 2


def test_a_copy_of_the_database_on_another_server_is_watched_on(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    desk.move("alert_watch", "seen", "'9000000000:9000000001:'")
    desk.look()
    ended(heart, RunState.FAILED)
    desk.look()
    assert list(desk.open()) == ["job/a"]


def test_what_happened_before_the_first_look_of_all_is_not_told(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    ended(heart, RunState.FAILED)
    desk.look()
    desk.rule("failure")
    desk.look()
    assert desk.open() == {}


# --- scopes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "subjects"),
    [
        ("everything", {"job/a", "job/b"}),
        ({"tag": "night"}, {"job/b"}),
        ({"job": "a"}, {"job/a"}),
        ({"job": "nobody"}, set()),
    ],
)
def test_a_rule_watches_its_jobs_only(heart: Heart, desk: Desk, scope: object, subjects: set[str]) -> None:
    by_hand(heart)
    by_hand(heart, "b", tags=["night", "core"])
    desk.rule("failure", **{"for": scope})
    for job_id in ("a", "b"):
        ended(heart, RunState.FAILED, job_id)
    desk.look()
    assert set(desk.open()) == subjects


def test_a_rule_of_the_jobs_document_comes_and_goes_with_it(heart: Heart, desk: Desk) -> None:
    by_hand(heart, alerts=[{"when": "failure", "channels": ["mail"]}])
    ended(heart, RunState.FAILED)
    desk.look()
    assert [rule.id for rule in desk.rules.list(source="job").items] == ["a.failure"]
    assert list(desk.open()) == ["job/a"]
    heart.timetable.remove("a", by="test")
    desk.look()
    assert desk.rules.list().total == 0 and desk.over() == {"job/a": "the job was removed"}


def test_a_rule_that_is_switched_off_lets_its_alerts_end(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    ended(heart, RunState.FAILED)
    desk.look()
    desk.database.execute("UPDATE cronzimus.alert_rules SET enabled = false")
    desk.look()
    assert desk.over() == {"job/a": "the rule was switched off"}


# --- did not start --------------------------------------------------------------------------------------------------


def test_an_instant_nobody_decides_did_not_start(heart: Heart, desk: Desk) -> None:
    """No leader, so no row in the ledger and no run: the timetable alone tells that something was due."""
    heart.add(trigger=hourly(), policy={"misfire_grace": 3600})
    due_at = heart.make_due("a", A_WHILE_AGO)
    desk.rule({"not_started": {"within": "11m"}})
    desk.look()
    assert desk.open() == {}
    desk.move("alert_rules", "seconds", "540")
    desk.look(3)
    at = due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert desk.open() == {
        "job/a": f"a did not start within 9 min of {at}: no leader has decided that instant"
    }
    heart.claim(fired(heart))
    desk.look(3)
    assert desk.over()["job/a"].endswith(" started") and desk.told() == ["raised", "resolved"]


def test_a_paused_job_did_not_start(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly())
    refused(heart)
    desk.rule({"not_started": {"within": "5m"}})
    desk.look(2)
    assert desk.open()["job/a"].endswith(": the job is paused")
    heart.timetable.resume("a", by="test")
    desk.look()
    assert list(desk.open()) == ["job/a"], "resumed is not started yet"
    heart.make_due("a")
    heart.claim(fired(heart))
    desk.look(2)
    assert desk.open() == {} and desk.told() == ["raised", "resolved"]


@pytest.mark.parametrize("decided", [True, False])
def test_pauses_may_be_excepted(heart: Heart, desk: Desk, decided: bool) -> None:
    heart.add(trigger=hourly())
    heart.timetable.pause("a", by="test")
    heart.make_due("a", A_WHILE_AGO)
    if decided:
        fired(heart)
    desk.rule({"not_started": {"within": "5m", "except": ["paused"]}})
    desk.look()
    assert desk.open() == {}


def test_a_run_nobody_claims_did_not_start(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly(), policy={"misfire_grace": 3600})
    heart.make_due("a", A_WHILE_AGO)
    offers = fired(heart)
    desk.rule({"not_started": {"within": "5m"}})
    desk.look()
    assert desk.open()["job/a"].endswith(": its run waits for a worker")
    heart.claim(offers)
    desk.look()
    assert list(desk.over()) == ["job/a"]


def test_a_run_by_hand_makes_up_for_one_that_did_not_start(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly())
    refused(heart)
    desk.rule({"not_started": {"within": "5m"}})
    desk.look()
    ended(heart)
    desk.look(2)
    assert desk.open() == {} and desk.told() == ["raised", "resolved"]


def test_instants_before_the_rule_are_not_held_against_anybody(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly())
    refused(heart)
    desk.rule({"not_started": {"within": "5m"}})
    desk.move("alert_rules", "judged_since", "clock_timestamp()")
    desk.look()
    assert desk.open() == {}


def test_time_off_is_not_missed(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly())
    refused(heart)
    desk.move("firings", "reason", "'calendar'")
    desk.rule({"not_started": {"within": "5m"}})
    desk.look()
    assert desk.open() == {}


def test_after_a_long_absence_of_every_watch_the_ledger_is_still_read(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly())
    refused(heart, at="clock_timestamp() - interval '26 hours'")
    desk.move("firings", "decided_at", "clock_timestamp() - interval '25 hours'")
    desk.rule({"not_started": {"within": "5m"}})
    desk.look()
    assert desk.open() == {}
    desk.move("alert_watch", "looked_at", "clock_timestamp() - interval '26 hours'")
    desk.look()
    assert list(desk.open()) == ["job/a"]


# --- did not finish -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (None, "its run has not ended"),
        (RunState.FAILED, "its run failed"),
        (RunState.CANCELLED, "its run was cancelled"),
    ],
)
def test_a_run_that_does_not_succeed_in_time_did_not_finish(
    heart: Heart, desk: Desk, state: RunState | None, why: str
) -> None:
    heart.add(trigger=hourly(), policy={"misfire_grace": 3600})
    heart.make_due("a", A_WHILE_AGO)
    (claim,) = heart.claim(fired(heart))
    if state is not None:
        heart.end(claim, state)
    desk.rule({"not_finished": {"within": "5m"}})
    desk.look(2)
    assert desk.open()["job/a"].endswith(why) and "did not finish within 5 min" in desk.open()["job/a"]
    ended(heart) if state else heart.end(claim)
    desk.look(2)
    assert desk.open() == {} and desk.told() == ["raised", "resolved"]


def test_a_run_that_succeeds_in_time_has_finished(heart: Heart, desk: Desk) -> None:
    heart.add(trigger=hourly(), policy={"misfire_grace": 3600})
    heart.make_due("a", A_WHILE_AGO)
    (claim,) = heart.claim(fired(heart))
    heart.end(claim)
    desk.rule({"not_finished": {"within": "5m"}})
    desk.look()
    assert desk.open() == {}


def wall_clock(desk: Desk, zone: str) -> str:
    """A time of day in a zone that has come a minute or two ago; the last look was before it."""
    here = datetime.now(UTC) - timedelta(minutes=1)
    desk.move("alert_watch", "looked_at", "clock_timestamp() - interval '5 minutes'")
    return here.astimezone(ZoneInfo(zone)).strftime("%H:%M")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_by_a_time_of_day_in_the_jobs_zone(heart: Heart, desk: Desk, zone: str) -> None:
    heart.add(
        trigger={"type": "cron", "expression": "0 3 * * *", "timezone": zone},
        policy={"misfire_grace": 86_400},
    )
    heart.add("elsewhere", trigger={"type": "cron", "expression": "0 3 * * *", "timezone": "Pacific/Chatham"})
    heart.make_due("a", "clock_timestamp() - interval '2 hours'")
    heart.make_due("elsewhere", "clock_timestamp() - interval '2 hours'")
    desk.rule({"not_finished": {"by": wall_clock(desk, zone)}})
    desk.look(2)
    assert list(desk.open()) == ["job/a"] and "has not succeeded by" in desk.open()["job/a"]
    claim, *_ = [c for c in heart.claim(fired(heart)) if c.job_id == "a"]
    heart.end(claim)
    desk.look()
    assert list(desk.over()) == ["job/a"]


def test_by_a_time_of_day_only_when_it_was_due_that_day(heart: Heart, desk: Desk) -> None:
    heart.add(trigger={"type": "cron", "expression": "0 3 * * *"})
    heart.make_due("a", "clock_timestamp() + interval '5 hours'")
    desk.rule({"not_finished": {"by": wall_clock(desk, "UTC")}})
    desk.look()
    assert desk.open() == {}


# --- states ---------------------------------------------------------------------------------------------------------


def test_a_run_that_hangs_is_too_long(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    claim = started(heart)
    desk.rule({"too_long": {"seconds": 300}})
    desk.look()
    assert desk.open() == {}
    desk.move("runs", "started_at", "clock_timestamp() - interval '301 seconds'")
    desk.look(3)
    assert desk.open() == {f"run/{claim.run_id}": "a has been running for 5 min 1 s, longer than 5 min"}
    heart.end(claim)
    desk.look(3)
    assert "ended success after" in desk.over()[f"run/{claim.run_id}"] and desk.told() == [
        "raised",
        "resolved",
    ]


def usual_runs(heart: Heart, desk: Desk, count: int) -> None:
    """So many runs that took twenty seconds."""
    for _ in range(count):
        ended(heart)
    desk.move("runs", "started_at", "ended_at - interval '20 seconds'")


def test_too_long_is_learned_from_the_runs_before(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    usual_runs(heart, desk, 10)
    started(heart)
    desk.rule({"too_long": {"p95_times": 2}})
    desk.move("runs", "started_at", "clock_timestamp() - interval '39 seconds'", "state = 'running'")
    desk.look()
    assert desk.open() == {}
    desk.move("runs", "started_at", "clock_timestamp() - interval '41 seconds'", "state = 'running'")
    desk.look()
    (summary,) = desk.open().values()
    assert summary.endswith("longer than 40 s; 95 of 100 runs take at most 20 s")


def test_nothing_is_learned_from_a_handful(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    usual_runs(heart, desk, 9)
    started(heart)
    desk.rule({"too_long": {"p95_times": 2}})
    desk.move("runs", "started_at", "clock_timestamp() - interval '1 hour'", "state = 'running'")
    desk.look()
    assert desk.open() == {}


def test_a_queue_nobody_empties(heart: Heart, desk: Desk) -> None:
    by_hand(heart, queue="slow")
    heart.runs.trigger("a", by="test")
    desk.rule({"queue_older_than": "1m"})
    desk.look()
    assert desk.open() == {}
    desk.move("runs", "queued_at", "clock_timestamp() - interval '90 seconds'")
    desk.look(2)
    assert desk.open() == {"queue/slow": "queue slow is 1 min 30 s old: 1 run waited too long for a worker"}
    heart.claim(heart.offered)
    desk.look(2)
    assert list(desk.over()) == ["queue/slow"] and desk.told() == ["raised", "resolved"]


def test_what_waits_behind_its_own_job_does_not_make_a_queue_old(heart: Heart, desk: Desk) -> None:
    by_hand(heart, policy={"overlap": "queue"})
    started(heart)
    heart.runs.trigger("a", by="test")
    desk.move("runs", "queued_at", "clock_timestamp() - interval '90 seconds'")
    desk.rule({"queue_older_than": "1m"})
    desk.look()
    assert desk.open() == {}


def test_no_leader(heart: Heart, desk: Desk) -> None:
    desk.rule({"no_leader": 30})
    desk.look()
    assert desk.open() == {}
    desk.move("leaders", "expires_at", "clock_timestamp() - interval '31 seconds'")
    desk.look(2)
    assert desk.open() == {"scheduler": "no replica has led for 31 s: nothing fires; the last leader was me"}
    heart.lead()
    desk.look(2)
    assert desk.over() == {"scheduler": "me leads"} and desk.told() == ["raised", "resolved"]


def test_a_leader_that_resigned_is_missed_from_then_on(heart: Heart, desk: Desk) -> None:
    heart.leadership.resign()
    desk.rule({"no_leader": 30})
    desk.look()
    assert desk.open() == {}, "a resignation says nothing about when it was"
    desk.move("alert_watch", "leaderless_since", "clock_timestamp() - interval '31 seconds'")
    desk.look()
    assert list(desk.open()) == ["scheduler"]


def test_paused_for_too_long(heart: Heart, desk: Desk) -> None:
    heart.add()
    heart.timetable.pause("a", by="test")
    desk.rule({"paused_longer_than": "1d"})
    desk.look()
    assert desk.open() == {}
    desk.move("jobs", "updated_at", "clock_timestamp() - interval '25 hours'")
    desk.look(2)
    assert desk.open() == {"job/a": "a has been paused for 1 d 1 h"}
    heart.timetable.resume("a", by="test")
    desk.look(2)
    assert desk.over() == {"job/a": "the job is active"} and desk.told() == ["raised", "resolved"]


def test_a_definition_that_cannot_be_loaded(heart: Heart, desk: Desk) -> None:
    heart.add()
    heart.firing.mark_broken("a", 1, "no module shop.jobs")
    desk.rule("broken")
    desk.look(2)
    assert desk.open() == {"job/a": "a is broken: no module shop.jobs"} and desk.told() == ["raised"]


# --- telling --------------------------------------------------------------------------------------------------------


def test_everybody_is_told_when_a_rule_names_no_channel(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure", channels=[])
    ended(heart, RunState.FAILED)
    desk.look()
    rows = desk.database.fetch_all("SELECT channel FROM cronzimus.notifications ORDER BY channel")
    assert rows == [("mail",), ("ops",)]


def test_a_storm_is_told_in_few_messages(heart: Heart, desk: Desk) -> None:
    desk.rule("failure")
    for number in range(MOST_AT_ONCE + 7):
        by_hand(heart, f"j{number}")
        ended(heart, RunState.FAILED, f"j{number}")
    desk.look(2)
    rows = desk.database.fetch_all("SELECT others FROM cronzimus.notifications ORDER BY seq")
    assert sorted(rows) == [(0,)] * (MOST_AT_ONCE - 1) + [(7,)]
    for number in range(MOST_AT_ONCE + 7):
        ended(heart, job_id=f"j{number}")
    desk.look(2)
    assert desk.told().count("resolved") == MOST_AT_ONCE and desk.open() == {}


def test_reminders_come_until_somebody_acknowledges(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("first_failure", remind_every="1h")
    ended(heart, RunState.FAILED)
    desk.look(2)
    for _ in range(2):
        desk.move("alerts", "told_at", "told_at - interval '1 hour'")
        desk.look(2)
    assert desk.told() == ["raised", "reminder", "reminder"]
    desk.alerts.acknowledge(desk.alert_id(), by="ana")
    desk.move("alerts", "told_at", "told_at - interval '1 hour'")
    desk.look()
    assert desk.told() == ["raised", "reminder", "reminder"]


@pytest.mark.parametrize("whole_rule", [True, False])
def test_silence_ends(heart: Heart, desk: Desk, whole_rule: bool) -> None:
    by_hand(heart)
    desk.rule("first_failure", remind_every="1h")
    until = datetime.now(UTC) + timedelta(hours=1)
    if whole_rule:
        desk.rules.silence("rule", until, by="test")
    ended(heart, RunState.FAILED)
    desk.look()
    if not whole_rule:
        desk.alerts.silence(desk.alert_id(), until, by="test")
        desk.move("alerts", "told_at", "told_at - interval '1 hour'")
        desk.look()
    assert desk.told() == [] if whole_rule else ["raised"]
    desk.move("alert_rules" if whole_rule else "alerts", "silenced_until", "clock_timestamp()")
    desk.look(2)
    assert desk.told() == (["raised"] if whole_rule else ["raised", "reminder"])


def test_nobody_hears_the_end_of_what_nobody_was_told(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    desk.rules.silence("rule", datetime.now(UTC) + timedelta(hours=1), by="test")
    ended(heart, RunState.FAILED)
    desk.look()
    ended(heart)
    desk.look()
    assert list(desk.over()) == ["job/a"] and desk.told() == []


def test_recovery_is_not_told_where_nobody_wants_it(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure", tell_recovery=False)
    ended(heart, RunState.FAILED)
    desk.look()
    ended(heart)
    desk.look()
    assert list(desk.over()) == ["job/a"] and desk.told() == ["raised"]


# --- one at a time --------------------------------------------------------------------------------------------------


def test_one_process_looks_and_the_others_do_not_wait(desk: Desk, database_url: str) -> None:
    other = Watch(Database(database_url, 1), "other", ())
    with desk.database.transaction():
        desk.look()
        finished = threading.Event()
        looked: list[bool] = []
        threading.Thread(target=lambda: (looked.append(other.look()), finished.set())).start()
        assert finished.wait(5) and looked == [False]
    assert other.look() is True
    assert other.look(spacing=60) is False, "somebody has just looked"


def test_what_is_old_and_over_is_forgotten(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    ended(heart, RunState.FAILED)
    desk.look()
    desk.move("alerts", "opened_at", "clock_timestamp() - interval '100 days'")
    Watch(desk.database, "later", ()).look()
    assert list(desk.open()) == ["job/a"], "what is open is kept"
    ended(heart)
    desk.look()
    desk.move("alerts", "resolved_at", "clock_timestamp() - interval '91 days'")
    Watch(desk.database, "later", ()).look()
    assert desk.over() == {} and desk.told() == []
