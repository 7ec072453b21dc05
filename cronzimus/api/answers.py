"""What the shapes of answers have in common; each room has its own in its file, models.py has the spine's."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """A JSON object that a route answers with."""

    model_config = ConfigDict(extra="forbid")


class AnswerPage(Answer):
    """One page of a list; whoever inherits says of what."""

    total: int
    limit: int
    offset: int
