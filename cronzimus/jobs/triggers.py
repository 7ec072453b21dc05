"""A definition's schedule in the shape of an APScheduler trigger."""

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from cronzimus.models.job import JobDefinition

_TICK = timedelta(microseconds=1)


class DefinitionTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler is untyped
    """Fires when the definition is due, and carries it: a job that reaches any door brings its whole definition."""

    __slots__ = ("definition",)

    def __init__(self, definition: JobDefinition) -> None:
        self.definition = definition

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first due instant after the previous one, or from now on, in the clock `now` was given in."""
        after = previous_fire_time if previous_fire_time is not None else now - _TICK
        following = self.definition.schedule.next_after(after)
        return None if following is None else following.astimezone(now.tzinfo)

    def __str__(self) -> str:
        return ", ".join(trigger.type for trigger in self.definition.triggers)
