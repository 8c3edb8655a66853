"""A cloud key of Vault is joined by its id, or not at all: then both sides say what is missing."""

from __future__ import annotations

import functools
import json
from pathlib import Path as File
from typing import Any

import pytest

from nhi_evidence.event import Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.investigate import row_reading
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.row import Place, Row
from nhi_evidence.investigate.timeline import Timeline, compose
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.investigating import MINUTE, used
from tests.memory_store import MemoryStore

CASE = File(__file__).parents[2] / "cases" / "vault_audit" / "cloud-key-in-the-clear.json"
KEY, LEASE = "AKIAIOSFODNN7EXAMPLE", "aws/creds/deploy/f3e92392"
HASHED = "hmac-sha256:" + "9c" * 32
ACCESSOR = "hmac-sha256:" + "a" * 64


def vault(**data: Any) -> Row:
    """Vault's record of a key of AWS, as its pack maps it."""
    record = json.loads(CASE.read_text())["record"]
    record["response"]["data"] |= data
    store = MemoryStore()
    body = json.dumps(record).encode() + b"\n"
    mapper = Mapper("vault_audit", keep_out_of_scope_raw=True)
    lock_batch(mapper, [Delivery("b/vault@1!h=2026030208", body)], store).ensure_locked()
    (stored,) = store.objects.values()
    (line,) = objects.read_object(stored)[1]
    row = row_reading.read_line(line, "vault_audit", functools.partial(Place, "ev/vault", "unit"))
    assert row is not None
    return row


def timeline_of(row: Row, credential: str) -> Timeline:
    uses = [used(30 * MINUTE, KEY, credential_kind="access_key", operation="ListBuckets")]
    return compose(
        MemoryIndex([row, *uses]), Selection(credentials=frozenset({credential})), subject=""
    )


def operations(timeline: Timeline) -> list[str]:
    return [step.row.operation for step in timeline.path.steps]


def test_a_key_in_the_clear_is_joined_from_either_side() -> None:
    row = vault()
    assert row.issued == (LEASE, KEY)
    from_vault = timeline_of(row, ACCESSOR)
    assert operations(from_vault) == ["read aws/creds/deploy", "ListBuckets"]
    assert not [gap for gap in from_vault.gaps if gap.kind == "one_sided"]
    from_cloud = timeline_of(row, KEY)
    (credential,) = from_cloud.path.credentials
    assert (credential.mint, credential.minted_by) == ("seen", row)


def test_a_hashed_key_is_not_joined_and_vault_s_side_names_its_lease() -> None:
    """Nothing but the id would join them: the same minute, the same host prove nothing."""
    row = vault(access_key=HASHED)
    assert row.issued == (LEASE,)
    from_vault = timeline_of(row, ACCESSOR)
    assert operations(from_vault) == ["read aws/creds/deploy"]
    (gap,) = (gap for gap in from_vault.gaps if gap.kind == "one_sided")
    assert gap.text == (
        f"{LEASE}: Vault created a credential of a cloud and recorded its lease alone, "
        "so its use there is not joined (audit_non_hmac_response_keys)"
    )
    assert not from_vault.is_incomplete, "what is here is all there is of it"


def test_the_cloud_s_side_of_a_hashed_key_names_no_maker() -> None:
    from_cloud = timeline_of(vault(access_key=HASHED), KEY)
    assert operations(from_cloud) == ["ListBuckets"]
    (credential,) = from_cloud.path.credentials
    assert (credential.mint, credential.minted_by) == ("not in this evidence", None)
    assert [gap.kind for gap in from_cloud.gaps] == ["mint_before"]


@pytest.mark.parametrize("hashed", [HASHED, None])
def test_no_part_of_a_hash_is_taken_for_an_id(hashed: str | None) -> None:
    assert not [uid for uid in vault(access_key=hashed).issued if uid != LEASE]
