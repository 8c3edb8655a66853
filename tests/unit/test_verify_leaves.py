"""V2: a leaf's statements compared with the policy, the listing and the store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nhi_evidence.evidence import flags
from nhi_evidence.evidence.leaf import Cursor, EpochLeaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify import objects
from nhi_evidence.stored import Description, Version


def changed(leaf: ObjectLeaf, **changes: Any) -> ObjectLeaf:
    return msgspec.structs.replace(leaf, **changes)


EPOCH = EpochLeaf(1, "log", 0, 0, 0, "00", cursors={"": Cursor("", 0)})


@pytest.mark.parametrize(
    ("leaf", "retention_ms", "codes"),
    [
        (EPOCH, 1000, []),
        (MarkerLeaf("k", "v", 0), 1000, ["marker"]),
        (MarkerLeaf("k", "v", 0, (flags.EXPIRED,)), 1000, []),
        (ObjectLeaf("k", "v", 0, 0, until=1000), 1000, []),
        (ObjectLeaf("k", "v", 0, 0, until=100_000), 200_000, ["short_lock"]),
        (ObjectLeaf("k", "v", 0, 0), 0, []),
        (ObjectLeaf("k", "v", 0, 0, until=10**9, flags=("short_lock",)), 1000, ["short_lock"]),
        (ObjectLeaf("k", "v", 0, 0, flags=("short_lock",)), 0, []),
        (
            ObjectLeaf("k", "v", 0, 0, until=1000, flags=("encryption", "shadow", "undescribed")),
            1000,
            ["encryption", "shadow", "undescribed"],
        ),
    ],
)
def test_a_leaf_is_compared_with_the_policy(
    leaf: EpochLeaf | MarkerLeaf | ObjectLeaf, retention_ms: int, codes: list[str]
) -> None:
    """A marker that expiry does not explain, a short lock if one is required, and flags."""
    assert codes == list(objects.policy_deviations(leaf, retention_ms))


def version(*, shadow: bool = False, marker: bool = False) -> Version:
    return Version("k", "v", 0, shadow=shadow, marker=marker)


HAS_FLAG = "flagged as a shadow, but the first version of its key"
HAS_NONE = "not the first version of its key, but not flagged as a shadow"
OBJECT = ObjectLeaf("k", "v", 0, 0, sha256="00", flags=("key_hash",))
SHADOW = changed(OBJECT, flags=("key_hash", "shadow"))


@pytest.mark.parametrize(
    ("leaf", "listed", "is_first", "expected"),
    [
        (OBJECT, version(), True, []),
        (OBJECT, version(shadow=True), False, [HAS_NONE]),
        (OBJECT, version(shadow=True, marker=True), False, []),
        (SHADOW, version(shadow=True), True, []),
        (SHADOW, version(), True, [HAS_FLAG]),
        (SHADOW, version(), False, []),
        (SHADOW, None, True, []),
        (MarkerLeaf("k", "v", 0), version(shadow=True), True, []),
        (changed(OBJECT, flags=()), version(), True, ["key_hash is not set"]),
        (
            changed(OBJECT, flags=()),
            version(shadow=True),
            True,
            ["key_hash is not set", HAS_NONE],
        ),
    ],
)
def test_a_leaf_s_flags_are_compared_with_the_listing(
    leaf: ObjectLeaf | MarkerLeaf, listed: Version | None, is_first: bool, expected: list[str]
) -> None:
    """A superfluous flag is reported only if the whole log has no other leaf of the key."""
    assert expected == list(objects.false_flags(leaf, listed, is_first=is_first))


def described(**changes: Any) -> Description:
    stated_of = {"size": 0, "sha256": None, "metadata": {"a": "1"}, "encryption": None}
    return Description(**{**stated_of, "retain_until": 10, **changes})


LOCKED = ObjectLeaf("k", "v", 0, 0, until=10, md={"a": "1"})


@pytest.mark.parametrize(
    ("leaf", "description", "expected"),
    [
        (LOCKED, None, []),
        (LOCKED, described(), []),
        (LOCKED, described(retain_until=11), []),
        (LOCKED, described(retain_until=9), ["its lock ends at 9, the leaf states 10"]),
        (LOCKED, described(retain_until=None), ["its lock ends at None, the leaf states 10"]),
        (LOCKED, described(metadata={}), ["its metadata differs from the leaf's"]),
        (LOCKED, described(metadata={}, retain_until=None, undescribed="AccessDenied"), []),
        (changed(LOCKED, flags=(flags.UNDESCRIBED,)), described(metadata={}), []),
        (changed(LOCKED, until=None), described(retain_until=None), []),
        (changed(LOCKED, until=1), described(retain_until=None), ["its lock ends at None, the"]),
        (changed(LOCKED, until=None), described(retain_until=0), []),
    ],
)
def test_the_store_s_description_is_compared_with_the_leaf(
    leaf: ObjectLeaf, description: Description | None, expected: list[str]
) -> None:
    """A lock may have been extended, never shortened; metadata is fixed."""
    told_by_store = list(objects.false_description(leaf, description))
    assert len(expected) == len(told_by_store)
    assert all(map(str.startswith, told_by_store, expected))
