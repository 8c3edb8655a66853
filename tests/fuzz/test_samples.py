"""Seeded samples of fuzzing without coverage guidance: damaged golden cases."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from nhi_evidence import sources
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized, OutOfScope
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.fuzz.target import one_input, seeds

pytestmark = pytest.mark.slow

PACKS = [name for name in sources.names() if sources.routes(name) is None]
SAMPLES = 100_000
SEED = 20261129
SPLICED = [
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"0",
    b"-1",
    b"1e999",
    b"\xff",
    b"\x00",
    b'"\\ud800"',
    b"," * 9,
]


def damaged(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return an input with one to four bytes, ranges or tokens changed."""
    body = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.randrange(64))
        match chance.randrange(5):
            case 0:
                body[at:at] = chance.choice(SPLICED)
            case 1:
                body[at:end] = chance.choice(SPLICED)
            case 2:
                del body[at:end]
            case 3:
                body[at:end] = chance.randbytes(end - at)
            case _:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                body[at:end] = other[start : start + chance.randrange(64)]
    return bytes(body)


ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1 << 64,
        1e308,
        "",
        " ",
        "null",
        "\ud800",
        "é" * 300,
        "2026-13-45T99:99:99Z",
    ),
    *([], {}, [[]], [None], [{}], {"": {}}, {"type": 7}, ["x", 1, None], [[[[[[[[]]]]]]]]),
]


def reshaped(record: Any, chance: random.Random) -> Any:
    """Return a record with one to three of its values, at any depth, replaced by odd ones."""
    record = copy.deepcopy(record)
    for _ in range(chance.randint(1, 3)):
        inside = record
        while inside:
            place = chance.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
            deeper = inside[place]
            if not isinstance(deeper, dict | list) or not deeper or chance.random() < 0.3:
                inside[place] = copy.deepcopy(chance.choice(ODD))
                break
            inside = deeper
    return record


@pytest.mark.parametrize("pack", PACKS)
def test_no_odd_shape_crashes_a_pack(pack: str) -> None:
    """Every one of SAMPLES / 5 reshaped golden cases ends as kept, out of scope or rejected."""
    chance = random.Random(f"{SEED} {pack}")  # noqa: S311 samples, repeatable by their seed
    mapper = Mapper(pack, scope=Scope.ALL, keep_out_of_scope_raw=True)
    records = [read(path).record for path in cases(pack).values()]
    for number in range(SAMPLES // len(PACKS)):
        sample = json.dumps(reshaped(chance.choice(records), chance)).encode()
        try:
            assert isinstance(mapper.map(sample), Normalized | OutOfScope | Rejection)
        except BaseException as error:
            error.add_note(f"sample {number}: {sample!r}")
            raise


@pytest.mark.parametrize("part", range(4))
def test_no_sample_crashes_or_is_lost(part: int) -> None:
    """Every one of SAMPLES damaged inputs is mapped or rejected, and accounted for."""
    chance = random.Random(SEED + part)  # noqa: S311 samples, repeatable by their seed
    inputs = list(seeds().values())
    for number in range(SAMPLES // 4):
        sample = damaged(chance.choice(inputs), inputs, chance)
        try:
            one_input(sample)
        except BaseException as error:
            error.add_note(f"sample {number} of part {part}: {sample!r}")
            raise
