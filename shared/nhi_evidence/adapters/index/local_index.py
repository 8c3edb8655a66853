"""An `EventIndex` over the Parquet files of an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from nhi_evidence.adapters.index import duck
from nhi_evidence.adapters.index.state import State
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.findings import FindingRow
from nhi_evidence.investigate.index import Freshness, Selection
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.trust import Trust

_FETCHED = 10_000

_VIEWS = """
CREATE VIEW claimed AS
SELECT c.claim, c.of_source AS source, c.hour, c.unit, c.part, c.records, c.is_rejection,
       c.object, substr(sha256(c.unit), 1, 16) AS unit_id, c.shard, c.leaf, s.standing
FROM read_parquet({claims}) c JOIN read_parquet({standing}) s USING (claim);
CREATE VIEW units AS
SELECT source, hour, unit, unit_id, part, records, is_rejection, object, shard, leaf, standing
FROM claimed;
CREATE VIEW read_rows AS FROM read_parquet({events});
CREATE VIEW repeated_rows AS FROM read_parquet({repeated});
CREATE VIEW all_events AS
SELECT e.* EXCLUDE (claim, line, record), u.object, u.unit, u.unit_id, e.line, u.shard, u.leaf,
       u.hour, u.standing, r.claim IS NOT NULL AS is_repeated
FROM read_rows e
JOIN claimed u USING (claim)
LEFT JOIN repeated_rows r ON r.claim = e.claim AND r.line = e.line;
CREATE VIEW events AS
SELECT * EXCLUDE (is_repeated, standing) FROM all_events
WHERE standing IN ('counted', 'unproven') AND NOT is_repeated;
CREATE VIEW identities AS
SELECT identity, any_value(identity_type) AS identity_type, any_value(identity_name) AS name,
       any_value(provider) AS provider, min(time) AS first_seen, max(time) AS last_seen,
       count(*) AS records, count_if(outcome IN ('denied', 'unauthenticated')) AS refused,
       count(DISTINCT credential) AS credentials, count(DISTINCT ip) AS addresses,
       list_sort(list(DISTINCT phase)) AS phases
FROM events WHERE identity IS NOT NULL GROUP BY identity;
"""

_ROWS = """
WITH matching AS MATERIALIZED (SELECT claim, line FROM read_rows WHERE {condition})
SELECT {names}, u.object, u.unit, e.line, u.shard, u.leaf, u.standing
FROM read_rows e
SEMI JOIN matching m ON m.claim = e.claim AND m.line = e.line
JOIN claimed u USING (claim)
ANTI JOIN repeated_rows r ON r.claim = e.claim AND r.line = e.line
WHERE u.standing IN ('counted', 'contested', 'unproven')
ORDER BY e.time, u.object, u.unit, e.line
"""
"""First finds matching rows by the columns that decide, then reads all columns of only those."""

_FINDINGS = """
CREATE TABLE reported ({columns});
CREATE VIEW findings AS
SELECT * FROM reported
UNION ALL
SELECT {names} FROM (
  SELECT *, dense_rank() OVER (
    PARTITION BY source, hour, account, region, stream
    ORDER BY origin DESC, size DESC, object DESC) AS place
  FROM {stated})
