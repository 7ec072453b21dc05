"""Who acts, where nobody says it, is the house itself."""

from contextvars import copy_context

from cronzimus.models.actor import HOUSE, Actor, Door, current_actor


def test_nobody_came_in_means_the_house_acts() -> None:
    assert copy_context().run(current_actor.get) == HOUSE
    assert HOUSE.door == Door.HOUSE


def test_an_actor_set_for_one_request_is_not_seen_by_another() -> None:
    def act() -> Actor:
        current_actor.set(Actor("ann", Door.API))
        return current_actor.get()

    assert copy_context().run(act).name == "ann"
    assert current_actor.get() == HOUSE
