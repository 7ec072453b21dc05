"""${message}."""

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say what changes."""
    op.execute("")


def downgrade() -> None:
    """Say how it is taken back."""
    op.execute("")
