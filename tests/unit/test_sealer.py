"""One sealer on one store: what its runs put on record, and when they put anything."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.evidence import leaf
from nhi_evidence.stored import Unreadable


def test_a_setting_is_recorded_by_its_hash() -> None:
    """The epoch leaf holds the hash of a setting, or the reason why it could not be read."""
    assert sha256(b'{"Rule":1}').hexdigest() == leaf.setting('{"Rule":1}')
    assert "unreadable: AccessDenied" == leaf.setting(Unreadable("AccessDenied"))
