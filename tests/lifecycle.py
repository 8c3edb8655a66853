"""The bucket's lifecycle on a store in memory, as infra/aws/evidence_bucket.py sets it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html: expiry of the
current version of a versioned bucket puts a delete marker on it, a noncurrent version is removed a
day after, and a marker without versions under it goes too. Rules run at midnight UTC.
"""

from __future__ import annotations

from tests.memory_store import DAY_MS, MemoryStore

EXPIRING = ("ev/", "op/")
NONCURRENT_DAYS = 1


def midnight(store: MemoryStore, now: int, expire_days: int) -> None:
    """Run the rules once."""
    for key in [one for one in store.versions_by_key if one.startswith(EXPIRING)]:
        stored = store.versions_by_key[key]
        newest = stored[-1]
        if all(version.marker for version in stored):
            store.remove(key)
        elif not newest.marker and newest.modified + expire_days * DAY_MS <= now:
            store.mark(key)
        for position, version in enumerate(stored[:-1]):
            noncurrent_since = stored[position + 1].modified
            locked = version.retain_until is not None and version.retain_until > now
            if not locked and noncurrent_since + NONCURRENT_DAYS * DAY_MS <= now:
                store.remove(key, version.id)
