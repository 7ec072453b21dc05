"""How runs find a worker."""

from pydantic import Field

from cronzimus.settings.types import Count, Seconds, Section


class DispatcherSettings(Section):
    """Who gives runs to workers, and by which rule."""

    enabled: bool = Field(
        default=True, description="Give runs away from this process; off: they wait for another that does."
    )
    strategy: str = Field(
        default="round_robin",
        min_length=1,
        max_length=255,
        description="round_robin, load_based, task_type_affinity, or your own as package.module:Name.",
    )
    schedule_interval_seconds: Seconds = Field(
        default=1, description="Longest time between two looks at what waits; new work is seen at once."
    )
    max_concurrent_dispatches: Count = Field(
        default=1000, description="Runs that may be out at one time, on all workers together."
    )
    redispatch_seconds: Seconds = Field(
        default=5, description="A run its worker has not begun after this goes to another."
    )
