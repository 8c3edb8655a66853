"""The sealed statement: it round-trips, and any other form is refused."""

from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nhi_evidence.completeness import statement_file as form
from nhi_evidence.completeness.reasons import REASONS, Verdict
from nhi_evidence.completeness.statement import (
    Announced,
    Counts,
    Log,
    Named,
    Scope,
    Statement,
    Statements,
    standing,
)
from nhi_evidence.evidence import frame, keys

LOG = Log("main/2026", 40, "ab" * 32, 1_767_225_600_000)
KEY = "ev/v1/aws_cloudtrail/h=2026010100/" + "cd" * 32 + ".ndjson.zst"
COUNTED = Counts("0123456789abcdef", KEY, "v1")
PROVEN = Statement(
    scope=Scope("111122223333", "eu-central-1", "trail-logs/"),
    verdict=Verdict.PROVEN,
    expected=1,
    found=1,
    open_until=1_767_402_000_000,
    heartbeats=Announced(1, 1),
    counts=(COUNTED,),
)
LACKING = Statement(
    scope=Scope("111122223333", "us-east-1", "trail-logs/"),
    verdict=Verdict.UNPROVABLE,
    reasons=("missing",),
    expected=2,
    found=1,
    totals={"missing": 1},
    named=(Named("missing", "trail-logs/AWSLogs/x.json.gz"),),
    counts=(COUNTED,),
)


def statements(*each: Statement) -> Statements:
    return Statements(source="aws_cloudtrail", hour="2026010100", log=LOG, statements=each)


def test_a_statement_round_trips() -> None:
    """In another order, too: scopes are sorted."""
    (written,) = form.write(statements(LACKING, PROVEN))
    assert statements(PROVEN, LACKING) == form.read(written.body)
    assert written == next(form.write(statements(PROVEN, LACKING)))
    assert form.is_statements(written.key)
    parsed = keys.parse_key(written.key)
    assert ("op", "recon", "2026010100") == (parsed.kind, parsed.source, parsed.hour)
    assert sha256(written.body).hexdigest() == parsed.body_sha256


names = st.text(min_size=1, max_size=8)
statements_drawn = st.builds(
    Statement,
    scope=st.builds(Scope, names, names, names),
    verdict=st.just(Verdict.UNPROVABLE),
    reasons=st.just(("missing", "unbacked")),
    found=st.integers(0, 9),
    totals=st.just({"missing": 2}),
    named=st.lists(st.builds(Named, st.sampled_from(["missing", "unbacked"]), names)).map(tuple),
    counts=st.lists(
        st.builds(Counts, st.sampled_from(["0" * 16, "f" * 16]), names, names), unique=True
    ).map(tuple),
)


@given(st.lists(statements_drawn, min_size=1, max_size=4, unique_by=lambda each: each.scope))
def test_any_statements_survive_writing(each: list[Statement]) -> None:
    """Whatever is in the names, writing it again gives the same bytes."""
    for written in form.write(statements(*each)):
        back = form.read(written.body)
        assert written == next(form.write(back))
        assert {one.scope for one in back.statements} == {one.scope for one in each}


def test_statements_that_are_too_large_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """By scope, so that each object has complete statements."""
    monkeypatch.setattr(form, "MAX_LINES_BYTES", form._HEADER_BYTES + 600)
    first, second = form.write(statements(PROVEN, LACKING))
    assert (PROVEN,) == form.read(first.body).statements
    assert (LACKING,) == form.read(second.body).statements


