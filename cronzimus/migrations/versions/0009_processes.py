"""Who is there: every process of the house, whether it fires, serves or executes."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
-- A process is known by its boot, never by its name: names come back after a restart, and several processes of one
-- machine may share one. `id` is what the runs it executes say, `replica` what a term it holds says.
ALTER TABLE cronzimus.workers
    DROP CONSTRAINT workers_pkey,
    ADD CONSTRAINT workers_pkey PRIMARY KEY (boot_id),
    ADD COLUMN replica    text        NOT NULL,
    ADD COLUMN roles      jsonb       NOT NULL DEFAULT '[]',
    ADD COLUMN version    text        NOT NULL,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD CONSTRAINT workers_running_is_counted CHECK (running >= 0 AND capacity >= 0);
CREATE INDEX idx_workers_id ON cronzimus.workers (id);
"""

DOWN = """
TRUNCATE cronzimus.workers;
DROP INDEX cronzimus.idx_workers_id;
ALTER TABLE cronzimus.workers
    DROP CONSTRAINT workers_running_is_counted,
    DROP COLUMN replica,
    DROP COLUMN roles,
    DROP COLUMN version,
    DROP COLUMN updated_at,
    DROP CONSTRAINT workers_pkey,
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);
"""


def upgrade() -> None:
    """Let processes be told apart, and say what each is for."""
    op.execute(UP)


def downgrade() -> None:
    """Forget who was there, and what that was for."""
    op.execute(DOWN)
