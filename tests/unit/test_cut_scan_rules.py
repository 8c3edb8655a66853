"""Which records and which rules are looked at any further, where something declared is found."""

from __future__ import annotations

import msgspec
import pytest

from nhi_evidence.reading.cut_scan import Scan
from nhi_evidence.reading.cut_table import Category, Condition, Field


def test_records_known_to_be_json_are_decoded_only_to_look_into_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a condition or JSON inside a text; without either, what is searched is all there is."""
    unless = Condition("ref", any_of=("roles",))
    own = Scan.of([Field("X", "o", "", unless=unless), Field("Y", "t>key", "")], ())
    plain, kept, text = b'{"a":{"t":1}}', b'{"ref":"roles","o":{"a":1}}', b'{"t":"{}"}'
    read: list[bytes] = []
    decode = own._read

    def reading(raw: bytes) -> msgspec.Struct:
        read.append(raw)
        return decode(raw)

    monkeypatch.setattr(own, "_read", reading)
    assert set() == own.doubtful([b'{"a":1}', kept], are_json=True)
    assert [kept] == read
    assert set() == own.doubtful([plain, text], are_json=True)
    assert [kept, plain, text] == read
    refused = Scan.of([], [Category("usage", (Condition("action", any_of=("x",)),), "")])
    assert {1} == refused.doubtful([b"{}", b'{"action":"x"}'], are_json=True)


def test_a_rule_that_finds_nothing_need_not_be_excepted() -> None:
    """Of two for one name, the other finds something and is."""
    unless = Condition("ref", any_of=("roles",))
    hashed = Field("X", "u", "", unless_begins="h:")
    own = Scan.of([hashed, Field("Y", "u", "", query_except=(), unless=unless)], ())
    assert own.is_certain(b'{"ref":"roles","u":"h:1?x"}')
    assert not own.is_certain(b'{"ref":"roles","u":"1?x"}')
    assert not own.is_certain(b'{"u":"h:1?x"}')
