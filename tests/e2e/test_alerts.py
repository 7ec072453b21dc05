"""People are told: real services, a real mail server, and webhooks that an independent verifier accepts."""

import base64
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from tests.common.mail import Post, free_port, posting
from tests.common.web import Asked, Web, plain, serving
from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, Service
from tests.e2e.trial import Trial, job
from tests.e2e.waiting import let_pass, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
MINUTE = 60.0
# A process that only answers and watches: what is left when every scheduler is gone.
ONLOOKER = {"CRONZIMUS_SCHEDULER__ENABLED": "false", "CRONZIMUS_SCHEDULER__LOCAL_RUNS": "false"}

NIGHTLY = {**job(1), "trigger": {"type": "cron", "expression": "0 3 * * *", "timezone": "Europe/Berlin"}}
HANGS = job(None, "work", 600)
FAILS = job(None, "stumble", 9)
RULES: list[dict[str, Any]] = [
    {"id": "late", "when": {"not_started": {"within": "5m"}}, "for": {"job": "nightly"}},
    {"id": "stopped", "when": {"not_started": {"within": "4s"}}, "for": {"job": "plain"}},
    {"id": "leaderless", "when": {"no_leader": "2s"}, "severity": "critical"},
    {"id": "hangs", "when": {"too_long": {"seconds": 2}}, "for": {"job": "hangs"}},
    {"id": "fails", "when": "first_failure", "for": {"job": "fails"}},
]


class Ears:
    """What arrived at the receivers, every webhook verified."""

    def __init__(self, web: Web, post: Post) -> None:
        self.web, self.post = web, post

    def events(self) -> list[dict[str, Any]]:
        """What the webhook brought; each signature must be good."""
        return [Verifier(SECRET).verify(one.body.decode(), one.headers) for one in list(self.web.asked)]

    def heard(self, rule_id: str) -> list[str]:
        """What was told of a rule by webhook."""
        return [
            event["type"].rpartition(".")[2] for event in self.events() if event["data"]["rule_id"] == rule_id
        ]

    def read(self, rule_id: str) -> list[str]:
        """What was told of a rule by mail."""
        mails = [mail for mail in list(self.post.mails) if f" {rule_id} (" in _text(mail)]
        return [str(mail["X-Cronzimus-Kind"]) for mail in mails]

    def wait_for(self, rule_id: str, *kinds: str) -> None:
        """Both ways, this and nothing else was told of a rule."""
        wanted = list(kinds)
        until(
            lambda: self.heard(rule_id) == wanted and self.read(rule_id) == wanted,
            MINUTE,
            f"{rule_id} to be told as {wanted}; by webhook {self.heard(rule_id)}, by mail {self.read(rule_id)}",
        )


