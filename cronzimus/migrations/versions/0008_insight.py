"""What the pages ask of millions of rows: failures by time, the ledger by the hour."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Few runs fail, so this index stays small; the ledger grows in order of time, so a summary of it is enough."""
    op.execute("""
        CREATE INDEX idx_runs_ended_at_failed ON cronzimus.runs (ended_at DESC)
            WHERE state IN ('partial', 'failed', 'timeout', 'lost');
        CREATE INDEX idx_firings_decided_at ON cronzimus.firings
            USING brin (decided_at) WITH (pages_per_range = 32, autosummarize = on);
        """)


def downgrade() -> None:
    """Drop both."""
    op.execute("DROP INDEX cronzimus.idx_firings_decided_at, cronzimus.idx_runs_ended_at_failed")