def test_too_many_units_are_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement without the counted units says so, and proves nothing."""
    monkeypatch.setattr(form, "MAX_COUNTS", 0)
    (written,) = form.write(statements(PROVEN))
    (back,) = form.read(written.body).statements
    assert (Verdict.UNPROVABLE, ("too_many",), ()) == (back.verdict, back.reasons, back.counts)


CONTRADICTIONS = {
    "proven with a reason": replace(PROVEN, reasons=("waiting",)),
    "proven with a file less": replace(PROVEN, expected=2),
    "reconciled without a list": replace(PROVEN, verdict=Verdict.RECONCILED, expected=None),
    "unprovable, and nobody knows why": replace(PROVEN, verdict=Verdict.UNPROVABLE),
    "unknown reason": replace(LACKING, reasons=("lost",), totals={}, named=()),
    "reasons out of order": replace(LACKING, reasons=("unbacked", "missing")),
    "totals of no reason": replace(LACKING, totals={"unbacked": 1}),
    "name of no reason": replace(LACKING, named=(Named("unbacked", "x"),)),
    "more found than there are": replace(LACKING, found=3),
    "below nothing": replace(LACKING, expected=-1, found=-1),
    "no unit": replace(LACKING, counts=(Counts("unit", KEY),)),
    "part 0": replace(LACKING, counts=(replace(COUNTED, part=0),)),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_statement_that_contradicts_itself_is_refused(name: str) -> None:
    (written,) = form.write(statements(CONTRADICTIONS[name]))
    with pytest.raises(ValueError, match="statements: line 1: "):
        form.read(written.body)


REPLACED = {
    "no hour": (0, b"2026010100", b"2026013099"),
    "no root": (0, b"ab", b"AB"),
    "version": (0, b'"v":1', b'"v":2'),
    "negative": (1, b'"counts":1', b'"counts":-1'),
    "no number": (1, b'"expected":1', b'"expected":%d' % (1 << 64)),
    "no instant": (0, b'"at":', b'"at":%d' % (1 << 64)),
}
"""The line, and what is replaced in it by what."""


def edited(change: str) -> list[bytes]:
    (written,) = form.write(statements(PROVEN, LACKING))
    lines = frame.unpack(written.body, limit=1 << 20)
    if change == "swapped":
        lines = [lines[0], *lines[3:], *lines[1:3]]
    elif change == "doubled":
        lines = [lines[0], *lines[1:3], *lines[1:3]]
    elif change == "spaces":
        lines[1] = lines[1].replace(b",", b", ", 1)
    elif change == "unknown field":
        lines[1] = lines[1].replace(b'"found"', b'"fount":1,"found"')
    elif change == "line less":
        lines = lines[:-1]
    elif change == "line more":
        lines = [*lines, lines[-1]]
    elif change == "unit doubled":
        lines[1] = lines[1].replace(b'"counts":1', b'"counts":2')
        lines = [*lines[:3], lines[2], *lines[3:]]
    elif change in REPLACED:
        line, old, new = REPLACED[change]
        lines[line] = lines[line].replace(old, new)
    elif change == "none":
        lines = [lines[0].replace(b'"statements":2', b'"statements":0')]
    elif change == "fewer than none":
        lines = [lines[0].replace(b'"statements":2', b'"statements":-1')]
    elif change == "not JSON":
        lines[1] = b"{"
    return lines


@pytest.mark.parametrize(
    "change",
    [
        "swapped", "doubled", "spaces", "unknown field", "line less", "line more",
        "unit doubled", "no hour", "no root", "version", "negative", "not JSON",
        "no number", "no instant", "none", "fewer than none",
    ],
)  # fmt: skip
def test_a_malformed_statement_is_refused(change: str) -> None:
    body, _ = frame.pack(edited(change))
    with pytest.raises(ValueError, match="statements: "):
        form.read(body)


def test_the_longest_log_wins() -> None:
    """Whatever the order; other scopes are unaffected."""
    older = statements(PROVEN, LACKING)
    newer = replace(
        older, log=replace(LOG, size=41), statements=(replace(PROVEN, found=2, expected=2),)
    )
    for order in ([("a", older), ("b", newer)], [("b", newer), ("a", older)]):
        stands = standing(order)
        assert 2 == stands["aws_cloudtrail", "2026010100", PROVEN.scope].statement.found
        assert 1 == stands["aws_cloudtrail", "2026010100", LACKING.scope].statement.found


def test_names_are_bounded() -> None:
    """A statement names ten thousand things, and counts the rest."""
    many = tuple(Named("missing", f"{number:06d}") for number in range(form.MAX_NAMED + 5))
    (written,) = form.write(statements(replace(LACKING, named=many, totals={"missing": len(many)})))
    (back,) = form.read(written.body).statements
    assert (form.MAX_NAMED, form.MAX_NAMED + 5) == (len(back.named), back.totals["missing"])
    assert all(one.name < two.name for one, two in pairwise(back.named))


def test_every_reason_is_documented() -> None:
    """The table on the format page matches the code."""
    page = (Path(__file__).parents[2] / "docs/evidence-format.md").read_text()
    for code, meaning in REASONS.items():
        row = f"| `{code}` | {'yes' if meaning.is_incomplete else 'no'} | {meaning.text} |"
        assert row in page
