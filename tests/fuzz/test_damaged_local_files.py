"""Damage anywhere in a local file, in any form and container, is reported and never an error."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.local_files import reader
from tests.cli.local_forms import FORMS, PACKINGS

LIMIT = 1 << 20
SMALL = 20_000
BODIES = [
    body
    for form in FORMS
    if len(form.body) < SMALL
    for body in (form.body, *(pack(form.body) for pack in PACKINGS.values()))
]
INSERTED = (b"[", b"{", b'"', b"\0", b"\xff", b"\n", b"\r", b"null", b"1e999", b"---\n", b"&a *a ")

edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 8),
        st.one_of(st.sampled_from(INSERTED), st.binary(max_size=2)),
    ),
    min_size=1,
    max_size=4,
)
"""Where, how many bytes are taken out, and what is put there."""


@given(body=st.sampled_from(BODIES), edits=edits)
def test_damage_never_ends_the_reading(body: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    """Every piece says where it is, and every problem what it looks like."""
    for where, removed, inserted in edits:
        at = int(where * len(body))
        body = body[:at] + inserted + body[at + removed :]
    for piece in reader.pieces("FILE", io.BytesIO(body), LIMIT):
        assert piece.line >= 0
        assert piece.problem is None or piece.problem.text().startswith("looks like ")
