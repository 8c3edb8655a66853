"""What a function has locked, read back from the embedded store."""

from __future__ import annotations

import json
from typing import Any

from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.lines import UnitLine

Units = list[tuple[UnitLine, list[dict[str, Any]]]]


def stored(store: EmbeddedStore, source: str) -> dict[str, Units]:
    """Return the units of every evidence object of a source, by key.

    A key that has more than one version fails the test.
    """
    client = store.client(store.admin)
    pages = client.get_paginator("list_object_versions").paginate(
        Bucket=iam.EVIDENCE_BUCKET, Prefix=f"ev/v1/{source}/"
    )
    keys = [entry["Key"] for page in pages for entry in page.get("Versions", [])]
    assert len(keys) == len(set(keys))
    return {
        key: units(client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)["Body"].read())
        for key in keys
    }


def units(body: bytes) -> Units:
    """Return each unit line of an object with its lines."""
    table, lines = objects.read_object(body)
    return [
        (unit, [json.loads(line) for line in own]) for unit, own in objects.lines_of(table, lines)
    ]


def named(store: EmbeddedStore, source: str, name: str) -> Units:
    """Return every unit whose name starts with this, in whatever objects."""
    return [
        (unit, lines)
        for held in stored(store, source).values()
        for unit, lines in held
        if unit.unit.startswith(name)
    ]
