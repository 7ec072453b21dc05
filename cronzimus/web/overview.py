"""The first page: what runs, what comes, what went wrong."""

from cronzimus.api.security import needs
from cronzimus.api.support import V1, house
from cronzimus.web.charts import hour_bars
from cronzimus.web.room import Answer, live, page, room

pages = room("overview")


@pages.get("/")
@live
@needs("read")
def show_overview() -> Answer:
    """The house at a glance."""
    seen = house().operating.insight.overview()
    return page(
        "overview.html",
        twin=f"{V1}/overview",
        topics="run job leader alert",
        seen=seen,
        bars=hour_bars(seen.hours),
        here=house().readiness.report(),
    )
