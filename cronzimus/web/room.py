"""What every page shares: its blueprint, how it is drawn, and that many who look draw it once."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from cronzimus.api.support import Query
from cronzimus.web.turns import Turns

# A browser that has the page already asks for what changes in it, and says so.
PART: Final = "X-Part"

Answer = str | Response
Asked = TypeVar("Asked", bound=Query)
Arguments = ParamSpec("Arguments")
_turns: Final = Turns[Answer]()


def room(name: str) -> Blueprint:
    """The blueprint of some pages."""
    return Blueprint(f"pages-{name}", __name__)


def live(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Draw a page once for all who look at it at the same moment and may do the same; goes above `needs`."""

    @wraps(view)
    def shown(*args: Arguments.args, **path: Arguments.kwargs) -> Answer:
        """The page, or only what changes in it."""
        if not wants_part():
            return view(*args, **path)
        return _turns.take((request.full_path, g.caller.rank), lambda: view(*args, **path))

    return shown


def page(template: str, *, twin: str, topics: str = "", job: str = "", **shown: Any) -> str:
    """A drawn page.

    `twin` is the route with the same in JSON; `topics` are those whose events change the page, such as
    "run job"; with `job` only the events of that job.
    """
    layout = "part.html" if wants_part() else "base.html"
    return render_template(template, layout=layout, twin=twin, topics=topics, only_job=job, **shown)


def query_of(model: type[Asked]) -> Asked:
    """What the address asks for; a form sends the filters that were left empty too."""
    return model.model_validate({name: value for name, value in request.args.items() if value})


def wants_part() -> bool:
    """Whether the asking browser has the page already."""
    return PART in request.headers


def address(path: str, **query: Any) -> str:
    """A path with those query parameters that say something."""
    said = {name: _text(value) for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(said)}" if said else path


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
