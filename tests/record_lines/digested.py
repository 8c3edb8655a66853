"""Digests of the lines that records become, by source and by what they were read from.

Inputs are golden cases, each with variants in which one member has another shape; records that are
none; files of leaks; generated files; and the corpus, where it lies beside the checkout.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from nhi_evidence import sources
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import FOLDER, cases, read
from tests.corpus.measure import EXPECTED
from tests.faults.test_bad_records_of_any_source import BAD, delivered
from tests.unit.test_corpus import deliverable

STORED = Path(__file__).with_name("digests.json")

_UNIT = "b/k@1!h=2026030208"
_DIGITS = 16
_DEEPEST = 4
_SHAPES: tuple[Any, ...] = (None, "", "x", 7, True, [], {}, [{}], {"name": "x"})
"""What a member may be instead; each member of a record takes one of them, in turn."""


def mappers(source: str) -> tuple[Mapper, ...]:
    """Return the mappers of a source whose lines are digested: both scopes."""
    return tuple(Mapper(source, scope=scope, keep_out_of_scope_raw=True) for scope in Scope)


def digest(of: tuple[Mapper, ...], body: bytes) -> str:
    """Return what stands for everything that is written of a delivery, table lines included."""
    state = sha256()
    for mapper in of:
        for part in mapper.units(Delivery(_UNIT, body)):
            state.update(b"\n".join((part.encoded, *part.lines, b"")))
    return state.hexdigest()[:_DIGITS]


def own(source: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and body of each delivery made of what the project carries itself."""
    for name, path in cases(source).items():
        record = read(path).record
        variants = [record, *(each for each in _variants(record))]
        yield f"case {name}", delivered(source, (_written(each) for each in variants))
    good = [_written(read(path).record) for path in list(cases(source).values())[:1]]
    for number, bad in enumerate(BAD):
        yield f"bad record {number}", delivered(source, [*good, bad, *good])
    for path in sorted((FOLDER / source).glob("leaks/*")):
        yield f"leaks {path.name}", path.read_bytes()
    if source == "aws_cloudtrail":
        yield "generated", bulk(seed=7, records=300)


def of_corpus(source: str, corpus: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and body of each delivery made of a source's folder of the corpus."""
    if source in EXPECTED:
        for number, (name, body) in enumerate(
            deliverable(source, corpus / EXPECTED[source].folder)
        ):
            yield f"corpus {number} {name}", body


def digests(source: str, corpus: Path | None) -> dict[str, str]:
    """Return the digest of each input of a source by name."""
    of = mappers(source)
    inputs = list(own(source)) + (list(of_corpus(source, corpus)) if corpus else [])
    return {name: digest(of, body) for name, body in inputs}


def stored() -> dict[str, dict[str, str]]:
    """Return the digests that are stored, by source and input."""
    by_source: dict[str, dict[str, str]] = json.loads(STORED.read_bytes())
    return by_source


def all_sources() -> tuple[str, ...]:
    """Return the sources that map records themselves; a router's lines are its packs'."""
    return tuple(name for name in sources.names() if sources.routes(name) is None)


def _written(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def _variants(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the record once for each member, that member missing or of another shape."""
    for number, place in enumerate(_places(record)):
        changed = copy.deepcopy(record)
        parent: Any = changed
        for step in place[:-1]:
            parent = parent[step]
        shape = number % (len(_SHAPES) + 1)
        if shape < len(_SHAPES):
            parent[place[-1]] = copy.deepcopy(_SHAPES[shape])
        else:
            del parent[place[-1]]
        yield changed


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if len(above) == _DEEPEST:
        return
    members = value.items() if isinstance(value, dict) else ()
    for name, member in members or (enumerate(value) if isinstance(value, list) else ()):
        yield (*above, name)
        yield from _places(member, (*above, name))
