"""People: who may sign in, and what each may do."""

from typing import Any

from cronzimus.api.access import UserBody, UserPage, UserPatch, UserPath, UserView, user_view
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of

api = blueprint("users")


@api.get("/users", responses={200: UserPage})
@needs("admin")
def list_users(query: PageQuery) -> tuple[Any, ...]:
    """List people by name."""
    return page_of(house().operating.access.people.list(limit=query.limit, offset=query.offset), user_view)


@api.post("/users", responses={201: UserView})
@needs("admin")
def add_user(body: UserBody) -> tuple[Any, ...]:
    """Let a person sign in."""
    people = house().operating.access.people
    user = people.add(body.name, body.role, password=body.password, by=caller())
    return user_view(user), 201, {"Location": f"{V1}/users/{user.name}"}


@api.get("/users/<name>", responses={200: UserView})
@needs("admin")
def get_user(path: UserPath) -> dict[str, Any]:
    """One person."""
    return user_view(house().operating.access.people.get(path.name))


@api.patch("/users/<name>", responses={200: UserView})
@needs("admin")
def change_user(path: UserPath, body: UserPatch) -> dict[str, Any]:
    """Change role or password, or let somebody in no more; their sessions end at once."""
    people = house().operating.access.people
    return user_view(people.change(path.name, role=body.role, password=body.password, disabled=body.disabled))


@api.delete("/users/<name>", responses={204: None})
@needs("admin")
def remove_user(path: UserPath) -> tuple[str, int]:
    """Forget a person; what they did stays in the record."""
    house().operating.access.people.remove(path.name)
    return "", 204
