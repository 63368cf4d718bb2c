"""Running a whole SQL script inside the migration's transaction."""

from __future__ import annotations

from alembic import op


def run_script(sql: str) -> None:
    """Run many statements at once, functions with dollar quotes included.

    The driver prepares what it is given through SQLAlchemy, and only single statements can be prepared;
    its own `execute` without arguments takes a script. SQLAlchemy opens the transaction lazily, so a first
    statement through it makes sure that the script is inside.
    """
    connection = op.get_bind()
    connection.exec_driver_sql("SELECT 1")
    dbapi = connection.connection.dbapi_connection
    assert dbapi is not None  # noqa: S101 - a checked-out connection has one
    dbapi.run_async(lambda driver: driver.execute(sql))
