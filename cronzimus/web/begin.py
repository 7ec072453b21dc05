"""The form from which a backfill is begun: first it says which instants would run, then it may begin."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.queries import JobPath
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.api.time_off import request_of
from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.backfill import Backfill, BackfillRequest, Estimate, Outcome
from cronzimus.models.job import Job
from cronzimus.web.forms import Said, check_form, done, faults_of, said_in
from cronzimus.web.room import Answer, address, page, room

pages = room("begin")

_EMPTY: Final[Mapping[str, str]] = {"from": "", "to": "", "max_running": "1", "reverse": ""}
_TAKEN: Final = (Outcome.MISSING, Outcome.MISSED, Outcome.FAILED)
_AT_EACH_END: Final = 5


@pages.get("/jobs/<job_id>/backfill")
@needs("operate")
def show_form(job_id: str) -> tuple[Answer, int] | Answer:
    """The form of the last day; with something in its address also what would run, which changes nothing."""
    job = _job(job_id)
    if not request.args:
        return _form(job, _last_day())
    said = said_in(request.args, _EMPTY, "outcomes")
    try:
        return _form(job, said, estimate=house().operating.backfills.foresee(_asked(job, said)))
    except (Invalid, Conflict) as refused:
        return _refused(job, said, refused)


@pages.post("/jobs/<job_id>/backfill")
@needs("operate")
def begin_backfill(job_id: str) -> Response | tuple[Answer, int]:
    """Begin what the dry run showed."""
    check_form()
    job, said = _job(job_id), said_in(request.form, _EMPTY, "outcomes")
    try:
        backfill = _begun(_asked(job, said))
    except (Invalid, Conflict) as refused:
        return _refused(job, said, refused)
    return done(f"The backfill of {job.id} has begun: {backfill.total} instants", f"/backfills/{backfill.id}")


def _begun(asked: BackfillRequest) -> Backfill:
    """Nothing begins when another number of instants would run than the dry run told of."""
    backfills = house().operating.backfills
    number = len(backfills.foresee(asked).items)
    if str(number) != request.form.get("expected"):
        message = f"{number} instants would run now, which is not what was shown; try it dry again"
        raise Conflict(message, code="COUNT_MISMATCH")
    return backfills.start(asked, by=caller())


def _form(
    job: Job, said: Said, *, estimate: Estimate | None = None, faults: Mapping[str, str] | None = None
) -> str:
    items = estimate.items if estimate else ()
    first, rest = items[:_AT_EACH_END], items[_AT_EACH_END:]
    return page(
        "begin.html",
        twin=address(f"{V1}/backfills", job_id=job.id),
        shown=job,
        fields=said.fields,
        taken=said.taken,
        choices={"outcomes": tuple(Outcome)},
        faults=faults or {},
        estimate=estimate,
        first=first,
        last=rest[-_AT_EACH_END:],
        between=max(0, len(rest) - _AT_EACH_END),
    )


def _refused(job: Job, said: Said, refused: CronzimusError) -> tuple[Answer, int]:
    """What was typed stays, and each mistake stands beside its field."""
    faults, status = faults_of(refused)
    return _form(job, said, faults=faults), status


def _asked(job: Job, said: Said) -> BackfillRequest:
    fields = said.fields
    asked, _ = request_of(
        {
            "job_id": job.id,
            "from": fields["from"],
            "to": fields["to"],
            "outcomes": list(said.taken),
            "max_running": _number(fields["max_running"]),
            "reverse": bool(fields["reverse"]),
        }
    )
    return asked


def _last_day() -> Said:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    moments = {"from": now - timedelta(days=1), "to": now}
    return Said({**_EMPTY, **{name: f"{at:%Y-%m-%dT%H:%MZ}" for name, at in moments.items()}}, _TAKEN)


def _number(text: str) -> int | str:
    """The number a text is; any other text stays, and the model says what is wrong with it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _job(job_id: str) -> Job:
    return house().timetable.get(JobPath(job_id=job_id).job_id)
