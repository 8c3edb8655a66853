"""Records of every source in odd shapes: golden cases with parts replaced, lost or wrapped."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tests.cases.reader import cases, read
from tests.property.strategies import JSON, TEXT

_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        "",
        "null",
        "<null>",
        "-",
        "none",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "192.0.2.010",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
        "fe80::1%eth0",
        "not-an-address",
        "a@b",
        "/",
        "//",
        "arn:aws:s3:::",
        "arn:aws-eusc:iam::111122223333:role/",
        "projects/_/buckets/b/objects/",
        "/subscriptions//providers//",
        "Mar 2, 2026, 9:15:30 AM",
        "9999-12-31T23:59:59Z",
        '{"a":',
        '{"value":null}',
        "[]",
        "{}",
        0,
        -1,
        2**63,
        1.5,
        True,
        [],
        {},
        [None],
        [{}],
        {"value": None},
        {"content": "x"},
    ]
)
_VALUE = _ODD | TEXT | JSON


@st.composite
def odd_record(draw: st.DrawFn, source: str) -> dict[str, Any]:
    """A golden case's record of a source, up to four of its parts made odd."""
    paths = sorted(cases(source).values())
    record: dict[str, Any] = copy.deepcopy(read(draw(st.sampled_from(paths))).record)
    for _ in range(draw(st.integers(0, 4))):
        record = _odd_part(draw, record)
    return record


def _odd_part(draw: st.DrawFn, value: Any) -> Any:
    """Walk down to some part and make it odd; JSON inside a text is walked into too."""
    if isinstance(value, str) and value[:1] in ("{", "[") and draw(st.booleans()):
        try:
            inside = json.loads(value)
        except ValueError:
            return draw(_VALUE)
        return json.dumps(_odd_part(draw, inside))
    if isinstance(value, dict) and value:
        name = draw(st.sampled_from(sorted(value)))
        change = draw(st.sampled_from(["into", "into", "into", "lose", "case", "replace"]))
        if change == "lose":
            return {key: item for key, item in value.items() if key != name}
        if change == "case":
            return {(key.swapcase() if key == name else key): item for key, item in value.items()}
        part = draw(_VALUE) if change == "replace" else _odd_part(draw, value[name])
        return {**value, name: part}
    if isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        change = draw(st.sampled_from(["into", "into", "lose", "add"]))
        if change == "lose":
            return value[:index] + value[index + 1 :]
        if change == "add":
            return [*value, draw(_VALUE)]
        return [*value[:index], _odd_part(draw, value[index]), *value[index + 1 :]]
    return draw(_VALUE)
