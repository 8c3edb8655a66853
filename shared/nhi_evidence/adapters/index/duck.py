"""A DuckDB connection that can read the folder of one index, and nothing else on this machine.

https://duckdb.org/docs/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nhi_evidence.errors import SettingsError

try:
    import duckdb
except ImportError as error:  # an extra of its own: it is large
    raise SettingsError(
        "the index needs DuckDB and Arrow: install nhi-evidence with its extra `investigate`"
    ) from error

Error = duckdb.Error
"""Base of DuckDB's errors, for modules that must not import it before this one has."""

MEMORY_LIMIT = "700MB"
TEMPORARY = "tmp"


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a locked-down connection: no network, no extensions, no files but the index's."""
    connection = duckdb.connect()
    # The order matters: the last lines take away the ability to change the earlier settings.
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("SET temp_directory = $1", [str(folder / TEMPORARY)])
    # If Python runs without a script, DuckDB assumes a prompt and would print a progress bar.
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET allow_community_extensions = false")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET allowed_directories = $1", [[str(folder)]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the statement of a text that is a single SELECT, according to DuckDB's parser.

    Raises `SettingsError` for anything else.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise SettingsError(f"not SQL: {reason(error)}") from error
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        kinds = ", ".join(each.type.name for each in statements) or "nothing"
        raise SettingsError(f"a query is a single SELECT; this is {kinds}")
    return statements[0]


def reason(error: duckdb.Error) -> str:
    """Return DuckDB's error as one line; its own message uses several to point at the place."""
    first, *rest = [line.strip() for line in str(error).splitlines() if line.strip()]
    near = next((line for line in rest if line.startswith("LINE ")), None)
    return first if near is None else f"{first}; {near}"


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> Any:
    """Return the result of one of our own queries, to be fetched in pieces."""
    return connection.execute(sql, parameters)
