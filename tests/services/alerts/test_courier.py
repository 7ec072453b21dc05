"""Every notification arrives at least once, in order, and one channel never waits for another."""

import threading

import pytest

from cronzimus.errors import NotFound
from cronzimus.models.alert import Progress
from cronzimus.models.run import RunState
from cronzimus.services.channel import NotDelivered
from tests.heart import Heart, until
from tests.services.alerts.support import Desk, by_hand, ended


@pytest.fixture
def failing(heart: Heart, desk: Desk) -> Heart:
    """A job has failed, and two channels are to tell it."""
    by_hand(heart)
    desk.rule("failure", channels=["ops", "mail"])
    ended(heart, RunState.FAILED)
    desk.look()
    return heart


def lease_over(desk: Desk) -> None:
    """Time passes until the next try."""
    desk.move("notifications", "next_at", "clock_timestamp()")


def test_a_message_is_delivered_once(failing: Heart, desk: Desk) -> None:
    done = desk.courier.deliver(desk.ops)
    assert done is not None and done.progress is Progress.DELIVERED and done.attempts == 1
    lease_over(desk)
    assert desk.courier.deliver(desk.ops) is None and len(desk.ops.sent) == 1 and desk.mail.sent == []


def test_who_dies_while_sending_is_followed_and_the_id_stays(failing: Heart, desk: Desk) -> None:
    def die() -> None:
        raise SystemExit

    desk.ops.before = die
    with pytest.raises(SystemExit):
        desk.courier.deliver(desk.ops)
    desk.ops.before = lambda: None
    (claimed,) = desk.courier.list(channel="ops").items
    assert desk.courier.deliver(desk.ops) is None, "somebody may still be sending it"
    lease_over(desk)
    desk.courier.deliver(desk.ops)
    assert [message.id for message in desk.ops.sent] == [str(claimed.id)]


def test_what_was_said_once_is_said_the_same_way_again(failing: Heart, desk: Desk) -> None:
    desk.ops.broken = NotDelivered("out of order")
    desk.courier.deliver(desk.ops)
    ended(failing, RunState.FAILED, message="something else")
    desk.look()
    desk.ops.broken = None
    lease_over(desk)
    desk.courier.deliver(desk.ops)
    assert desk.ops.sent[0].title.endswith("a failed: no rows")


def test_tries_are_bounded_and_the_last_error_is_shown(failing: Heart, desk: Desk) -> None:
    desk.ops.broken = NotDelivered("out of order, password=hunter2xyz")
    states = []
    for _ in range(4):
        done = desk.courier.deliver(desk.ops)
        states.append(done and done.progress)
        lease_over(desk)
    assert states == [Progress.WAITING, Progress.WAITING, Progress.FAILED, None]
    (failed,) = desk.courier.list(state="failed").items
    assert (failed.attempts, failed.error) == (3, "out of order, password=***")


def test_what_cannot_help_is_not_tried_again(failing: Heart, desk: Desk) -> None:
    desk.ops.broken = NotDelivered("forbidden address", final=True)
    done = desk.courier.deliver(desk.ops)
    assert done is not None and done.progress is Progress.FAILED and done.attempts == 1


def test_the_end_is_not_told_before_the_beginning(failing: Heart, desk: Desk) -> None:
    desk.ops.broken = NotDelivered("down")
    desk.courier.deliver(desk.ops)
    ended(failing)
    desk.look()
    assert desk.courier.deliver(desk.ops) is None
    desk.ops.broken = None
    lease_over(desk)
    while desk.courier.deliver(desk.ops):
        continue
    assert [message.kind for message in desk.ops.sent] == ["raised", "resolved"]


def test_a_channel_that_hangs_holds_up_no_other(failing: Heart, desk: Desk) -> None:
    hangs = threading.Event()
    desk.ops.before = lambda: hangs.wait(20) and None
    desk.courier.step()
    until(lambda: desk.mail.sent)
    assert desk.ops.sent == []
    hangs.set()
    until(lambda: desk.ops.sent)
    desk.courier.stop()
    assert desk.found == []


def test_messages_for_channels_nobody_has_do_not_wait_for_ever(failing: Heart, desk: Desk) -> None:
    desk.move("notifications", "channel", "'gone'", "channel = 'ops'")
    desk.courier.stop()
    desk.courier.step()
    assert desk.courier.list(channel="gone", state="waiting").total == 1
    desk.move("notifications", "created_at", "clock_timestamp() - interval '2 hours'")
    desk.courier.step()
    (abandoned,) = desk.courier.list(channel="gone", state="failed").items
    assert abandoned.error == "no running process has a channel of this name"


def test_the_test_button_says_what_came_of_it(desk: Desk) -> None:
    assert desk.courier.test("ops", by="ana").progress is Progress.DELIVERED
    desk.mail.broken = NotDelivered("550 no such user")
    failed = desk.courier.test("mail", by="ana")
    assert (failed.progress, failed.error, failed.kind) == (Progress.FAILED, "550 no such user", "test")
    with pytest.raises(NotFound, match="no channel 'opps'; did you mean 'ops'"):
        desk.courier.test("opps", by="ana")
    actions = desk.database.fetch_all(
        "SELECT target FROM cronzimus.audit_events WHERE action = 'channel.test'"
    )
    assert sorted(actions) == [("channel/mail",), ("channel/ops",)]


def test_the_outbox_is_listed_by_what_is_asked(failing: Heart, desk: Desk) -> None:
    desk.courier.deliver(desk.ops)
    assert desk.courier.list(alert_id=desk.alert_id()).total == 2
    assert [one.channel for one in desk.courier.list(state="waiting").items] == ["mail"]
    assert [one.channel for one in desk.courier.list(state="delivered").items] == ["ops"]
