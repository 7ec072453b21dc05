"""What carries runs to the workers."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from cronzimus.settings.types import Dsn, Section
from cronzimus.utils.env import did_you_mean

SCHEMES: Final = (
    *("database", "postgresql", "postgres", "memory"),
    *("amqp", "amqps", "redis", "rediss"),
)


def scheme_of(url: str) -> str:
    """What stands before `://`, or nothing."""
    return url.partition("://")[0] if "://" in url else ""


def _queue_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    scheme = scheme_of(value)
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise ValueError(f"unsupported scheme {scheme!r}; supported: {known}{did_you_mean(scheme, SCHEMES)}")
    return Dsn(value)


QueueUrl = Annotated[Dsn, BeforeValidator(_queue_url)]
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]


class MessageQueueSettings(Section):
    """What carries runs to the workers, and under which names."""

    url: QueueUrl = Field(
        default=Dsn("database://"),
        description="database:// for the service's own PostgreSQL, postgresql:// for another one, memory:// within"
        " one process, amqp(s):// or redis(s):// with the extra celery.",
    )
    task_queue: QueueName = Field(
        default="task_queue", description="Queues of workers are called so, with a dot and the worker's name."
    )
    status_queue: QueueName = Field(
        default="status_queue", description="Where workers report what has ended, on RabbitMQ and Redis."
    )
