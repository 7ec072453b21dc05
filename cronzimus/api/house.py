"""What the front needs of the house: its services, by the names the views use."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cronzimus.jobs.job_factory import JobFactory
    from cronzimus.services.explain import Explain
    from cronzimus.services.history import History
    from cronzimus.services.readiness import ReadinessReport
    from cronzimus.services.runs import Runs
    from cronzimus.services.timetable import Timetable


class House(Protocol):
    """The services of one process; `app.py` builds the real one."""

    @property
    def timetable(self) -> "Timetable":
        """Jobs: read and change them."""

    @property
    def runs(self) -> "Runs":
        """Start, cancel and repeat runs."""

    @property
    def history(self) -> "History":
        """What happened."""

    @property
    def explain(self) -> "Explain":
        """Why something happened, or did not."""

    @property
    def factory(self) -> "JobFactory":
        """The one way a job is built."""

    @property
    def readiness(self) -> "ReadinessReport":
        """Whether this process can serve."""
