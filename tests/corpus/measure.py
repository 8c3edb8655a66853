"""What a pack makes of its folder of the corpus: every record accounted for, and judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from nhi_evidence import sources
from nhi_evidence.cli import raw_input
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import expectations
from tests.corpus.named_targets import is_named, names_target
from tests.ocsf_schema import problems
from tests.support import unsupported

EXPECTED = {
    source: expected
    for source in sources.names()
    if (expected := expectations(source).corpus) is not None
}
"""What is expected of each source that has a folder."""


class Measured(msgspec.Struct):
    """The records of one source."""

    source: str
    records: int = 0
    kept: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    """By reason."""
    changed: list[str] = msgspec.field(default_factory=list)
    """Kept with a text or a hash that is not the raw record's."""
    invalid: list[str] = msgspec.field(default_factory=list)
    """Not valid OCSF."""
    invented: list[str] = msgspec.field(default_factory=list)
    """Values without support in the raw record."""
    naming: int = 0
    """Raw records that name what was acted on, by a judge that knows no pack."""
    unnamed: list[str] = msgspec.field(default_factory=list)
    """Those of them whose normalized form does not."""
    repeated: list[str] = msgspec.field(default_factory=list)
    """Records among whose resources an id stands twice."""
    known_by: Counter[str] = msgspec.field(default_factory=Counter)
    """How the base phases of kept records are known: `row`, `lexicon`, `verb`, ..."""

    @property
    def named_share(self) -> float:
        """Share of the records that name a target, and in their normalized form still do."""
        return 1 - len(self.unnamed) / self.naming if self.naming else 1.0


def raw_records(mapper: Mapper, folder: Path) -> Iterator[tuple[str, bytes, Rejection | None]]:
    """Yield every raw record: provider files as they are, and the event of each wrapped line."""
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            wrapped = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            yield path.name, bytes(wrapped["event"]), None
    for path in sorted((folder / "original").rglob("*.json*")):
        for raw, problem in raw_input.records(mapper, path.name, path.read_bytes()):
            yield path.name, raw, problem


def measure(source: str, corpus: Path) -> Measured:
    """Map every record of a source with the scope `all`, and judge the result."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    measured = Measured(source)
    for name, raw, problem in raw_records(mapper, corpus / EXPECTED[source].folder):
        measured.records += 1
        mapped = problem or mapper.map(raw)
        if isinstance(mapped, Rejection):
            measured.rejected[mapped.reason] += 1
            continue
        assert isinstance(mapped, Normalized)
        measured.kept += 1
        _judge(measured, name, raw, mapped)
    return measured


def _judge(measured: Measured, name: str, raw: bytes, mapped: Normalized) -> None:
    record: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
    original = json.loads(raw)
    digest = record["raw_data_hash"]["value"]
    if mapped.text.encode() != raw or digest != sha256(raw).hexdigest():
        measured.changed.append(name)
    measured.invalid += [f"{name}: {problem}" for problem in problems(record)]
    failure = expectations(measured.source).failure
    measured.invented += [f"{name}: {value}" for value in unsupported(record, original, failure)]
    resources = record.get("resources") or (record.get("unmapped") or {}).get("resources") or []
    uids = [resource["uid"] for resource in resources if "uid" in resource]
    if len(uids) != len(set(uids)):
        measured.repeated.append(f"{name}: {uids}")
    measured.known_by[_known_by(record["nhi_phase_rules"][0])] += 1
    if names_target(original):
        measured.naming += 1
        if not is_named(record):
            api = record["api"]
            measured.unnamed.append(f"{name}: {api['service']['name']} {api['operation']}")


def _known_by(rule: str) -> str:
    fallback, _, rest = rule.partition(":")
    return rest.partition(":")[0] if fallback == "fallback" else "row"
