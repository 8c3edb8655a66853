"""One pack with its tables: how a record is mapped, whatever the pack."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.catalog import lexicon
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.mapping import Normalized, OutOfScope, PackMapper
from nhi_evidence.pipeline.scope import HUMAN, Scope
from tests.faults.test_bad_input import GOOD

UID = "22222222-2222-4333-8444-555555555555"
PERSON: dict[str, Any] = {
    **GOOD,
    "userIdentity": {"type": "IdentityCenterUser", "userName": "ada"},
    "eventID": UID,
}


def mapper(*, scope: Scope = Scope.NHI, lists: bool = False) -> PackMapper:
    return PackMapper("aws_cloudtrail", scope=scope, lists_out_of_scope_ids=lists)


def mapped(pack: PackMapper, record: Any) -> Normalized | OutOfScope | Rejection:
    text = json.dumps(record)
    return pack.map(text.encode(), text)


def test_a_kept_record_states_its_text_and_its_hash() -> None:
    """The hash is of the exact bytes, and the text is passed on unchanged."""
    text = json.dumps({**GOOD, "note": "é"}, ensure_ascii=False)
    kept = mapper(scope=Scope.ALL).map(text.encode(), text)
    assert isinstance(kept, Normalized)
    assert kept.text is text
    record = json.loads(msgspec.json.encode(kept.record))
    assert sha256(text.encode()).hexdigest() == record["raw_data_hash"]["value"]
    assert len(text.encode()) == record["raw_data_size"]


def test_a_persons_record_is_out_of_scope_by_its_id() -> None:
    """It has the reason and the id, whether or not ids are listed; it is kept if everything is."""
    assert OutOfScope(HUMAN, UID) == mapped(mapper(), PERSON)
    assert OutOfScope(HUMAN, UID) == mapped(mapper(lists=True), PERSON)
    assert isinstance(mapped(mapper(scope=Scope.ALL), PERSON), Normalized)


def test_without_an_id_it_is_kept_where_ids_are_listed() -> None:
    """Nobody could request it again; for a source requested by files, it is out of scope."""
    nameless = {name: value for name, value in PERSON.items() if name != "eventID"}
    assert OutOfScope(HUMAN, None) == mapped(mapper(), nameless)
    assert isinstance(mapped(mapper(lists=True), nameless), Normalized)


def test_a_broken_record_mapped_alone_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mapped alone, the error is the caller's; among others it affects none of them."""
    pack = mapper()

    def classify(_: object) -> object:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(pack.catalog, "classify", classify)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        mapped(pack, GOOD)


def test_a_rejection_is_passed_through() -> None:
    """Its reason is the pack's."""
    pack = mapper()
    timeless = {name: value for name, value in GOOD.items() if name != "eventTime"}
    rejection = mapped(pack, timeless)
    assert isinstance(rejection, Rejection)
    assert rejection == pack.normalize(json.dumps(timeless).encode())
    assert "event_time_missing" == rejection.reason


@pytest.mark.parametrize("error", [msgspec.DecodeError("x" * 999), RecursionError("x" * 999)])
def test_a_record_that_conditions_cannot_read_is_rejected(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is a request that an override inspects and that does not decode; the detail is bounded."""
    pack = mapper()

    def classify(_: object) -> object:
        raise error

    monkeypatch.setattr(pack.catalog, "classify", classify)
    assert Rejection("malformed_json", "x" * 200) == mapped(pack, GOOD)


@pytest.mark.parametrize("name", [n for n in sources.names() if sources.routes(n) is None])
def test_a_mapper_s_tables_are_those_that_decide(name: str) -> None:
    """They are the pack's own, in order, and the lexicon, and they identify the mapper."""
    pack = PackMapper(name, scope=Scope.NHI, lists_out_of_scope_ids=False)
    own = [sources.table(name, file) for file in pack.pack.TABLES]
    assert [*own, lexicon.TABLE] == pack.tables


def test_access_levels_are_the_second_table() -> None:
    """AWS's own levels decide if neither rows nor words do."""
    operation = {
        "eventSource": "a4b.amazonaws.com",
        "eventName": "StartSmartHomeApplianceDiscovery",
    }
    kept = mapped(mapper(scope=Scope.ALL), {**GOOD, **operation})
    assert isinstance(kept, Normalized)
    rules = json.loads(msgspec.json.encode(kept.record))["nhi_phase_rules"]
    assert ["fallback:access:Read"] == rules
