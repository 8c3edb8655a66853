"""Print the table: `make bench`, or `make bench ARGS="--records 2000 --rounds 3 --json"`."""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.demo.story import azure_batches, bulk, gcp_files
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.mapping import Normalized
from tests.bench import around, batch, growth, measure, native, others, ours, sealed, targets

AZURE = "azure_monitor"
NATIVE = "native-only line"
LIBRARIES = ("msgspec", "orjson", "backports-zstd", "isal", "duckdb", "py-ocsf-models")
VARIANTS: dict[str, measure.Variant] = {
    "floor: gunzip, orjson, zstd": others.floor,
    "ours: exact raw slices": ours.slices,
    "ours: + events": ours.events,
    "ours: + classified OCSF records": ours.mapped,
    "ours: + encoded lines": ours.encoded,
    "ours: + record tree": ours.hashed,
    "ours: whole line": ours.full_line,
    "dictionaries and orjson, raw text": others.dictionaries,
    "pydantic, raw text": others.pydantic_with_raw,
    "pydantic, no raw text": others.pydantic_without_raw,
    "standard library, no raw text": others.standard_library,
    "duckdb, no raw text": others.duckdb_sql,
}
GCP_VARIANTS: dict[str, measure.Variant] = {
    "floor: orjson, zstd": others.floor_of_lines,
    "gcp_export: whole line": ours.gcp_full_line,
}
AZURE_VARIANTS: dict[str, measure.Variant] = {
    "floor: orjson, zstd": others.floor_of_run,
    "azure_export: whole line": ours.azure_whole,
}


def inputs(records: int) -> dict[str, bytes]:
    """Return the documents to measure on, as gzip files: generated, and real ones, each once."""
    documents = {"generated": bulk(seed=3, records=records)}
    real = Path(__file__).parents[3] / "shared/corpus/cloudtrail/original/invictus-aws_dataset"
    if real.is_dir():
        files = [json.loads(path.read_bytes())["Records"] for path in sorted(real.glob("*.json"))]
        every = [record for file in files for record in file]
        compact = json.dumps({"Records": every}, separators=(",", ":"), ensure_ascii=False)
        documents["real records"] = compact.encode()
    return {name: gzip.compress(document, 6) for name, document in documents.items()}


def gcp_lines(records: int) -> bytes:
    """Return a file of Google Cloud's audit log entries, of several generated projects."""
    lines: list[bytes] = []
    seed = 0
    while len(lines) < records:
        every = [line for file in gcp_files(seed=seed) for line in file.body.splitlines()]
        # What is rejected is no record: it would be counted as one that was quickly done.
        lines += [line for line in every if isinstance(ours.GCP.map(line), Normalized)]
        seed += 1
    return b"\n".join(lines[:records])


def azure_run(records: int) -> bytes:
    """Return a framed run of messages, with the generated records of categories that are read."""
    routes = sources.routes(AZURE) or {}
    kept: list[dict[str, Any]] = []
    seed = 0
    while len(kept) < records:
        events = (event for batch in azure_batches(seed=seed) for event in batch)
        flattened = (one for event in events for one in json.loads(event.body)["records"])
        kept += [one for one in flattened if one.get("category", "").lower() in routes]
        seed += 1
    messages = [
        event_hub.Message(
            json.dumps(
                {"records": kept[at : min(at + 6, records)]}, separators=(",", ":")
            ).encode(),
            number,
        )
        for number, at in enumerate(range(0, records, 6))
    ]
    return event_hub.frame(event_hub.Run("n/h#1/0", tuple(messages)))


def main() -> None:
    """Measure and print; nothing is printed of a variant that loses or alters a record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "size": f"{options.records} records, {options.rounds} rounds",
        "libraries": {name: version(name) for name in LIBRARIES},
        "inputs": {},
    }
    for name, gz in inputs(options.records).items():
        data = gzip.decompress(gz)
        records = ours.check(gz, data)
        variants = {**VARIANTS, NATIVE: native.only(ours.MAPPER, Delivery("b/k@1", gz))}
        rows = measure.table(variants, gz, records=records, rounds=options.rounds)
        result["inputs"][name] = {
            "records": records,
            "bytes_per_record": len(data) / records,
            "gzip_ratio": len(data) / len(gz),
            "rows": [one._asdict() for one in rows],
        }
    body = gcp_lines(options.records)
    records = ours.check(body, body, ours.GCP)
    variants = {**GCP_VARIANTS, NATIVE: native.only(ours.GCP, Delivery("b/o@1", body))}
    rows = measure.table(variants, body, records=records, rounds=options.rounds)
    result["inputs"]["google cloud, generated"] = {
        "records": records,
        "bytes_per_record": len(body) / records,
        "gzip_ratio": len(body) / len(gzip.compress(body, 6)),
        "rows": [one._asdict() for one in rows],
    }
    body = azure_run(options.records)
    records = ours.check(body, body, ours.AZURE)
    variants = {**AZURE_VARIANTS, NATIVE: native.only(ours.AZURE, Delivery("n/h#1/0/1-2", body))}
    rows = measure.table(variants, body, records=records, rounds=options.rounds)
    result["inputs"]["azure, generated"] = {
        "records": records,
        "bytes_per_record": len(body) / records,
        "gzip_ratio": len(body) / len(gzip.compress(body, 6)),
        "rows": [one._asdict() for one in rows],
    }
    result["batch"] = batch.measured()
    result["growth"] = growth.measured()
    result["sealed"] = sealed.measured(options.rounds)
    inflated, peak = around.memory(options.records * 7)
    imported = around.imports(min(options.rounds, 5))
    result["memory_mb"] = {"inflated": inflated, "peak": peak}
    result["import"] = imported | {"ratio": imported["aws_export"] / imported["boto3.client"]}
    result["bundle_mb"] = around.bundle()
    sys.stdout.write(json.dumps(result) + "\n" if options.json else text(result))


def _against_native(rows: list[dict[str, Any]]) -> str:
    """Say what the whole line costs as a multiple of its native calls."""
    (native_only,) = (row["cost"] for row in rows if row["name"] == NATIVE)
    (full_line,) = (row["cost"] for row in rows if row["name"].endswith("whole line"))
    return f"  whole line / native-only line     {full_line / native_only:.2f}"


def text(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    libraries = ", ".join(f"{name} {number}" for name, number in result["libraries"].items())
    lines = [f"{result['machine']}; Python {result['python']}; {libraries}"]
    lines += [f"{result['size']}; load {result['sealed']['load']:.1f}", ""]
    for name, size in result["inputs"].items():
        lines.append(
            f"{name}: {size['records']} records of {size['bytes_per_record']:.0f} bytes, "
            f"gzip {size['gzip_ratio']:.1f}x"
        )
        lines.append(f"  {'':34}{'median us':>10}{'best us':>9}{'records/s':>11}{'cost/floor':>12}")
        lines += [
            f"  {row['name']:34}{row['median_us']:10.2f}{row['best_us']:9.2f}"
            f"{row['per_second']:11.0f}{row['cost']:12.2f}"
            for row in size["rows"]
        ]
        lines += [_against_native(size["rows"]), ""]
    lines += batch.text(result["batch"])
    lines += growth.text(result["growth"])
    lines += sealed.text(result["sealed"])
    lines += targets.text(result)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
