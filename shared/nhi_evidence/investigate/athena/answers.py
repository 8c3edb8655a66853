"""Convert Athena's answers, which are texts or nulls, to the values the local engine returns.

https://docs.aws.amazon.com/athena/latest/APIReference/API_Datum.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import msgspec

Value = str | int | float | bool | Decimal | date | datetime | tuple[str, ...] | None


def _list(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


_INTEGERS = dict.fromkeys(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER"), int
)
_TIMES = dict.fromkeys(
    ("TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_S", "TIMESTAMP_NS"), datetime.fromisoformat
)
_READERS: dict[str, Callable[[str], Value]] = {
    "VARCHAR": str,
    "VARCHAR[]": _list,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text],
    "DOUBLE": float,
    "DATE": date.fromisoformat,
    **_INTEGERS,
    **_TIMES,
}


class AnswerError(ValueError):
    """A value does not have its column's type: names both."""


def is_known(kind: str) -> bool:
    """Whether values of a DuckDB type, given by name, can be converted from Athena's."""
    return _reader(kind) is not None


def read(kind: str, text: str | None) -> Value:
    """Convert a value of a column with DuckDB type `kind`. Raises `AnswerError` if it cannot be."""
    if text is None:
        return None
    reader = _reader(kind)
    try:
        if reader is None:
            raise ValueError("not a type that Athena's values convert to")
        return reader(text)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise AnswerError(f"Athena answered {text[:80]!r} for a column of {kind}") from error


def _reader(kind: str) -> Callable[[str], Value] | None:
    return Decimal if kind.startswith("DECIMAL(") else _READERS.get(kind)
