"""Records map to the same bytes as before, whatever is made faster or tidier.

An intended change of mapping is stored with `python -m tests.record_lines --corpus ../shared/corpus
--update`, and reviewed in the diff, which names each case with other lines.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.measure import EXPECTED
from tests.faults.test_bad_records_of_any_source import BAD
from tests.record_lines import digested

SOURCES = digested.all_sources()


@pytest.mark.parametrize("source", SOURCES)
def test_own_records_become_the_same_lines(source: str) -> None:
    """Each case with its malformed variants, each bad record, and each file of leaks.

    A new source, like a new case, is stored with the first intended change.
    """
    of, stored = digested.mappers(source), digested.stored().get(source, {})
    changed = [
        name
        for name, body in digested.own(source)
        if name in stored and digested.digest(of, body) != stored[name]
    ]
    assert [] == changed
    assert not stored or sum(not name.startswith("corpus ") for name in stored) > len(BAD)


@pytest.mark.parametrize("source", EXPECTED)
def test_real_records_become_the_same_lines(corpus: Path, source: str) -> None:
    """Each corpus file, as it is and as deliveries made from it; for a new source, none yet."""
    of, every = digested.mappers(source), digested.stored()
    stored = every.get(source, {})
    inputs = dict(digested.of_corpus(source, corpus))
    known = {name for name in stored if name.startswith("corpus ")}
    assert set(inputs if source in every else ()) == known
    assert [] == [name for name in known if digested.digest(of, inputs[name]) != stored[name]]


def test_another_line_is_another_digest() -> None:
    """An additional member in one record is noticed."""
    of = digested.mappers("aws_cloudtrail")
    name, body = next(iter(digested.own("aws_cloudtrail")))
    assert digested.digest(of, body) == digested.digest(of, body), name
    assert digested.digest(of, body) != digested.digest(of, body.replace(b"{", b'{"x":1,', 2))
