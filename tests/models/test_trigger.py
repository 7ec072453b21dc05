"""Triggers as people write them: what is taken, what is refused, and with which words at which field."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cronzimus.errors import Invalid
from cronzimus.models.cron_dst import DstPolicy
from cronzimus.models.trigger import (
    CronTrigger,
    DateTrigger,
    IntervalTrigger,
    ManualTrigger,
    Trigger,
    ZoneName,
    compile_trigger,
    refuse_if_never,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
READER: TypeAdapter[Any] = TypeAdapter(Trigger)


def read(**document: Any) -> Any:
    """The trigger a document describes."""
    return READER.validate_python(document)


def refusal(**document: Any) -> tuple[str, str]:
    """The one fault of a document: its field, and what is said of it."""
    with pytest.raises(ValidationError) as caught:
        read(**document)
    (fault,) = caught.value.errors(include_url=False)
    return ".".join(str(part) for part in fault["loc"]), fault["msg"]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"type": "interval", "seconds": 2}, IntervalTrigger),
        ({"type": "cron", "expression": "0 2 * * 1"}, CronTrigger),
        ({"type": "date", "run_date": "2026-06-01T09:00:00"}, DateTrigger),
        ({"type": "manual"}, ManualTrigger),
    ],
)
def test_type_chooses_the_trigger(document: dict[str, Any], kind: type) -> None:
    trigger = READER.validate_python(document)
    assert type(trigger) is kind
    assert READER.validate_python(trigger) == trigger
    assert hash(READER.validate_python(document)) == hash(trigger)


@pytest.mark.parametrize(
    "document", [{"type": "crn"}, {"type": 5}, {"type": None}, {"type": []}, {}, {"seconds": 2}]
)
def test_unknown_type_is_told_the_four(document: dict[str, Any]) -> None:
    _, message = refusal(**document)
    assert "interval, cron, date, manual" in message


def test_unknown_type_is_told_the_nearest() -> None:
    assert "unknown trigger type 'intervall'; did you mean interval?" in refusal(type="intervall")[1]
    assert "did you mean" not in refusal(type="zzz" * 1000)[1]
    assert len(refusal(type="zzz" * 1000)[1]) < 150


@pytest.mark.parametrize("document", [None, 5, "cron", [], [{"type": "manual"}], True])
def test_what_is_no_object_is_no_trigger(document: Any) -> None:
    with pytest.raises(ValidationError):
        READER.validate_python(document)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "interval", "seconds": 2, "second": 2},
        {"type": "cron", "expression": "* * * * *", "minutes": 2},
        {"type": "date", "run_date": "2026-01-01", "jitter": 5},
        {"type": "manual", "seconds": 1},
    ],
)
def test_unknown_fields_are_refused(document: dict[str, Any]) -> None:
    field, message = refusal(**document)
    assert field.endswith((".second", ".minutes", ".jitter", ".seconds"))
    assert message == "Extra inputs are not permitted"


def test_triggers_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read(type="interval", seconds=2).seconds = 3


@pytest.mark.parametrize(
    ("units", "length"),
    [
        ({"seconds": 1}, timedelta(seconds=1)),
        ({"seconds": 1.5}, timedelta(seconds=1.5)),
        ({"minutes": 0.5}, timedelta(seconds=30)),
        ({"weeks": 1, "days": 1, "hours": 1, "minutes": 1, "seconds": 1}, timedelta(8, 3661)),
        ({"days": 3650}, timedelta(3650)),
        ({"hours": 0, "seconds": 90}, timedelta(seconds=90)),
    ],
)
def test_interval_adds_its_units(units: dict[str, float], length: timedelta) -> None:
    assert read(type="interval", **units).every == length


@pytest.mark.parametrize(
    ("units", "field", "words"),
    [
        ({}, "seconds", "at least 1 second"),
        ({"seconds": 0}, "seconds", "at least 1 second"),
        ({"seconds": 0.999}, "seconds", "at least 1 second, this one lasts 0.999"),
        ({"seconds": -5}, "seconds", "between 0 and"),
        ({"minutes": -1, "hours": 1}, "minutes", "between 0 and 5256000"),
        ({"weeks": 522}, "weeks", "between 0 and 521"),
        ({"days": 3651}, "days", "between 0 and 3650"),
        ({"days": 3650, "seconds": 1}, "seconds", "at most 10 years"),
        ({"hours": 10**300}, "hours", "between 0 and"),
        ({"seconds": 1e300}, "seconds", "between 0 and"),
        ({"seconds": math.nan}, "seconds", "finite"),
        ({"seconds": math.inf}, "seconds", "finite"),
        ({"seconds": "5"}, "seconds", "must be a number, not str"),
        ({"minutes": True}, "minutes", "must be a number, not bool"),
        ({"hours": None}, "hours", "must be a number, not NoneType"),
        ({"days": [1]}, "days", "must be a number, not list"),
    ],
)
def test_interval_refuses_unsound_lengths(units: dict[str, Any], field: str, words: str) -> None:
    where, message = refusal(type="interval", **units)
    assert where == f"interval.{field}"
    assert words in message


def test_interval_names_each_fault() -> None:
    with pytest.raises(ValidationError) as caught:
        read(type="interval", minutes=-1, seconds=True, jitter="x", timezone="Mars")
    assert {fault["loc"][-1] for fault in caught.value.errors()} == {
        "minutes",
        "seconds",
        "jitter",
        "timezone",
    }


@pytest.mark.parametrize(
    ("jitter", "words"),
    [
        (-1, "between 0 and 86400"),
        (86_401, "between 0 and 86400"),
        (60, "shorter than the interval of 60 seconds"),
        (True, "not bool"),
        ("5", "not str"),
        (math.nan, "finite"),
    ],
)
def test_interval_bounds_its_jitter(jitter: Any, words: str) -> None:
    where, message = refusal(type="interval", minutes=1, jitter=jitter)
    assert where == "interval.jitter"
    assert words in message


def test_interval_takes_a_jitter_below_its_length() -> None:
    assert read(type="interval", minutes=1, jitter=59.5).jitter == 59.5


def test_numbers_stay_as_they_were_written() -> None:
    assert READER.dump_json(read(type="interval", seconds=2), exclude_defaults=False).count(b"2.0") == 0
    assert read(type="interval", seconds=2.5).model_dump()["seconds"] == 2.5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-29", datetime(2026, 3, 29)),
        ("2026-03-29T09:00", datetime(2026, 3, 29, 9)),
        ("2026-03-29 09:00:00", datetime(2026, 3, 29, 9)),
        ("2026-03-29T09:00:00Z", datetime(2026, 3, 29, 9, tzinfo=UTC)),
        ("2026-03-29T09:00:00.250+00:00", datetime(2026, 3, 29, 9, 0, 0, 250_000, tzinfo=UTC)),
        (datetime(2026, 3, 29, 9), datetime(2026, 3, 29, 9)),
        (date(2026, 3, 29), datetime(2026, 3, 29)),
    ],
)
def test_moments_are_iso_8601(written: Any, meant: datetime) -> None:
    assert read(type="date", run_date=written).run_date == meant


@pytest.mark.parametrize(
    "written",
    ["", "x", "5", 5, 5.5, True, None, [], "2026-13-01", "2026-02-30", "29.03.2026", "2026-01-01" + " " * 99],
)
def test_moments_refuse_the_rest(written: Any) -> None:
    where, message = refusal(type="date", run_date=written)
    assert where == "date.run_date"
    assert "ISO 8601" in message


def test_date_needs_its_date_and_a_known_misfire() -> None:
    assert refusal(type="date") == ("date.run_date", "Field required")
    assert refusal(type="date", run_date="2026-01-01", misfire="always")[0] == "date.misfire"
    assert read(type="date", run_date="2026-01-01").misfire == "skip"


@pytest.mark.parametrize("kind", [{"type": "interval", "days": 1}, {"type": "cron", "hour": 1}])
def test_end_before_start_is_refused(kind: dict[str, Any]) -> None:
    where, message = refusal(**kind, start_date="2026-01-02", end_date="2026-01-01")
    assert where.endswith(".end_date")
    assert "before start_date" in message
    assert refusal(**kind, start_date="2026-01-01T00:00Z", end_date="2026-01-01T00:00+01:00")[0] == where
    assert read(**kind, start_date="2026-01-01", end_date="2026-01-01")


@pytest.mark.parametrize(
    "zone", ["Europe/Berlni", "../../etc/passwd", "/etc/passwd", "", "localtime", "x" * 10_000, 5]
)
@pytest.mark.parametrize(
    "kind",
    [
        {"type": "interval", "days": 1},
        {"type": "cron", "hour": 1},
        {"type": "date", "run_date": "2026-01-01"},
    ],
)
def test_unknown_zone_is_refused_everywhere(kind: dict[str, Any], zone: Any) -> None:
    assert refusal(**kind, timezone=zone)[0] == f"{kind['type']}.timezone"


def test_zone_name_stands_alone() -> None:
    reader = TypeAdapter(ZoneName)
    assert reader.validate_python("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ValidationError, match="did you mean Europe/Berlin"):
        reader.validate_python("Berlin")


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"hour": 99}, "hour", "'99' is not allowed; hour takes 0-23"),
        ({"hour": -1}, "hour", "hour takes 0-23"),
        ({"minute": 10**5000}, "minute", "minute takes 0-59"),
        ({"hour": True}, "hour", "not bool"),
        ({"hour": 1.5}, "hour", "not float"),
        ({"hour": [1]}, "hour", "not list"),
        ({"hour": ""}, "hour", "empty"),
        ({"minute": "1 2"}, "minute", "minute takes 0-59"),
        ({"minute": "1," * 200}, "minute", "at most 256"),
        ({"day_of_week": "funday"}, "day_of_week", "SUN-SAT"),
        ({"week": 54}, "week", "week takes 1-53"),
        ({"year": 1969}, "year", "year takes 1970-9999"),
        ({"expression": "61 * * * *"}, "expression", "minute: '61' is not allowed; minute takes 0-59"),
        ({"expression": "0 0 99 * * *"}, "expression", "hour: '99'"),
        ({"expression": "* * * *"}, "expression", "4 fields"),
        ({"expression": "@reboot"}, "expression", "restart"),
        ({"expression": "* " * 200}, "expression", "at most 256"),
        ({"expression": 5}, "expression", "string"),
        ({"expression": "* * * * *", "hour": 3}, "hour", "not both"),
        ({"expression": "* * * * *", "dst": "maybe"}, "dst", "'skip', 'shift', 'first', 'second' or 'both'"),
        ({"expression": "* * * * *", "jitter": 86_401}, "jitter", "between 0 and 86400"),
    ],
)
def test_cron_names_the_field_at_fault(document: dict[str, Any], field: str, words: str) -> None:
    where, message = refusal(type="cron", **document)
    assert where == f"cron.{field}"
    assert words in message


@pytest.mark.parametrize(
    "document",
    [
        {"expression": "0 0 31 2 *"},
        {"expression": "0 0 30 2 *"},
        {"expression": "0 0 31 4,6,9,11 *"},
        {"day": 31, "month": "feb"},
        {"day": 29, "month": 2, "year": "2025-2027"},
        {"week": 53, "year": 2025},
        {"expression": "0 0 H(30-31) 2 *"},
    ],
)
def test_cron_that_never_fires_is_refused(document: dict[str, Any]) -> None:
    where, message = refusal(type="cron", **document)
    assert where == "cron"
    assert "never fires" in message


def test_cron_needs_something() -> None:
    assert "needs an expression or one of the fields second, minute" in refusal(type="cron")[1]
    assert "needs an expression" in refusal(type="cron", timezone="UTC")[1]


@pytest.mark.parametrize(
    ("named", "expression"),
    [
        ({"hour": 3}, "0 0 3 * * *"),
        ({"minute": "*/5"}, "*/5 * * * *"),
        ({"day_of_week": "mon-fri", "hour": "9-17", "minute": 30}, "30 9-17 * * 1-5"),
        ({"day_of_week": 7}, "0 0 * * 0"),
        ({"day": "L", "hour": 6}, "0 6 L * *"),
        ({"second": 15}, "15 * * * * *"),
    ],
)
def test_fields_and_expression_mean_the_same(named: dict[str, Any], expression: str) -> None:
    parts = [
        compile_trigger(read(type="cron", **document), job_id="job", timezone="UTC")
        for document in (named, {"expression": expression})
    ]
    instants = [NOW + timedelta(hours=7 * n) for n in range(60)]
    firings = [[part.next_after(instant) for instant in instants] for part in parts if part is not None]
    assert len(firings) == 2
    assert firings[0] == firings[1]


@pytest.mark.parametrize(
    "document",
    [
        {"type": "interval", "minutes": 1.5, "start_date": "2026-01-01T00:00:00+02:00", "jitter": 3},
        {"type": "cron", "expression": "H 2 * * MON#1", "dst": "both", "timezone": "Europe/Berlin"},
        {"type": "cron", "hour": 3, "day_of_week": "mon", "end_date": "2030-01-01"},
        {"type": "date", "run_date": "2026-06-01T09:00:00", "misfire": "run_once"},
        {"type": "manual"},
    ],
)
def test_documents_survive_json(document: dict[str, Any]) -> None:
    trigger = READER.validate_python(document)
    assert READER.validate_python(READER.dump_python(trigger, mode="json")) == trigger
    assert READER.validate_json(READER.dump_json(trigger)) == trigger


def test_schema_tells_the_types_apart() -> None:
    schema = json.dumps(READER.json_schema())
    assert '"discriminator"' in schema
    assert all(f'"const": "{name}"' in schema for name in ("interval", "cron", "date", "manual"))


def test_parts_are_shared_between_jobs() -> None:
    trigger = read(type="cron", expression="0 2 * * 1")
    one, other = (compile_trigger(trigger, job_id=name, timezone="UTC") for name in ("one", "other"))
    assert one is other
    spread = read(type="cron", expression="H 2 * * 1")
    one, other = (compile_trigger(spread, job_id=name, timezone="UTC") for name in ("one", "other"))
    assert one is not other


def test_zone_of_the_trigger_wins_over_the_job() -> None:
    own = compile_trigger(read(type="cron", hour=9, timezone="Asia/Tokyo"), job_id="job", timezone="UTC")
    jobs = compile_trigger(read(type="cron", hour=9), job_id="job", timezone="Europe/Berlin")
    assert own is not None and own.next_after(NOW) == datetime(2026, 6, 2, 0, tzinfo=UTC)
    assert jobs is not None and jobs.next_after(NOW) == datetime(2026, 6, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("field", ["start_date", "end_date"])
def test_naive_bounds_are_read_in_the_zone(field: str) -> None:
    trigger = read(type="interval", hours=1, **{field: "2026-06-02T00:00:00"})
    part = compile_trigger(trigger, job_id="job", timezone="Europe/Berlin")
    midnight = datetime(2026, 6, 1, 22, tzinfo=UTC)
    assert part is not None
    if field == "start_date":
        assert part.next_after(NOW) == midnight
    else:
        assert part.next_after(midnight - timedelta(seconds=1)) == midnight
        assert part.next_after(midnight) is None


def test_manual_has_no_part() -> None:
    assert compile_trigger(ManualTrigger(), job_id="job", timezone="UTC") is None


def never(*documents: dict[str, Any]) -> Invalid:
    """The refusal of triggers that never fire after NOW."""
    with pytest.raises(Invalid) as caught:
        refuse_if_never([read(**document) for document in documents], NOW, job_id="job", timezone="UTC")
    return caught.value


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"type": "date", "run_date": "2026-06-01T11:59:59"}, "run_date", "misfire: run_once"),
        ({"type": "date", "run_date": "2026-06-01T12:00:00"}, "run_date", "has passed"),
        ({"type": "interval", "hours": 1, "end_date": "2026-06-01"}, "end_date", "has passed"),
        ({"type": "cron", "hour": 1, "end_date": "2026-06-01T13:00"}, "end_date", "nothing falls due"),
        ({"type": "cron", "year": 2025}, "expression", "no time after"),
        (
            {"type": "cron", "expression": "30 2 * 3 0L", "dst": "skip", "timezone": "Europe/Berlin"},
            "expression",
            "dst",
        ),
    ],
)
def test_refuse_if_never_names_the_field(document: dict[str, Any], field: str, words: str) -> None:
    refused = never(document)
    assert refused.code == "INVALID_TRIGGER"
    (fault,) = refused.faults
    assert fault.field == f"trigger.{field}"
    assert words in fault.message
    assert "never fire" in str(refused)


def test_refuse_if_never_sees_bounds_of_different_kinds() -> None:
    # One bound names its zone and the other does not, so only the job's zone can tell their order.
    mixed = {
        "type": "interval",
        "hours": 1,
        "start_date": "2027-01-02T00:00:00Z",
        "end_date": "2027-01-01T00:00:00",
    }
    assert never(mixed).faults[0].field == "trigger.end_date"


def test_refuse_if_never_counts_the_triggers() -> None:
    past = {"type": "date", "run_date": "2020-01-01"}
    refused = never({"type": "manual"}, past, {"type": "cron", "year": 2025})
    assert [fault.field for fault in refused.faults] == ["trigger.1.run_date", "trigger.2.expression"]


def test_refuse_if_never_knows_where_h_landed() -> None:
    trigger = read(type="cron", expression="0 0 H(28-31) 2 *", end_date="2027-12-31")
    refused = 0
    for name in map("job-{}".format, range(40)):
        try:
            refuse_if_never([trigger], NOW, job_id=name, timezone="UTC")
        except Invalid:
            refused += 1
    assert 0 < refused < 40


@pytest.mark.parametrize(
    "documents",
    [
        [{"type": "manual"}],
        [],
        [{"type": "date", "run_date": "2020-01-01", "misfire": "run_once"}],
        [{"type": "date", "run_date": "2027-01-01"}],
        [{"type": "date", "run_date": "2020-01-01"}, {"type": "interval", "days": 1}],
        [{"type": "cron", "expression": "0 0 29 2 *"}],
    ],
)
def test_refuse_if_never_lets_the_rest_pass(documents: list[dict[str, Any]]) -> None:
    refuse_if_never([read(**document) for document in documents], NOW, job_id="job", timezone="UTC")


junk_text = st.one_of(
    st.text(max_size=40),
    st.text("0123456789*/-,#LWH@()? \t", max_size=60),
    st.lists(
        st.sampled_from(["*", "*/5", "0", "H", "L", "LW", "5L", "2#2", "15W", "1-5", "MON", "99", "?"])
    ).map(" ".join),
)
junk = st.one_of(
    junk_text, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(junk_text, max_size=2)
)


def ends(document: dict[str, Any]) -> None:
    """Reading a document gives a trigger that can be used, or a ValidationError and nothing else."""
    try:
        trigger = READER.validate_python(document)
    except ValidationError:
        return
    part = compile_trigger(trigger, job_id="job", timezone="UTC")
    if part is not None:
        found = part.next_after(NOW)
        assert found is None or found > NOW


@settings(deadline=None, max_examples=600)
@given(junk_text)
def test_junk_expressions_are_only_ever_refused(text: str) -> None:
    ends({"type": "cron", "expression": text})


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(
            ["second", "minute", "hour", "day", "month", "day_of_week", "week", "year", "jitter", "dst"]
        ),
        junk,
    )
)
def test_junk_fields_are_only_ever_refused(fields: dict[str, Any]) -> None:
    ends({"type": "cron", **fields})


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["interval", "date", "cron", "manual"]),
    st.dictionaries(
        st.sampled_from(
            ["seconds", "weeks", "start_date", "end_date", "run_date", "timezone", "jitter", "misfire"]
        ),
        st.one_of(junk, st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates()),
    ),
)
def test_junk_documents_are_only_ever_refused(kind: str, fields: dict[str, Any]) -> None:
    ends({"type": kind, **fields})


@pytest.mark.parametrize("policy", DstPolicy)
def test_every_policy_can_be_written(policy: DstPolicy) -> None:
    assert read(type="cron", expression="0 2 * * *", dst=str(policy)).dst is policy
