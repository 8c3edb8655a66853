"""Athena for one evidence bucket: its tables, workgroup and named queries, as values.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html
https://docs.aws.amazon.com/athena/latest/ug/compression-support-hive.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import athena_roles
from nhi_evidence.config.tables import Athena
from nhi_evidence.investigate.athena import views
from nhi_evidence.investigate.library import questions

GB = 1 << 30
ENGINE = "Athena engine version 3"
"""The first version that reads zstd-compressed text."""

INPUT_FORMAT = "org.apache.hadoop.mapred.TextInputFormat"
OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
SERDE_PARAMETERS = {
    # The separator is U+0001, which JSON text never contains; if one occurs, it stays in the line.
    "serialization.format": "1",
    "serialization.last.column.takes.rest": "true",
}
HOUR_FORMAT = "yyyyMMddHH"
_KEYS = {views.EVIDENCE: (views.OF_SOURCE, views.HOUR), views.STATEMENTS: (views.HOUR,)}


class TablePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One text table with projected partitions: no crawler, and nothing to keep up to date."""

    name: str
    location: str
    keys: tuple[str, ...]
    """Partition keys, all texts."""
    parameters: dict[str, str]


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A saved question, as a complete statement."""

    name: str
    description: str
    sql: str


class WorkgroupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The workgroup of one auditor, whose results no other auditor reads or replaces."""

    auditor: str
    name: str
    output: str
    """Where Athena writes the results."""


class AthenaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is deployed for one evidence bucket."""

    workgroups: tuple[WorkgroupPlan, ...]
    database: str
    bytes_limit: int
    tables: tuple[TablePlan, ...]
    queries: tuple[NamedQuery, ...]


def athena(config: Config, store: EvidenceBucket, table: Athena) -> AthenaPlan:
    """Return what is deployed for an evidence bucket."""
    database = naming.database(store.id)
    sources = tuple(dict.fromkeys(one.source for one in config.sources_in(store.name)))
    return AthenaPlan(
        workgroups=tuple(
            WorkgroupPlan(
                auditor=auditor.name,
                name=naming.workgroup(store.id, auditor.name),
                output=f"s3://{table.results}/{athena_roles.answers_prefix(auditor.name)}",
            )
            for auditor in config.auditors
        ),
        database=database,
        bytes_limit=table.gigabytes_a_query * GB,
        tables=tuple(_tables(store, table, sources)),
        queries=tuple(_queries(database)),
    )


def _tables(
    store: EvidenceBucket, table: Athena, sources: tuple[str, ...]
) -> tuple[TablePlan, ...]:
    first = f"{table.since.replace('-', '')}00"
    # A day ahead: a source's clock may be ahead of Athena's.
    hours = {"type": "date", "format": HOUR_FORMAT, "range": f"{first},NOW+1DAYS",
             "interval": "1", "interval.unit": "HOURS"}  # fmt: skip
    no_hour = {"type": "enum", "values": "unknown"}
    return tuple(
        _table(store, name, ending, own, sources)
        for name in (views.EVIDENCE, views.STATEMENTS)
        for ending, own in (("", hours), (views.UNDATED, no_hour))
    )


def _table(
    store: EvidenceBucket, name: str, ending: str, hour: dict[str, str], sources: tuple[str, ...]
) -> TablePlan:
    keys = _KEYS[name]
    folder = "ev/v1/" if name == views.EVIDENCE else "op/v1/recon/"
    location = f"s3://{store.bucket}/{folder}"
    projected = {views.HOUR: hour}
    template = f"{location}h=${{{views.HOUR}}}/"
    if views.OF_SOURCE in keys:
        projected[views.OF_SOURCE] = {"type": "enum", "values": ",".join(sources)}
        template = f"{location}${{{views.OF_SOURCE}}}/h=${{{views.HOUR}}}/"
    return TablePlan(
        name=f"{name}{ending}",
        location=location,
        keys=keys,
        parameters={
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            **{
                f"projection.{key}.{field}": value
                for key in keys
                for field, value in projected[key].items()
            },
            "storage.location.template": template,
        },
    )


def _queries(database: str) -> tuple[NamedQuery, ...]:
    queries = [(one.name, f"{one.title} {one.note}", one.sql) for one in questions()]
    queries += _OF_THE_EVIDENCE
    return tuple(
        NamedQuery(
            name=name,
            description=f"{text} Of the last 24 hours; change those of evidence_lines and "
            "statement_lines to ask of others.",
            sql=views.statement(sql, database, views.LAST_DAY),
        )
        for name, text, sql in queries
    )


_OF_THE_EVIDENCE = [
    (
        "findings",
        "What the standing statements on completeness say.",
        "SELECT * FROM findings ORDER BY hour, source, code",
    ),
    (
        "units",
        "How many units and records count, are left out, or are not stated yet.",
        """SELECT source, hour, standing, count(*) AS units, sum(records) AS records
FROM units GROUP BY source, hour, standing ORDER BY hour, source""",
    ),
    (
        "unreadable",
        "Lines with a record that cannot be read: no other question shows them.",
        "SELECT * FROM unreadable LIMIT 1000",
    ),
]
"""Questions about the evidence itself: name, what the answer says, and the SELECT."""
