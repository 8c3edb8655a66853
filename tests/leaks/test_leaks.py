"""Each known leak is cut or refused in evidence, in function logs, and in errors.

A source that declares cuts has files of leaks beside its golden cases, which are discovered. Every
declared rule cuts something in them, so that none is declared in vain.
"""

from __future__ import annotations

import gzip
import logging
import traceback
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.event import Delivery, RawRecord
from nhi_evidence.evidence import lines, objects
from nhi_evidence.evidence.lines import ParsedLine, UnitLine
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.reading import cutting
from tests.cases.reader import FOLDER
from tests.memory_store import MemoryStore
from tests.tamper.sealed_store import SealedStore

MARK = b"LEAKED-VALUE"
PIECES = (b"LEAKED", b"EAKED-VAL", b"KED-VALUE")
"""Including what remains of it if a text ends inside it."""

DECLARING = [name for name in sources.names() if sources.cutter(name) is not None]


def files(source: str) -> dict[str, bytes]:
    """Return the files of leaks of a source."""
    return {path.name: path.read_bytes() for path in sorted((FOLDER / source / "leaks").iterdir())}


def deliveries(source: str) -> Iterator[tuple[str, bytes]]:
    """Yield each file whole, compressed, torn, joined, in UTF-16 and embedded in something else."""
    for name, body in files(source).items():
        yield name, body
        yield f"{name}, packed", gzip.compress(body)
        yield f"{name}, packed and torn", gzip.compress(body, 0)[:-9]
        yield f"{name}, torn", body[: body.rindex(MARK) + 6]
        yield f"{name}, joined", body.replace(b"\n", b"")
        yield f"{name}, no JSON", b"<html>" + body.replace(b"{", b"")
        yield f"{name}, after a mark", b"\xef\xbb\xbf" + body
        yield f"{name}, in UTF-16", body.decode().encode("utf-16")
        yield f"{name}, not UTF-8", body.replace(MARK, MARK + b"\xff")
        yield f"{name}, too deep", body.replace(b'"' + MARK, b"[" * 5000 + b'"' + MARK)


def locked(source: str, body: bytes, *, keep: bool = True) -> tuple[MemoryStore, Outcome]:
    mapper = Mapper(source, keep_out_of_scope_raw=keep)
    store = MemoryStore()
    return store, lock_batch(mapper, [Delivery("b/k@1!h=2026030208", body)], store)


def written(store: MemoryStore) -> Iterator[tuple[str, UnitLine, list[bytes]]]:
    """Yield key, unit line and lines for everything in a store."""
    for key, body in store.objects.items():
        table, own = objects.read_object(body)
        for unit, its_lines in objects.lines_of(table, own):
            yield key, unit, list(its_lines)


def parsed(store: MemoryStore) -> list[ParsedLine]:
    return [lines.decode_line(line) for _, _, own in written(store) for line in own]


def leaks(text: bytes) -> list[bytes]:
    """Return which pieces of the mark a text contains, in UTF-16, base64 and hex as well."""
    forms = [piece for piece in PIECES if piece in text]
    forms += [piece for piece in PIECES if piece.decode().encode("utf-16-le") in text]
    forms += [piece for piece in PIECES if piece.hex().encode() in text]
    return forms


@pytest.mark.parametrize("keep", [True, False], ids=["all raw", "in scope"])
@pytest.mark.parametrize("source", DECLARING)
def test_no_leak_is_locked(source: str, keep: bool) -> None:
    """However a file is delivered, no line or key contains any of the mark."""
    for name, body in deliveries(source):
        store, outcome = locked(source, body, keep=keep)
        assert (1, {}, {}) == (len(outcome.locked), outcome.failed, outcome.unmapped), name
        for key, unit, own in written(store):
            text = b"\n".join([key.encode(), lines.encode(unit), *own])
            assert [] == leaks(text), name
            for line in own:
                parsed = lines.decode_line(line)
                assert [] == leaks(parsed.raw or b""), name


@pytest.mark.parametrize("source", DECLARING)
def test_every_declared_rule_cuts_something(source: str) -> None:
    """Each field and each refused category has its leak."""
    table = msgspec.json.decode(sources.table(source, sources.CUTS), type=cutting.CutTable)
    cut: set[str] = set()
    reasons: set[str] = set()
    for body in files(source).values():
        store, _ = locked(source, body)
        cut |= {each.rule for line in parsed(store) for each in line.c}
        reasons |= {line.o for line in parsed(store) if line.o}
    assert {field.rule for field in table.fields} <= cut
    assert {f"refused_{category.name}" for category in table.refused} <= reasons


