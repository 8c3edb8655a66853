"""The local views in Athena SQL, over the lines of evidence and of sealed statements.

They are part of each statement, bounded by hours, and not views in the catalog
(docs/decisions/0195): so every query is bounded, and a record is counted once in any hours.
What counts is what the reconciling function stated; Athena checks no signature.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nhi_evidence.investigate.athena.columns_sql import select_list
from nhi_evidence.investigate.athena.record_type import record_type, required
from nhi_evidence.investigate.columns import COLUMNS

EVIDENCE, STATEMENTS = "evidence", "statements"
UNDATED = "_of_no_hour"
"""Suffix of the table of what is under `h=unknown`: no projection covers both."""
LINE, OF_SOURCE, HOUR = "line", "of_source", "hour"
STATEMENTS_ENDING = ".statements.ndjson.zst"


class Standing(StrEnum):
    """How a unit's claim is judged, as far as sealed statements say."""

    COUNTED = "counted"
    NOT_COUNTED = "not_counted"
    """The hour is stated without counting it: it is a duplicate, contested, incomplete or void."""
    NOT_STATED = "not_stated"
    """No statement on the hour names what counts: the hour is too recent, or has too many units."""


class Hours(msgspec.Struct, frozen=True):
    """The hours to read: Athena expressions that evaluate to `YYYYMMDDHH`."""

    first: str
    last: str
    """Inclusive."""


LAST_DAY = Hours(
    "date_format(date_add('hour', -24, current_timestamp AT TIME ZONE 'UTC'), '%Y%m%d%H')",
    "date_format(current_timestamp AT TIME ZONE 'UTC', '%Y%m%d%H')",
)


def between(first: str, last: str) -> Hours:
    """Return two hours, `YYYYMMDDHH`, as bounds."""
    return Hours(f"'{first}'", f"'{last}'")


def statement(sql: str, database: str, hours: Hours) -> str:
    """Return a SELECT over the views as a complete Athena statement, preceded by the views."""
    views = ",\n".join(f"{name} AS (\n{text}\n)" for name, text in _views(database, hours))
    own = sql.strip().rstrip(";").rstrip()
    is_with = own[:4].upper() == "WITH" and own[4:5].isspace()
    return f"WITH {views}{',' if is_with else ''}\n{own[4:].lstrip() if is_with else own}"


def _views(database: str, hours: Hours) -> list[tuple[str, str]]:
    return [
        ("evidence_lines", _lines(database, EVIDENCE, hours)),
        ("statement_lines", _lines(database, STATEMENTS, hours)),
        ("stated", _STATED),
        ("standing_statements", _STANDING),
        ("counted", _COUNTED),
        ("units", _UNITS),
        ("records", _RECORDS),
        ("unreadable", _UNREADABLE),
        ("all_events", _ALL_EVENTS),
        ("events", _EVENTS),
        ("identities", _IDENTITIES),
        ("findings", _FINDINGS),
    ]


def _lines(database: str, table: str, hours: Hours) -> str:
    """Select lines with the key of their object: `$path` is `s3://<bucket>/<key>`."""
    columns = f"{OF_SOURCE}, {HOUR}, regexp_extract(\"$path\", '^s3://[^/]+/(.*)$', 1) AS object, "
    ending = f" AND \"$path\" LIKE '%{STATEMENTS_ENDING}'" if table == STATEMENTS else ""
    if table == STATEMENTS:
        columns = columns.removeprefix(f"{OF_SOURCE}, ")
    return (
        f'  SELECT {columns}{LINE} FROM "{database}"."{table}"\n'
        f"  WHERE {HOUR} BETWEEN {hours.first} AND {hours.last}{ending}\n"
        f"  UNION ALL\n"
        f'  SELECT {columns}{LINE} FROM "{database}"."{table}{UNDATED}"'
        + (f"\n  WHERE {ending.removeprefix(' AND ')}" if ending else "")
    )


_STATED = """\
  SELECT s.object, h.source, h.hour, h.origin, h.size, s.account, s.region, s.stream, s.verdict,
    s.reasons, s.totals, s.counts
  FROM (
    SELECT object, json_extract_scalar(line, '$.source') AS source,
      json_extract_scalar(line, '$.hour') AS hour,
      json_extract_scalar(line, '$.log.origin') AS origin,
      CAST(json_extract_scalar(line, '$.log.size') AS BIGINT) AS size
    FROM statement_lines WHERE json_extract_scalar(line, '$.k') = 'recon'
  ) AS h
  JOIN (
    SELECT object, coalesce(json_extract_scalar(line, '$.scope.account'), '') AS account,
      coalesce(json_extract_scalar(line, '$.scope.region'), '') AS region,
      coalesce(json_extract_scalar(line, '$.scope.stream'), '') AS stream,
      json_extract_scalar(line, '$.verdict') AS verdict,
      TRY_CAST(json_extract(line, '$.reasons') AS ARRAY(VARCHAR)) AS reasons,
      TRY_CAST(json_extract(line, '$.totals') AS MAP(VARCHAR, BIGINT)) AS totals,
      CAST(json_extract_scalar(line, '$.counts') AS BIGINT) AS counts
    FROM statement_lines WHERE json_extract_scalar(line, '$.k') = 'statement'
  ) AS s ON s.object = h.object"""

