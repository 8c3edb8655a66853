"""A record that its source has cut whole is no finding; the report names it as not mapped again."""

from __future__ import annotations

import pytest

from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.tamper.sealed_store import HOUR, SealedStore

UNREADABLE = b'{"requestObject": {"token": "secret}, "request_body": "secret\n'
REFUSED = b'{"@timestamp":1772438400000,"type":"request","request_body":"what do you know"}\n'


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("github_audit", UNREADABLE),
        ("github_audit", REFUSED),
        ("k8s_audit", UNREADABLE),
    ],
)
def test_what_a_source_cuts_whole_holds(source: str, body: bytes) -> None:
    """Its line is the genuine one, though nobody can map the record again."""
    world = SealedStore()
    delivery = Delivery(f"bucket/log.json@1!h={HOUR}", body)
    made_by = Mapper(source, scope=Scope.NHI, keep_out_of_scope_raw=True)
    (locked,) = lock_batch(made_by, [delivery], world.store).objects
    assert b'"r":"","c":[["' in b"".join(world.edit(locked.key).units[0].lines)
    world.seal()
    report = world.verify()
    assert [] == report.findings
    assert any("mapping 1 record again" in text for text in report.not_checked)


def test_a_rejected_delivery_that_its_source_cuts_whole_holds() -> None:
    world = SealedStore()
    made_by = Mapper("k8s_audit", scope=Scope.NHI, keep_out_of_scope_raw=True)
    delivery = Delivery(f"bucket/log.json@1!h={HOUR}", UNREADABLE)
    parts = made_by.reject_delivery(delivery, Undecodable("trailing_bytes", ""))
    (packed,) = made_by.packer.pack(parts)
    assert "cut" == packed.units[0].rebuild
    world.store.add(packed.key, packed.body, packed.metadata)
    world.seal()
    assert [] == world.verify().findings
