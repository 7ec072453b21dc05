"""Reading what was said: pages in both directions, filters, and the search across runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import NotFound
from cronzimus.models.log_line import LogLine, Stream
from cronzimus.models.run import Run
from cronzimus.services import run_logs
from cronzimus.services.log_writer import LogWriter
from cronzimus.services.run_logs import LineFilter, RunLogs
from cronzimus.utils.ids import new_id
from tests.heart import Heart


@pytest.fixture
def logs(heart: Heart) -> RunLogs:
    return RunLogs(heart.database)


def new_run(heart: Heart, job_id: str = "a") -> Run:
    if job_id not in {job.id for job in heart.timetable.list().items}:
        heart.add(job_id)
    return heart.runs.trigger(job_id, by="test")


def write(heart: Heart, run: Run, *texts: str, **more: Any) -> None:
    fields: dict[str, Any] = {"at": datetime.now(UTC), "stream": Stream.STDOUT, "level": None, **more}
    attempt, logger = fields.pop("attempt", 1), fields.pop("logger", None)
    writer = LogWriter(heart.database)
    writer.put([LogLine(run.id, run.job_id, attempt, line=text, logger=logger, **fields) for text in texts])
    writer.step()


def texts(found: Any) -> list[str]:
    return [line.line for line in found.items]


def test_pages_go_forward_from_a_place(heart: Heart, logs: RunLogs) -> None:
    run, other = new_run(heart), new_run(heart)
    write(heart, run, "1", "2", "3")
    write(heart, other, "x")
    write(heart, run, "4", "5")
    first = logs.page(run, limit=2)
    assert (texts(first), first.more) == (["1", "2"], True)
    second = logs.page(run, after=first.items[-1].seq, limit=2)
    last = logs.page(run, after=second.items[-1].seq, limit=2)
    assert (texts(second), second.more, texts(last), last.more) == (["3", "4"], True, ["5"], False)
    assert logs.page(run, after=last.items[-1].seq).items == ()


def test_pages_go_back_from_the_end(heart: Heart, logs: RunLogs) -> None:
    run = new_run(heart)
    write(heart, run, "1", "2", "3")
    last = logs.page_before(run, limit=2)
    assert (texts(last), last.more) == (["2", "3"], True)
    first = logs.page_before(run, before=last.items[0].seq, limit=2)
    assert (texts(first), first.more) == (["1"], False)


def test_whole_log_is_read_in_pages(heart: Heart, logs: RunLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_logs, "_WHOLE_PAGE", 3)
    run = new_run(heart)
    write(heart, run, *"abcdefg")
    whole = list(logs.whole(run))
    assert [line.line for line in whole] == list("abcdefg")
    assert [line.line for line in logs.whole(run, after=whole[4].seq)] == ["f", "g"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LineFilter(q="OUT"), ["printed out", "again out"]),
        (LineFilter(q="50%"), ["50% of a_b"]),
        (LineFilter(q="a_b"), ["50% of a_b"]),
        (LineFilter(q="%"), ["50% of a_b"]),
        (LineFilter(q="\\"), ["back\\slash"]),
        (LineFilter(level="WARNING"), ["50% of a_b", "back\\slash"]),
        (LineFilter(level="ERROR"), ["back\\slash"]),
        (LineFilter(stream=Stream.STDERR), ["err"]),
        (LineFilter(stream=Stream.STDOUT, attempt=2), ["again out"]),
        (LineFilter(attempt=3), []),
    ],
)
def test_filters_let_through_what_matches_them_all(
    heart: Heart, logs: RunLogs, wanted: LineFilter, found: list[str]
) -> None:
    run = new_run(heart)
    write(heart, run, "printed out")
    write(heart, run, "err", stream=Stream.STDERR)
    write(heart, run, "50% of a_b", stream=Stream.LOG, level="WARNING", logger="l")
    write(heart, run, "back\\slash", stream=Stream.LOG, level="ERROR", logger="l")
    write(heart, run, "again out", attempt=2)
    assert texts(logs.page(run, wanted)) == found
    assert texts(logs.page_before(run, wanted)) == found


def test_run_that_is_not_there_has_no_log(logs: RunLogs) -> None:
    with pytest.raises(NotFound) as caught:
        logs.run(new_id())
    assert caught.value.code == "RUN_NOT_FOUND"


def test_search_finds_the_latest_lines_of_any_run(heart: Heart, logs: RunLogs) -> None:
    first, second = new_run(heart, "a"), new_run(heart, "b")
    now = datetime.now(UTC)
    write(heart, first, "needle one", "hay", at=now - timedelta(hours=2))
    write(heart, second, "needle two", at=now - timedelta(hours=1))
    write(heart, first, "Needle three", stream=Stream.LOG, level="ERROR", at=now)
    needle = LineFilter(q="needle")
    assert texts(logs.search(needle)) == ["Needle three", "needle two", "needle one"]
    assert texts(logs.search(needle, job_id="b")) == ["needle two"]
    assert texts(logs.search(needle, since=now - timedelta(minutes=90))) == ["Needle three", "needle two"]
    assert texts(logs.search(needle, until=now - timedelta(minutes=90))) == ["needle one"]
    assert texts(logs.search(LineFilter(level="ERROR"))) == ["Needle three"]
    assert logs.search(needle).next is None


def test_search_goes_on_where_it_stopped(
    heart: Heart, logs: RunLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_logs, "_MOST_LOOKED_AT", 10)
    run = new_run(heart)
    write(heart, run, *("needle" if number % 12 == 0 else "hay" for number in range(50)))
    found, before, calls = 0, None, 0
    while True:
        answer = logs.search(LineFilter(q="needle"), before=before, limit=1)
        found, calls = found + len(answer.items), calls + 1
        if answer.next is None:
            break
        before = answer.next
    assert found == 5 and calls <= 12
    nothing = logs.search(LineFilter(q="no such text"))
    assert nothing.items == () and nothing.next is not None