_STANDING = """\
  SELECT * FROM (
    SELECT *, row_number() OVER (
      PARTITION BY source, hour, account, region, stream
      ORDER BY origin DESC, size DESC, object DESC) AS place
    FROM stated
  ) AS ordered
  WHERE place = 1"""

_COUNTED = """\
  SELECT DISTINCT json_extract_scalar(line, '$.key') AS object,
    json_extract_scalar(line, '$.u') AS unit_id
  FROM statement_lines
  WHERE json_extract_scalar(line, '$.k') = 'counts'
    AND object IN (SELECT object FROM standing_statements WHERE counts > 0)"""

_STANDS = f"""\
CASE WHEN c.object IS NOT NULL THEN '{Standing.COUNTED}'
      WHEN h.hour IS NOT NULL THEN '{Standing.NOT_COUNTED}'
      ELSE '{Standing.NOT_STATED}' END AS standing"""

_WITH_STANDING = """\
LEFT JOIN counted AS c ON c.object = l.object AND c.unit_id = l.unit_id
  LEFT JOIN (
    SELECT DISTINCT source, hour FROM standing_statements WHERE counts > 0
  ) AS h ON h.source = l.of_source AND h.hour = l.hour"""

_UNITS = f"""\
  SELECT l.of_source AS source, l.hour, l.unit, l.unit_id, l.part, l.records, l.is_rejection,
    l.object, CAST(NULL AS VARCHAR) AS shard, CAST(NULL AS BIGINT) AS leaf,
    {_STANDS}
  FROM (
    SELECT of_source, hour, object, json_extract_scalar(line, '$.u') AS unit_id,
      json_extract_scalar(line, '$.unit') AS unit,
      CAST(json_extract_scalar(line, '$.part') AS BIGINT) AS part,
      CAST(json_extract_scalar(line, '$.records') AS BIGINT) AS records,
      json_extract_scalar(line, '$.kind') = 'rejection' AS is_rejection
    FROM evidence_lines WHERE json_extract_scalar(line, '$.k') = 'unit'
  ) AS l
  {_WITH_STANDING}"""

_RECORDS = f"""\
  SELECT of_source, hour, object, json_extract_scalar(line, '$.u') AS unit_id,
    coalesce(TRY_CAST(json_extract_scalar(line, '$.i') AS BIGINT), 0) AS line,
    coalesce(json_extract_scalar(line, '$.s'), of_source) AS pack,
    TRY_CAST(json_extract(line, '$.n') AS {record_type()}) AS n
  FROM evidence_lines WHERE json_extract(line, '$.n') IS NOT NULL"""

_UNREADABLE = f"""\
  SELECT of_source AS source, hour, object, unit_id, line FROM records
  WHERE n IS NULL OR NOT ({required("n")})"""

_ALL_EVENTS = f"""\
  SELECT *, standing = '{Standing.COUNTED}' AND row_number() OVER (
      PARTITION BY standing, provider, account, uid, raw_sha256
      ORDER BY object, unit_id, line) > 1 AS is_repeated
  FROM (
    SELECT {select_list()},
    l.object, CAST(NULL AS VARCHAR) AS unit, l.unit_id, l.line, CAST(NULL AS VARCHAR) AS shard,
    CAST(NULL AS BIGINT) AS leaf, l.hour,
    {_STANDS}
  FROM records AS l
  {_WITH_STANDING}
  WHERE {required("n")}
  ) AS read"""

_EVENTS = f"""\
  SELECT {", ".join(column.name for column in COLUMNS)},
    object, unit, unit_id, line, shard, leaf, hour
  FROM all_events WHERE standing = '{Standing.COUNTED}' AND NOT is_repeated"""

_IDENTITIES = """\
  SELECT identity, arbitrary(identity_type) AS identity_type, arbitrary(identity_name) AS name,
    arbitrary(provider) AS provider, min(time) AS first_seen, max(time) AS last_seen,
    count(*) AS records, count_if(outcome IN ('denied', 'unauthenticated')) AS refused,
    count(DISTINCT credential) AS credentials, count(DISTINCT ip) AS addresses,
    array_sort(array_agg(DISTINCT phase)) AS phases
  FROM events WHERE identity IS NOT NULL GROUP BY identity"""

_FINDINGS = """\
  SELECT 'completeness' AS made_by, source, hour, account, region, stream, verdict, code,
    CAST(NULL AS VARCHAR) AS name, CAST(NULL AS VARCHAR) AS detail,
    element_at(totals, code) AS things, object
  FROM standing_statements CROSS JOIN UNNEST(reasons) AS each_reason(code)
  UNION ALL
  SELECT 'completeness', h.source, h.hour, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR),
    CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), json_extract_scalar(l.line, '$.reason'),
    json_extract_scalar(l.line, '$.name'), json_extract_scalar(l.line, '$.detail'),
    CAST(NULL AS BIGINT), l.object
  FROM statement_lines AS l
  JOIN (SELECT DISTINCT object, source, hour FROM standing_statements) AS h ON h.object = l.object
  WHERE json_extract_scalar(l.line, '$.k') = 'named'"""

NAMES = frozenset(name for name, _ in _views("", Hours("", "")))
"""The names of all views in a statement."""
