"""Athena's answers, each value one text or none, as the values the local engine gives.

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
    """A value that is not of its column's type: names both."""


def is_known(kind: str) -> bool:
    """Whether values of a type of DuckDB's, by its name, can be taken from Athena."""
    return _reader(kind) is not None


def read(kind: str, text: str | None) -> Value:
    """Return a value of a column of DuckDB's type `kind`. Raises `AnswerError`."""
    if text is None:
        return None
    reader = _reader(kind)
    try:
        if reader is None:
            raise ValueError("no type that can be taken from Athena")
        return reader(text)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise AnswerError(f"Athena answered {text[:80]!r} for a column of {kind}") from error


def _reader(kind: str) -> Callable[[str], Value] | None:
    return Decimal if kind.startswith("DECIMAL(") else _READERS.get(kind)
