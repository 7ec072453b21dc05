"""Side by side: the schema says whom it serves, and a job keeps its place while its leader cannot read it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SERVES = """
-- One row: the schema at `revision` serves code that knows revision `serves`, and newer code. Whoever migrates keeps
-- `revision` in step, so that a schema somebody else has changed serves nobody. A revision that takes away what older
-- code needs sets `serves` to itself, and its way back sets it back; all others leave it alone.
CREATE TABLE cronzimus.schema_serves (
    revision text    NOT NULL,
    serves   text    NOT NULL,
    is_row   boolean NOT NULL DEFAULT true,
    CONSTRAINT schema_serves_pkey PRIMARY KEY (is_row),
    CONSTRAINT schema_serves_has_one_row CHECK (is_row)
);
INSERT INTO cronzimus.schema_serves (revision, serves) VALUES ('0012', '0012');
"""

PLACES = """
ALTER TABLE cronzimus.jobs
    -- The instant that was next when a definition could not be read any more; whoever can read it goes on there.
    ADD COLUMN resume_from timestamptz;
"""

DOWN = """
ALTER TABLE cronzimus.jobs DROP COLUMN resume_from;
DROP TABLE cronzimus.schema_serves;
"""


def upgrade() -> None:
    """Let old and new processes share a schema and its jobs."""
    for statements in (SERVES, PLACES):
        op.execute(statements)


def downgrade() -> None:
    """Whoever does not know a revision refuses it again."""
    op.execute(DOWN)
