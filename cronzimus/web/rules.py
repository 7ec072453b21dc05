"""The rules: when somebody is told, of which jobs and where; one is made in a form, silenced, or taken away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.alert_shapes import RulePath, RuleQuery
from cronzimus.api.alerts import rule_of
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.alert import RuleRow
from cronzimus.models.alert_rule import Condition, Severity
from cronzimus.services.alerts.words import length
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room
from cronzimus.web.rule_form import EMPTY, SCOPES, WHEN, document_of, field_of
from cronzimus.web.rule_words import when_in_words
from cronzimus.web.silence import LENGTHS, asked_silence, silence_in_words

pages = room("rules")

_HERE: Final = "/alerts/rules"
_CHOICES: Final = {"source": ("api", "file", "job"), "condition": tuple(Condition)}
_SEVERITIES: Final = tuple((str(one), str(one)) for one in Severity)


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, its condition in words, and how often it is told again; empty when it is not."""

    rule: RuleRow
    when: str
    reminds_every: str


@pages.get("/alerts/rules")
@live
@needs("read")
def show_rules() -> Answer:
    """Rules by id, wherever they are written."""
    query = query_of(RuleQuery)
    found = house().operating.telling.rules.list(**dict(query))
    return page(
        "rules.html",
        twin=address(f"{V1}/alert-rules", **dict(query)),
        topics="alert",
        query=query,
        choices=_CHOICES,
        found=found,
        rows=[_row(rule) for rule in found.items],
        href=lambda offset: address(_HERE, **{**dict(query), "offset": offset}),
        here_again=request.full_path.rstrip("?"),
        lengths=LENGTHS,
    )


@pages.get("/alerts/rules/new")
@needs("admin")
def show_new() -> Answer:
    """The empty form."""
    return _form(EMPTY, ())


@pages.post("/alerts/rules/new")
@needs("admin")
def make_rule() -> Response | tuple[Answer, int]:
    """Make a new rule; it judges what happens from now on."""
    check_form()
    said = {name: request.form.get(name, "").strip() for name in EMPTY}
    chosen = tuple(request.form.getlist("channels"))
    try:
        rule = house().operating.telling.rules.add(rule_of(document_of(said, chosen)), by=caller())
    except (Invalid, Conflict) as refused:
        status = 409 if isinstance(refused, Conflict) else 422
        return _form(said, chosen, _faults(refused)), status
    return done(f"The rule {rule.id} judges what happens from now on", _HERE)


@pages.post("/alerts/rules/<rule_id>/silence")
@needs("operate")
def silence_rule(rule_id: str) -> Response:
    """Tell nobody of what it finds for a while, or tell again."""
    check_form()
    until = asked_silence()
    house().operating.telling.rules.silence(_known(rule_id), until, by=caller())
    return done(silence_in_words(rule_id, until), _HERE)


@pages.post("/alerts/rules/<rule_id>/delete")
@needs("admin")
def delete_rule(rule_id: str) -> Response:
    """Take it away; what it raised is resolved."""
    check_form()
    house().operating.telling.rules.remove(_known(rule_id), by=caller())
    return done(f"The rule {rule_id} was deleted; what it raised is resolved", _HERE)


def _row(rule: RuleRow) -> Row:
    reminds_every = rule.document.get("remind_every")
    return Row(rule, when_in_words(rule.document["when"]), length(reminds_every) if reminds_every else "")


def _form(said: Mapping[str, str], chosen: tuple[str, ...], faults: Mapping[str, str] | None = None) -> str:
    return page(
        "rule_new.html",
        twin=f"{V1}/alert-rules",
        fields=said,
        chosen=chosen,
        faults=faults or {},
        channels=tuple(house().operating.telling.courier.channels.values()),
        conditions=WHEN,
        scopes=SCOPES,
        severities=_SEVERITIES,
    )


def _faults(refused: CronzimusError) -> dict[str, str]:
    """Each mistake beside its field; a name that is taken is a mistake in the id."""
    faults = {"": refused.message}
    if isinstance(refused, Conflict):
        faults["id"] = refused.message
    for fault in refused.faults:
        faults.setdefault(field_of(fault.field), fault.message)
    return faults


def _known(rule_id: str) -> str:
    return RulePath(rule_id=rule_id).rule_id