def _text(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


@contextmanager
def listening() -> Iterator[Ears]:
    """A webhook's receiver and a mail server."""
    with ExitStack() as stack:
        yield Ears(stack.enter_context(serving()), stack.enter_context(posting()))


def told(hook: str, mail_port: int) -> dict[str, Any]:
    """The settings of an installation that tells both of them, quickly."""
    channels = [
        {"name": "hook", "type": "webhook", "url": hook, "secret": SECRET},
        {
            "name": "mail",
            "type": "smtp",
            "host": "127.0.0.1",
            "port": mail_port,
            "security": "none",
            "sender": "cron@example.org",
            "to": ["ops@example.org"],
        },
    ]
    return {
        "alerts__channels": json.dumps(channels),
        "alerts__rules": json.dumps(RULES),
        "alerts__every_seconds": 1,
        "alerts__timeout_seconds": 2,
        "app__public_url": "https://cron.example.org",
    }


def there_all_along(trial: Trial, *rules: str) -> None:
    """Those rules judge the past as well, as if they had been there; all of them when none is named."""
    until(lambda: trial.query("SELECT FROM cronzimus.alert_rules WHERE source = 'file'"), 20, "rules")
    for rule in rules or [rule["id"] for rule in RULES]:
        trial.change(f"UPDATE cronzimus.alert_rules SET judged_since = '-infinity' WHERE id = '{rule}'")


def test_a_day_of_pause_a_stopped_scheduler_and_a_run_that_hangs(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    jobs = {"nightly": NIGHTLY, "hangs": HANGS, "plain": job(1)}
    with listening() as ears:
        trial = new_trial(calm_postgres, jobs, **told(f"{ears.web.url}/hook", ears.post.port))
        firing = trial.fleet.start(SERVE).wait_ready()
        onlooker = trial.fleet.start(SERVE, **ONLOOKER).wait_ready()
        there_all_along(trial, "stopped", "leaderless", "hangs")
        paused_for_a_day(trial, firing, ears)
        hanging(trial, firing, ears)
        stopped_for_a_while(trial, firing, ears)
        let_pass(3)
        every_alert = {"late", "hangs", "stopped", "leaderless"}
        assert {rule: ears.heard(rule) for rule in every_alert} == dict.fromkeys(
            every_alert, ["raised", "resolved"]
        )
        assert {rule: ears.read(rule) for rule in every_alert} == dict.fromkeys(
            every_alert, ["raised", "resolved"]
        )
        alerts = onlooker.get("/api/v1/alerts").body["items"]
        assert Counter(alert["rule_id"] for alert in alerts) == Counter(every_alert)
        assert {alert["state"] for alert in alerts} == {"resolved"}


def paused_for_a_day(trial: Trial, service: Service, ears: Ears) -> None:
    """Somebody paused it and forgot; the instants of a day pass, and the ledger refuses each."""
    assert service.post("/api/v1/jobs/nightly/pause").status == 200
    trial.change(
        "UPDATE cronzimus.jobs SET next_due_at = date_trunc('second', clock_timestamp()) - interval '1 day' "
        "WHERE id = 'nightly'"
    )
    until(lambda: trial.query("SELECT FROM cronzimus.firings WHERE job_id = 'nightly'"), 20, "the ledger")
    there_all_along(trial, "late")
    ears.wait_for("late", "raised")
    (event,) = [event for event in ears.events() if event["data"]["rule_id"] == "late"]
    facts = event["data"]["facts"]
    assert "Europe/Berlin (" in facts["due"] and "the job was paused" in facts["why"]
    assert facts["to silence"].startswith("cronzimus alerts silence ")
    assert event["data"]["url"] == "https://cron.example.org/jobs/nightly"
    assert service.post("/api/v1/jobs/nightly/resume").status == 200
    trial.change(
        "UPDATE cronzimus.jobs SET next_due_at = date_trunc('second', clock_timestamp()) WHERE id = 'nightly'"
    )
    ears.wait_for("late", "raised", "resolved")


def hanging(trial: Trial, service: Service, ears: Ears) -> None:
    """A run does not come to its end, until somebody cancels it."""
    run_id = trial.run(service, "hangs")
    ears.wait_for("hangs", "raised")
    assert service.post(f"/api/v1/runs/{run_id}/cancel").status == 200
    ears.wait_for("hangs", "raised", "resolved")


def stopped_for_a_while(trial: Trial, service: Service, ears: Ears) -> None:
    """The only process that fires is stopped: it cannot tell, the onlooker does."""
    # Not while it has a message half sent: that one would rightly come a second time.
    until(
        lambda: not trial.query("SELECT FROM cronzimus.notifications WHERE delivered_at IS NULL"), 20, "quiet"
    )
    service.send(signal.SIGSTOP)
    try:
        ears.wait_for("leaderless", "raised")
        ears.wait_for("stopped", "raised")
    finally:
        service.send(signal.SIGCONT)
    ears.wait_for("leaderless", "raised", "resolved")
    ears.wait_for("stopped", "raised", "resolved")


def test_who_is_killed_while_sending_is_followed_and_the_id_stays(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    """The message has arrived, and nobody could note it: it comes again, and can be told by its id."""
    victims: list[Service] = []

    def kill_the_sender(peer: socket.socket, asked: Asked) -> None:
        if victims:
            os.kill(victims.pop().pid, signal.SIGKILL)
        plain()(peer, asked)

    with listening() as ears:
        ears.web.answer = kill_the_sender
        trial = new_trial(calm_postgres, {"fails": FAILS}, **told(f"{ears.web.url}/hook", ears.post.port))
        first = trial.fleet.start(SERVE).wait_ready()
        there_all_along(trial)
        victims.append(first)
        assert first.post("/api/v1/jobs/fails/run").status == 202
        first.wait(30)
        trial.fleet.start(SERVE).wait_ready()
        until(lambda: ears.heard("fails") == ["raised"] * 2, MINUTE, "the message to come again")
        assert len({event["id"] for event in ears.events()}) == 1
        until(lambda: ears.read("fails"), MINUTE, "the mail")
        let_pass(3)
        assert ears.heard("fails") == ["raised"] * 2


def test_a_mail_server_that_is_down_gets_everything_in_order_when_it_is_back(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    port = free_port()
    tries = (
        "SELECT FROM cronzimus.notifications WHERE channel = 'mail' AND attempts >= 2 "
        "AND position('ConnectionRefused' IN error) > 0"
    )
    with serving() as web:
        trial = new_trial(calm_postgres, {"fails": FAILS}, **told(f"{web.url}/hook", port))
        service = trial.fleet.start(SERVE).wait_ready()
        there_all_along(trial)
        assert service.post("/api/v1/jobs/fails/run").status == 202
        until(lambda: trial.query(tries), 30, "the mail to be refused")
        deaf = Ears(web, Post())
        until(lambda: deaf.heard("fails") == ["raised"], MINUTE, "the webhook not to wait for the mail")
        trial.change("DELETE FROM cronzimus.alert_rules WHERE id = 'fails'")
        until(lambda: deaf.heard("fails") == ["raised", "resolved"], MINUTE, "the end to be told")
        with posting(port=port) as post:
            ears = Ears(web, post)
            until(lambda: ears.read("fails") == ["raised", "resolved"], MINUTE, "both mails, in order")