WHERE place = 1 AND code IS NOT NULL;
"""


class LocalIndex:
    """See `EventIndex`. A context manager; its connection can read only the index."""

    def __init__(self, folder: Path, state: State) -> None:
        """Open the index that `state` describes. Raises `SettingsError` for a damaged one."""
        self._folder = folder
        self._state = state
        self.connection = duck.connect(folder)
        try:
            self.connection.execute(_views(folder, state))
        except duck.Error as error:
            self.connection.close()
            raise SettingsError(
                f"{folder}: the index is damaged ({duck.reason(error)}): remove it, and it is "
                "made anew"
            ) from error

    def add_findings(self, rows: Iterable[FindingRow]) -> None:
        """Add findings of reports to the view `findings`, beside those of sealed statements."""
        marks = ", ".join("?" for _ in FindingRow.__struct_fields__)
        for row in rows:
            self.connection.execute(
                f"INSERT INTO reported VALUES ({marks})",  # noqa: S608 marks alone
                list(msgspec.structs.astuple(row)),
            )

    def __enter__(self) -> LocalIndex:
        """Return itself."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.connection.close()

    def rows(self, selection: Selection) -> Iterator[Row]:
        """See `EventIndex.rows`."""
        condition, parameters = _condition(selection)
        names = ", ".join(
            f"epoch_ms(e.{each.name})" if each.type is Type.TIME else f"e.{each.name}"
            for each in COLUMNS
        )
        result = self.connection.cursor().execute(
            _ROWS.format(names=names, condition=condition), parameters
        )
        while fetched := result.fetchmany(_FETCHED):
            yield from map(_row, fetched)

    def trusts(self) -> Sequence[Trust]:
        """See `EventIndex.trusts`."""
        if not self._state.trusts:
            return []
        files = [str(self._folder / name) for name in self._state.trusts]
        selected = self.connection.execute(
            "SELECT DISTINCT name, issuer, subject, time FROM read_parquet($1) "
            "JOIN claimed USING (claim) WHERE standing IN ('counted', 'unproven') "
            "ORDER BY time, name",
            [files],
        )
        return [Trust(*each) for each in selected.fetchall()]

    def freshness(self) -> Freshness:
        """See `EventIndex.freshness`."""
        # Fetched to the last row: an unfinished result would end with the next query.
        ((rows, first, last),) = self.connection.execute(
            "SELECT count(*), epoch_ms(min(time)), epoch_ms(max(time)) FROM events"
        ).fetchall()
        ((repeated,),) = self.connection.execute(
            "SELECT count(*) FROM all_events WHERE is_repeated OR standing = 'duplicate'"
        ).fetchall()
        heads = self._state.heads
        return Freshness(
            proven=bool(heads),
            rows=rows,
            objects=self._state.objects,
            first=first,
            last=last,
            head=", ".join(f"{self._state.log}/{head.shard} size {head.size}" for head in heads),
            head_time=self._state.head_time,
            duplicates=repeated,
            unreadable=tuple(self._state.unreadable),
            unreadable_count=self._state.unreadable_count,
        )


def _views(folder: Path, state: State) -> str:
    def listed(names: Sequence[str | None]) -> str:
        paths = (str(folder / name).replace("'", "''") for name in names if name)
        return "[" + ", ".join(f"'{path}'" for path in paths) + "]"

    columns = {
        name: "BIGINT" if name == "things" else "VARCHAR" for name in FindingRow.__struct_fields__
    }
    absent = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
    stated = f"(SELECT {absent}, '' AS origin, 0 AS size WHERE false)"
    if state.findings:
        stated = f"read_parquet({listed(state.findings)})"
    findings = _FINDINGS.format(
        columns=", ".join(f"{name} {kind}" for name, kind in columns.items()),
        names=", ".join(columns),
        stated=stated,
    )
    return findings + _VIEWS.format(
        events=listed(state.events),
        claims=listed(state.claims),
        standing=listed([state.standing]),
        repeated=listed([state.repeated]),
    )


def _condition(selection: Selection) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition equivalent to `Selection.matches`, and its parameters."""
    parameters: dict[str, Any] = {}
    any_of: list[str] = []

    def add(name: str, values: Sequence[object], *texts: str) -> None:
        if values:
            parameters[name] = list(values)
            any_of.extend(text.replace("?", f"${name}") for text in texts)

    add(
        "identities", sorted(selection.identities),
        "list_contains(?, identity)", "list_contains(?, identity_uid)",
        "list_contains(?, identity_name)",
    )  # fmt: skip
    add(
        "credentials", sorted(selection.credentials),
        "list_contains(?, credential)", "list_has_any(hop_credentials, ?)",
    )  # fmt: skip
    add(
        "issued", sorted(selection.issued), "list_has_any(issued, ?)", "list_contains(?, entity)"
    )  # fmt: skip
    add("addresses", sorted(selection.addresses), "list_contains(?, ip)")
    add(
        "resources", sorted({each.lower() for each in selection.resources}),
        "list_has_any(list_transform(list_concat(targets, target_names), lambda x: lower(x)), ?)",
    )  # fmt: skip
    add(
        "subjects", [f"{issuer}\0{subject}" for issuer, subject in sorted(selection.subjects)],
        "list_contains(?, coalesce(issuer, '') || chr(0) || coalesce(subject, ''))",
    )  # fmt: skip
    conditions = ["(" + " OR ".join(any_of) + ")" if any_of else "false"]
    for name, instant, sign in (("since", selection.since, ">="), ("until", selection.until, "<")):
        if instant is not None:
            parameters[name] = instant
            conditions.append(f"epoch_ms(time) {sign} ${name}")
    return " AND ".join(conditions), parameters


def _row(values: Sequence[Any]) -> Row:
    fields: dict[str, Any] = {
        column.name: tuple(value or ()) if column.type is Type.TEXTS else value
        for column, value in zip(COLUMNS, values, strict=False)
    }
    object_key, unit, line, shard, leaf, standing = values[len(COLUMNS) :]
    place = Place(object_key, unit, line, shard, leaf, Standing(standing))
    return Row(**fields, place=place)
