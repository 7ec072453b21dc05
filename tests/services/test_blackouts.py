"""The blackouts of the house: kept, changed, and known to the leader when it next decides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import Conflict, NotFound
from cronzimus.models.blackout import HouseBlackout
from cronzimus.services.audit import Audit
from cronzimus.services.blackouts import BlackoutBoard, Blackouts
from tests.heart import Heart


def blackout(blackout_id: str = "freeze", **fields: Any) -> HouseBlackout:
    now = datetime.now(UTC)
    span = {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    return HouseBlackout.model_validate({"id": blackout_id, **span, **fields})


def reasons(heart: Heart, job_id: str) -> list[tuple[str, str | None]]:
    return [(row.decision, row.reason) for row in heart.history.firings(job_id=job_id).items]


def test_leader_skips_what_a_new_blackout_concerns_and_fires_again_after_it(heart: Heart) -> None:
    blackouts = Blackouts(heart.database)
    heart.add("plain")
    heart.add("tagged", tags=["db"])
    blackouts.add(blackout(tags=["db"], reason="year's end"), by="ann")
    for job in ("plain", "tagged"):
        heart.make_due(job)
    heart.fire()
    assert reasons(heart, "plain") == [("fired", None)]
    assert reasons(heart, "tagged") == [("skipped", "blackout")]
    (row,) = heart.history.firings(job_id="tagged").items
    assert row.note is not None and row.note.startswith("the blackout freeze (year's end) until ")
    blackouts.remove("freeze", by="ann")
    heart.make_due(
        "tagged", "date_trunc('second', clock_timestamp()) + interval '1 second' - interval '1 second'"
    )
    heart.database.execute("DELETE FROM cronzimus.firings")
    heart.fire()
    assert reasons(heart, "tagged")[0] == ("fired", None)


def test_held_firing_waits_for_the_end_of_the_blackout(heart: Heart) -> None:
    Blackouts(heart.database).add(blackout(policy="hold"), by="ann")
    heart.add(trigger={"type": "cron", "expression": "0 0 1 1 *"})
    heart.make_due("a")
    (offer,) = heart.fire()
    assert offer.not_before is not None and offer.not_before > datetime.now(UTC) + timedelta(minutes=58)
    assert heart.claim([offer]) == ()


def test_board_reads_only_a_new_revision(heart: Heart) -> None:
    blackouts, board = Blackouts(heart.database), BlackoutBoard(heart.database)
    first = blackouts.add(blackout(), by="ann")
    board.keep_up(first.revision)
    heart.database.execute("DELETE FROM cronzimus.blackouts")
    board.keep_up(first.revision)
    assert len(board.concerning("any", ())) == 1
    board.keep_up(None)
    assert board.concerning("any", ()) == ()


def test_blackouts_are_kept_and_changed(heart: Heart) -> None:
    blackouts = Blackouts(heart.database)
    first = blackouts.add(blackout(), by="ann")
    assert (first.document["id"], first.created_by) == ("freeze", "ann")
    with pytest.raises(Conflict) as caught:
        blackouts.add(blackout(), by="ann")
    assert caught.value.code == "BLACKOUT_EXISTS"
    second = blackouts.replace(blackout(policy="hold"), by="bob", expected_revision=first.revision)
    assert second.document["policy"] == "hold" and second.revision > first.revision
    with pytest.raises(Conflict, match="at revision"):
        blackouts.replace(blackout(), by="bob", expected_revision=first.revision)
    assert [one.document["id"] for one in blackouts.list().items] == ["freeze"]
    blackouts.remove("freeze", by="ann")
    assert blackouts.list().total == 0
    for gone in (
        lambda: blackouts.get("freeze"),
        lambda: blackouts.remove("freeze", by="a"),
        lambda: blackouts.replace(blackout(), by="a"),
    ):
        with pytest.raises(NotFound):
            gone()
    assert blackouts.add(blackout(), by="ann").revision > second.revision
    actions = [event.action for event in Audit(heart.database).list(target="blackout/freeze").items]
    assert actions == ["blackout.create", "blackout.delete", "blackout.replace", "blackout.create"]
