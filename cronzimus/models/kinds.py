"""What each kind of job needs in `params`, and which controller function carries it out."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

FunctionPath = Annotated[str, StringConstraints(max_length=255)]
Text = Annotated[str, StringConstraints(max_length=65_536)]


class Kind(StrEnum):
    """What a job does."""

    FUNCTION = "function"
    SHELL = "shell"
    HTTP = "http"
    SQL = "sql"


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FunctionParams(_Params):
    """A task function named by import path, `package.module:function`."""

    func: FunctionPath = Field(description="import path of the task function, `package.module:function`")
    args: tuple[JsonValue, ...] = Field(default=(), description="positional arguments")
    kwargs: dict[str, JsonValue] = Field(default_factory=dict, description="keyword arguments")


class ShellParams(_Params):
    """A command as a list of words; no shell reads it."""

    command: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)]
    env: dict[str, Text] = Field(default_factory=dict, description="added to a clean environment")
    cwd: Text | None = Field(default=None, description="working directory; a fresh one when absent")


class HttpParams(_Params):
    """One request; any status outside `expect` is a failure."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=4096)]
    headers: dict[str, Text] = Field(default_factory=dict)
    json_body: JsonValue = Field(default=None, alias="json")
    body: Text | None = None
    expect: tuple[Annotated[int, Field(ge=100, le=599, strict=True)], ...] = Field(
        default=(), max_length=50, description="statuses that count as success; empty means every 2xx"
    )
    timeout: float = Field(
        default=30.0, gt=0, le=3600, strict=True, description="seconds for the whole request"
    )


class SqlParams(_Params):
    """One SQL statement with bound parameters, in the product's own database."""

    statement: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    args: dict[str, JsonValue] = Field(default_factory=dict, description="values of %(name)s placeholders")


PARAMS: dict[Kind, type[_Params]] = {
    Kind.FUNCTION: FunctionParams,
    Kind.SHELL: ShellParams,
    Kind.HTTP: HttpParams,
    Kind.SQL: SqlParams,
}

CONTROLLERS: dict[Kind, str] = {
    Kind.SHELL: "cronzimus.controller.shell:run_command",
    Kind.HTTP: "cronzimus.controller.http:send_request",
    Kind.SQL: "cronzimus.controller.sql:run_statement",
}


def function_of(kind: Kind, params: dict[str, Any]) -> str:
    """The import path of the function that carries the job out."""
    return str(params["func"]) if kind is Kind.FUNCTION else CONTROLLERS[kind]


def call_of(kind: Kind, params: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The positional and keyword arguments the function is called with."""
    if kind is Kind.FUNCTION:
        return list(params.get("args", ())), dict(params.get("kwargs", {}))
    return [], dict(params)


# Where a kind takes values by name: the parameters of a job's schema are put there.
PLACES: dict[Kind, str] = {
    Kind.FUNCTION: "kwargs",
    Kind.SHELL: "env",
    Kind.HTTP: "json",
    Kind.SQL: "args",
}


def override_params(kind: Kind, params: dict[str, Any], override: dict[str, Any] | None) -> dict[str, Any]:
    """The parameters of one run: for functions the override names keyword arguments, else fields of `params`."""
    if not override:
        return params
    if kind is Kind.FUNCTION:
        return {**params, "kwargs": {**params.get("kwargs", {}), **override}}
    return {**params, **override}
