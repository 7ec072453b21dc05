"""What is wrong now and what was: a list, each alert with what was sent, and what people do about it."""

from typing import Annotated, Any, Final
from uuid import UUID

from flask import request
from pydantic import BeforeValidator, Field
from werkzeug.wrappers import Response

from cronzimus.api.alert_shapes import AlertPath, AlertQuery
from cronzimus.api.alerts import sent_about
from cronzimus.api.queries import truth
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.models.alert import AlertState
from cronzimus.models.alert_rule import Severity
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room
from cronzimus.web.silence import LENGTHS, asked_silence, silence_in_words

pages = room("alerts")

# The three lists, and what the address says for each.
_LISTS: Final[dict[str, dict[str, str]]] = {
    "open": {},
    "resolved": {"state": "resolved"},
    "all": {"all": "true"},
}


class AlertPageQuery(AlertQuery):
    """Which alerts; the open ones when nothing is said."""

    all: Annotated[bool, BeforeValidator(truth)] = Field(
        default=False, description="also those that are over"
    )

    @property
    def shown(self) -> str:
        """Which of the lists that is."""
        return str(self.state or ("all" if self.all else AlertState.OPEN))

    def filters(self) -> dict[str, Any]:
        """What `Alerts.list` takes."""
        state = self.state or (None if self.all else AlertState.OPEN)
        return {**self.model_dump(exclude={"all"}), "state": state}


@pages.get("/alerts")
@live
@needs("read")
def show_alerts() -> Answer:
    """What is wrong, latest first."""
    query = query_of(AlertPageQuery)
    filters = query.filters()
    kept = query.model_dump(include={"job_id", "rule_id", "severity"})
    return page(
        "alerts.html",
        twin=address(f"{V1}/alerts", **filters),
        topics="alert",
        query=query,
        severities=tuple(Severity),
        lists={name: address("/alerts", **kept, **said) for name, said in _LISTS.items()},
        said=_LISTS[query.shown],
        found=house().operating.telling.alerts.list(**filters),
        href=lambda offset: address(
            "/alerts", **kept, **_LISTS[query.shown], limit=query.limit, offset=offset
        ),
        here_again=request.full_path.rstrip("?"),
        lengths=LENGTHS,
    )


@pages.get("/alerts/<alert_id>")
@live
@needs("read")
def show_alert(alert_id: str) -> Answer:
    """One alert, and the last messages about it."""
    alert = house().operating.telling.alerts.get(_known(alert_id))
    return page(
        "alert.html",
        twin=f"{V1}/alerts/{alert.id}",
        topics="alert",
        job=alert.job_id or "",
        alert=alert,
        sent=sent_about(alert),
        lengths=LENGTHS,
    )


@pages.post("/alerts/<alert_id>/acknowledge")
@needs("operate")
def acknowledge_alert(alert_id: str) -> Response:
    """Say that somebody takes care: no more reminders."""
    check_form()
    alert = house().operating.telling.alerts.acknowledge(_known(alert_id), by=caller())
    return done(f"{alert.acknowledged_by} takes care of {alert.subject}", f"/alerts/{alert.id}")


@pages.post("/alerts/<alert_id>/silence")
@needs("operate")
def silence_alert(alert_id: str) -> Response:
    """Tell nothing more of it for a while, or tell again."""
    check_form()
    until = asked_silence()
    alert = house().operating.telling.alerts.silence(_known(alert_id), until, by=caller())
    return done(silence_in_words(alert.subject, until), f"/alerts/{alert.id}")


def _known(alert_id: str) -> UUID:
    return AlertPath.model_validate({"alert_id": alert_id}).alert_id
