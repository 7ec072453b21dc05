"""The rules of alerting: those people write, those files declare, those that jobs bring along."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, Refused, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.alert import RuleRow
from cronzimus.models.alert_rule import Rule, rule_of_job
from cronzimus.models.job import JobDefinition
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.alerts", "rules.sql")


class Rules:
    """Read and change rules. `by` names who did it. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, channels: Iterable[str] = ()) -> None:
        self._database = database
        self._channels = tuple(channels)
        self._audit = Audit(database)

    def get(self, rule_id: str) -> RuleRow:
        """One rule; raises NotFound."""
        row = self._database.fetch_one(_SQL["rule"], {"id": rule_id}, row=RuleRow)
        if row is None:
            raise _unknown(rule_id)
        return row

    def list(
        self,
        *,
        source: str | None = None,
        condition: str | None = None,
        job_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[RuleRow]:
        """One page of rules in order of their ids; `job_id` finds those that name that job."""
        filters = {"source": source, "condition": condition, "job_id": job_id}
        params = {**filters, "limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["page"], params, row=RuleRow)
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def add(self, rule: Rule, *, by: str) -> RuleRow:
        """A new rule; raises Invalid for a channel nobody has, Conflict RULE_EXISTS."""
        self.check(rule)
        try:
            with self._database.transaction():
                _insert(self._database, rule, "api", by)
                self._audit.record("alert_rule.create", f"alert-rule/{rule.id}", after=rule.document())
                return self.get(rule.id)
        except Refused as refused:
            raise Conflict(f"a rule {rule.id!r} exists already", code="RULE_EXISTS") from refused

    def replace(self, rule: Rule, *, by: str, expected_version: int | None = None) -> RuleRow:
        """Another rule under the same id; raises NotFound, Conflict VERSION_CONFLICT or RULE_DECLARED."""
        self.check(rule)
        with self._database.transaction():
            version = self._lock(rule.id)
            if expected_version not in (None, version):
                raise Conflict(
                    f"rule {rule.id!r} is at version {version}, not {expected_version}",
                    code="VERSION_CONFLICT",
                )
            before = self.get(rule.id).document
            self._database.execute(_SQL["replace"], {**_columns(rule), "by": by})
            self._audit.record(
                "alert_rule.replace", f"alert-rule/{rule.id}", before=before, after=rule.document()
            )
            return self.get(rule.id)

    def remove(self, rule_id: str, *, by: str) -> None:
        """Take a rule away; what it raised is resolved. Raises NotFound, Conflict RULE_DECLARED."""
        with self._database.transaction():
            self._lock(rule_id)
            before = self.get(rule_id).document
            self._audit.record("alert_rule.delete", f"alert-rule/{rule_id}", before=before)
            self._database.execute(_SQL["delete"], {"id": rule_id})

    def silence(self, rule_id: str, until: datetime | None, *, by: str) -> RuleRow:
        """Tell nobody of what this rule finds before `until`; None ends it. Raises NotFound."""
        with self._database.transaction():
            if not self._database.execute(_SQL["silence"], {"id": rule_id, "until": until}):
                raise _unknown(rule_id)
            after = {"silenced_until": until.isoformat() if until else None}
            self._audit.record("alert_rule.silence", f"alert-rule/{rule_id}", after=after)
            return self.get(rule_id)

    def check(self, rule: Rule) -> None:
        """Raise Invalid when a rule names a channel that is not configured here."""
        for name in rule.channels:
            if name not in self._channels:
                hint = (
                    did_you_mean(name, self._channels) or f"; there are {', '.join(self._channels) or 'none'}"
                )
                fault = Fault("channels", f"no channel is called {name!r}{hint}")
                raise Invalid(f"{fault.field}: {fault.message}", code="UNKNOWN_CHANNEL", faults=(fault,))

    def synchronise(self, declared: Iterable[Rule]) -> None:
        """Make the stored rules say what the files say; a rule people made under the same name stays as it is.

        Safe in any number of processes at once: they take turns.
        """
        wanted = {rule.id: rule for rule in declared}
        with self._database.transaction():
            self._database.fetch_one(_SQL["one_at_a_time"])
            for (taken,) in self._database.fetch_all(_SQL["taken"], {"ids": array(wanted)}):
                del wanted[taken]
            _write(self._database, dict(self._database.fetch_all(_SQL["of_files"])), wanted, "file", "file")

    def _lock(self, rule_id: str) -> int:
        """The version of a rule that may be changed here."""
        row = self._database.fetch_one(_SQL["lock"], {"id": rule_id})
        if row is None:
            raise _unknown(rule_id)
        version, source = row
        if source != "api":
            place = "its job's document" if source == "job" else "the configuration files"
            raise Conflict(f"rule {rule_id!r} is declared in {place}; change it there", code="RULE_DECLARED")
        return int(version)


def write_rules_of_job(database: Database, job_id: str, definition: JobDefinition | None, *, by: str) -> None:
    """Make the stored rules of a job say what its document says; within the transaction that writes the document."""
    given = [rule_of_job(job_id, rule) for rule in (definition.alerts if definition else ())]
    wanted = {rule.id: rule for rule in given}
    stored: dict[str, Any] = dict(database.fetch_all(_SQL["of_job"], {"owner_id": job_id}))
    _write(database, stored, wanted, "job", by, job_id)


def _write(
    database: Database,
    stored: dict[str, Any],
    wanted: dict[str, Rule],
    source: str,
    by: str,
    owner_id: str | None = None,
) -> None:
    for rule_id in stored.keys() - wanted.keys():
        database.execute(_SQL["delete"], {"id": rule_id})
    for rule_id, rule in wanted.items():
        if rule_id not in stored:
            _insert(database, rule, source, by, owner_id)
        elif stored[rule_id] != rule.document():
            database.execute(_SQL["replace"], {**_columns(rule), "by": by})


def _insert(database: Database, rule: Rule, source: str, by: str, owner_id: str | None = None) -> None:
    params = {**_columns(rule), "source": source, "owner_id": owner_id, "by": by}
    database.execute(_SQL["insert"], params)


def _columns(rule: Rule) -> dict[str, Any]:
    return {**rule.columns(), "id": rule.id, "document": as_json(rule.document())}


def _unknown(rule_id: str) -> NotFound:
    return NotFound(f"there is no alert rule {rule_id!r}", code="RULE_NOT_FOUND")
