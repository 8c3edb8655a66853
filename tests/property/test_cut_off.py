"""A JSON object truncated anywhere gives its complete members, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.reading.cut_off import leading_members

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), st.booleans(), st.data())
def test_complete_members_before_the_cut_are_read(
    written: dict[str, Any], ascii_only: bool, data: st.DataObject
) -> None:
    """Each member read is the object's own, in order, and no complete one is missed."""
    text = json.dumps(written, ensure_ascii=ascii_only).encode()
    cut = data.draw(st.integers(1, max(1, len(text) - 1)))
    leading = leading_members(text[:cut])
    assert leading is not None
    members = list(json.loads(leading).items())
    assert members == list(written.items())[: len(members)]
    ends = [
        len(json.dumps(dict(list(written.items())[:count]), ensure_ascii=ascii_only).encode()) - 1
        for count in range(1, len(written) + 1)
    ]
    # A comma after a member is certain to end it; a number may go on until there is one.
    assert len(members) >= sum(end < cut for end in ends)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5))
def test_a_complete_object_is_left_alone(written: dict[str, Any]) -> None:
    """A complete object is not a truncated one."""
    assert leading_members(json.dumps(written).encode()) is None


@given(st.binary(max_size=40))
def test_any_bytes_give_nothing_or_an_object(text: bytes) -> None:
    """No bytes make it fail, and it always returns an object."""
    leading = leading_members(text)
    assert leading is None or isinstance(json.loads(leading), dict)
