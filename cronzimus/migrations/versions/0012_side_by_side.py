"""Side by side: the schema says which is the oldest version that can still work with it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SERVES = """
-- One row. A revision that takes away what older code needs sets it to itself, and its way back sets it back; all
-- others leave it alone, so that old and new processes live side by side while one replaces the other.
CREATE TABLE cronzimus.schema_serves (
    revision text    NOT NULL,
    is_row   boolean NOT NULL DEFAULT true,
    CONSTRAINT schema_serves_pkey PRIMARY KEY (is_row),
    CONSTRAINT schema_serves_has_one_row CHECK (is_row)
);
INSERT INTO cronzimus.schema_serves (revision) VALUES ('0012');
"""


def upgrade() -> None:
    """Say whom the schema serves."""
    op.execute(SERVES)


def downgrade() -> None:
    """Whoever does not know a revision refuses it again."""
    op.execute("DROP TABLE cronzimus.schema_serves")
