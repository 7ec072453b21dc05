"""Triggers that are repeated are not doubled."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IDEMPOTENCY_KEYS = """
-- What a caller was answered under a key of its own; a row is there from the moment the work begins.
CREATE TABLE cronzimus.idempotency_keys (
    caller     text        NOT NULL,
    key        text        NOT NULL,
    route      text        NOT NULL,
    request    text        NOT NULL,
    status     integer,
    headers    jsonb,
    response   text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_once_per_caller PRIMARY KEY (caller, key),
    CONSTRAINT idempotency_keys_key_bounded CHECK (length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_answered_whole CHECK ((status IS NULL) = (response IS NULL))
);
-- Upkeep forgets what has expired.
CREATE INDEX idx_idempotency_keys_expires_at ON cronzimus.idempotency_keys (expires_at);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(IDEMPOTENCY_KEYS)


def downgrade() -> None:
    """Drop the tables, the newest first."""
    op.execute("DROP TABLE cronzimus.idempotency_keys")
