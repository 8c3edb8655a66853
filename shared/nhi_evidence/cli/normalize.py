"""`nhi-evidence normalize`: read log files, print one OCSF record per accepted record."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from nhi_evidence.cli import output_file, raw_input
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.terminal import safe_text

EXAMPLES = """\b
Examples:
  nhi-evidence normalize --source aws_cloudtrail trail.json.gz | jq .nhi_phase
  nhi-evidence normalize --source aws_cloudtrail --scope all --rejects bad.ndjson *.json

\b
Exit codes: 0 every record accepted or rejected, and said so;
4 an input cannot be read or a source is unknown; 64 wrong usage.
"""


class _Reject(msgspec.Struct):
    index: int
    reason: str
    raw_sha256: str
    detail: str
    input: str


class Summary(msgspec.Struct):
    """What became of the input; `accepted + rejected == input`, always."""

    input: int = 0
    accepted: int = 0
    rejected: int = 0
    printed: int = 0
    out_of_scope: dict[str, int] = {}
    reasons: dict[str, int] = {}


def command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT",
            help="Log files: .json or .json.gz as the provider delivers them, or .ndjson with "
            "one raw record per line.",
        ),
    ],
    *,
    source: Annotated[str, typer.Option(help="Source of the records; an unknown name lists them.")],
    scope: Annotated[
        Scope, typer.Option(help="nhi prints what concerns non-human identities; all, everything.")
    ] = Scope.NHI,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Write rejected records here, one JSON object per line."),
    ] = None,
    overwrite: output_file.Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the closing summary as one JSON object.")
    ] = False,
) -> None:
    """Normalize raw log files into OCSF records, one per line, in input order.

    Records go to standard output, the summary to standard error. Every input record is accepted
    or rejected; a file that holds no readable records counts as one rejected record.
    """
    mapper = Mapper(source, scope=scope, keep_out_of_scope_raw=False)  # nothing is written
    summary = Summary()
    with (
        output_file.create(rejects, inputs=inputs, overwrite=overwrite)
        if rejects
        else nullcontext() as sink
    ):
        for path in inputs:
            _normalize_file(mapper, path, summary, sink)
    sys.stdout.buffer.flush()
    _say(summary, as_json=as_json)


def _normalize_file(mapper: Mapper, path: Path, summary: Summary, sink: BinaryIO | None) -> None:
    encode = msgspec.json.Encoder().encode
    reasons: Counter[str] = Counter(summary.reasons)
    out_of_scope_ids: Counter[str] = Counter(summary.out_of_scope)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    for raw, problem in raw_input.records(mapper, path.name, body):
        index = summary.input
        summary.input += 1
        mapped = problem or mapper.map(raw)
        if isinstance(mapped, Rejection):
            summary.rejected += 1
            reasons[mapped.reason] += 1
            if sink is not None:
                reject = _Reject(
                    index, mapped.reason, sha256(raw).hexdigest(), mapped.detail, str(path)
                )
                sink.write(encode(reject) + b"\n")
            continue
        summary.accepted += 1
        if isinstance(mapped, Normalized):
            summary.printed += 1
            line = safe_text.neutralize_json(encode(mapped.record))
            sys.stdout.buffer.write(line + b"\n")
        else:
            out_of_scope_ids[mapped.reason] += 1
    summary.reasons, summary.out_of_scope = dict(reasons), dict(out_of_scope_ids)


def _say(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        sys.stderr.write(msgspec.json.encode(summary).decode() + "\n")
        return
    lines = [
        f"input {summary.input} = accepted {summary.accepted} + rejected {summary.rejected}",
        f"accepted {summary.accepted} = printed {summary.printed}"
        + "".join(f" + out of scope ({why}) {n}" for why, n in summary.out_of_scope.items()),
    ]
    lines += [f"rejected: {why} {n}" for why, n in sorted(summary.reasons.items())]
    sys.stderr.write("\n".join(lines) + "\n")