@pytest.mark.parametrize("source", DECLARING)
def test_the_owner_of_the_original_can_prove_each_cut(source: str) -> None:
    """Put back, the pieces give the record whose hash is in the line; each hash is its piece's."""
    proved = 0
    for body in files(source).values():
        store, _ = locked(source, body)
        mapper = Mapper(source, keep_out_of_scope_raw=True)
        decoded = mapper.source.decode(body, mapper.settings.limits)
        for _, unit, own in written(store):
            for line in map(lines.decode_line, own):
                if line.form == "ids":
                    continue
                raw = decoded.record(line.i or 0).raw  # type: ignore[union-attr] # it decodes
                rebuilt, at, gone, kept = b"", 0, 0, line.raw or b""
                for cut in line.c:
                    rebuilt += kept[at : cut.offset]
                    start = cut.offset + gone
                    value = raw[start : start + cut.length]
                    stated = lines.cut_hash(unit.raw_sha256 or "", line.i or 0, cut.rule, value)
                    assert cut.hash == stated
                    rebuilt, at, gone = rebuilt + value, cut.offset, gone + cut.length
                    proved += 1
                assert raw == rebuilt + kept[at:]
    assert proved


@pytest.mark.parametrize("where", ["map", "cut", "units"])
@pytest.mark.parametrize("source", DECLARING)
def test_a_failure_is_reported_without_the_record_s_text(
    source: str, where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that quotes a record is reported by kind only, and the record locked with cuts."""
    mapper = Mapper(source, keep_out_of_scope_raw=True)
    (body, *_) = files(source).values()

    def fails(*arguments: object, **_: object) -> None:
        raise ValueError(f"cannot map {arguments!r} of {MARK!r} in {body!r}")

    if where == "map":
        monkeypatch.setattr(mapper.packs[source].pack, "normalize", fails)
    elif where == "cut":
        monkeypatch.setattr(cutting.Cutter, "cut", fails)
        monkeypatch.setattr(cutting.Cutter, "cut_all", fails)
    else:
        monkeypatch.setattr(mapper, "_records", fails)
    store = MemoryStore()
    outcome = lock_batch(mapper, [Delivery("b/k@1!h=2026030208", body)], store)
    (error,) = outcome.unmapped.values()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("function").error("unmapped", exc_info=error)
    reported = "".join(traceback.format_exception(error)) + caplog.text
    assert "ValueError" in reported
    assert [] == leaks(reported.encode())
    for _, unit, own in written(store):
        assert "cut" == unit.rebuild
        reasons = {line.x.reason for line in map(lines.decode_line, own) if line.x}
        assert "mapper_failed" in reasons
        assert [] == leaks(lines.encode(unit) + b"\n".join(own))


@pytest.mark.parametrize("source", DECLARING)
def test_cut_evidence_is_verified_and_mapped_again(source: str) -> None:
    """Sealed, it passes every check, and what was kept maps to the same lines."""
    world = SealedStore()
    before = world.verify().reproduced
    mapper = Mapper(source, keep_out_of_scope_raw=True)
    written_at = {"writer": "test"}
    for number, (_, body) in enumerate(deliveries(source)):
        delivery = Delivery(f"b/k{number}@1!h=2026030208", body)
        lock_batch(mapper, [delivery], world.store, metadata=written_at).ensure_locked()
    world.seal()
    report = world.verify()
    assert [] == [(one.code, one.detail, one.unit) for one in report.findings]
    assert report.reproduced > before


def test_a_cut_that_no_source_declares_is_not_reproduced() -> None:
    """Hiding a part of a record as a cut of CloudTrail does not reproduce a line."""
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    raw = b'{"eventTime":"2026-03-02T08:15:30Z","eventName":"x","eventSource":"iam.amazonaws.com"}'
    unit = lines.unit_id("u")
    line, _ = mapper.records.line(unit, RawRecord(0, 0, raw), "ab" * 32)
    parsed = lines.decode_line(line or b"")
    was = (sha256(raw).hexdigest(), len(raw))
    assert line == mapper.records.again(unit, parsed, was)
    parsed.c = (lines.Cut("KA-C1", 0, 4, "ab"),)
    assert mapper.records.again(unit, parsed, was) is None


def test_every_file_of_leaks_contains_a_leak() -> None:
    """A source without declared cuts has no such files."""
    for source in sources.names():
        if source in DECLARING:
            assert files(source), source
            assert all(MARK in body for body in files(source).values()), source
        else:
            assert not Path(FOLDER / source / "leaks").exists(), source
