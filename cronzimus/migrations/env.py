"""How alembic runs a revision: on the connection, and in the transaction, it was given."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("CREATE SCHEMA IF NOT EXISTS cronzimus"))
context.configure(connection=connection, version_table_schema="cronzimus", transaction_per_migration=False)
context.run_migrations()
