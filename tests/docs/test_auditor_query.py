"""The query in docs/auditor.md returns each record once, however often its unit is stored."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli import sealed_copy
from tests.proofs import sealed

ROOT = Path(__file__).parents[2]


def test_the_query_shows_each_record_once(tmp_path: Path) -> None:
    """A file redelivered beside another makes a second object with the same records."""
    page = (ROOT / "docs" / "auditor.md").read_text(encoding="utf-8")
    (sql,) = (
        text for text in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) if "read_json" in text
    )
    evidence = tmp_path / "copy"
    sealed_copy.write(evidence)
    file = sealed.deliveries(sealed.trail_file())[0]
    other = Delivery(sealed.FILE_UNIT.replace("@v1", "@v2"), sealed.trail_file())
    assert not lock_batch(sealed.mapper(), [file, other], DirectoryStore(evidence)).failed
    everywhere = f"'{evidence}/ev/v1/*/h=*/**/*.ndjson.zst'"
    every = (
        f"FROM read_json({everywhere}, format = 'newline_delimited', "
        "columns = {n: 'JSON', r: 'VARCHAR'})"
    )
    credentials = duckdb.execute(
        f"SELECT n->>'$.nhi.credential_uid', count(*), count(DISTINCT r) {every} "
        "WHERE r IS NOT NULL AND n IS NOT NULL GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    credential, copies, records = next(each for each in credentials if each[0])
    assert copies > records > 0
    query = sql.replace("'copy/ev", f"'{evidence}/ev").replace("ASIAIOSFODNN7EXAMPLE", credential)
    answer = duckdb.execute(query.rstrip().rstrip(";")).fetchall()
    assert records == len(answer)
    assert [row[0] for row in answer] == sorted(row[0] for row in answer)
