"""Trails with one thing wrong, and what reconciliation says of each."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta

from tests.completeness import trail as world
from tests.completeness.trail import (
    BUCKET,
    HOUR,
    START,
    Trail,
)


def alter(key: str, body: Callable[[bytes], bytes]) -> Callable[[Trail], None]:
    def act(trail: Trail) -> None:
        trail.objects[key].body = gzip.compress(
            body(gzip.decompress(trail.objects[key].body)), mtime=0
        )

    return act


def remove(key: str) -> Callable[[Trail], None]:
    def act(trail: Trail) -> None:
        del trail.objects[key]

    return act


def _append(key: str) -> Callable[[Trail], None]:
    def act(trail: Trail) -> None:
        trail.objects[key].body += b"appended"

    return act


def _sign_anew(key: str, by: int) -> Callable[[Trail], None]:
    def act(trail: Trail) -> None:
        content = gzip.decompress(trail.objects[key].body)
        trail.objects[key].metadata["signature"] = world.sign(content, by)

    return act


def _move(key: str) -> Callable[[Trail], None]:
    def act(trail: Trail) -> None:
        moved = key.replace("T100000Z", "T100001Z")
        trail.objects[moved] = trail.objects.pop(key)

    return act


def _unsigned(key: str) -> Callable[[Trail], None]:
    return lambda trail: trail.objects[key].metadata.clear()


def _extra(trail: Trail) -> None:
    trail.file(START + HOUR + timedelta(minutes=7), "extra")


def genuine() -> Trail:
    trail = Trail()
    trail.hours(5)
    return trail


KEYS = list(genuine().objects)


FILES = [key for key in KEYS if "Digest" not in key]


DIGESTS = genuine().digests


SPOILED: dict[str, tuple[Callable[[Trail], None], list[tuple[str, str]]]] = {
    "file withheld": (remove(FILES[1]), [("missing", f"{BUCKET}/{FILES[1]}")]),
    "file altered": (
        alter(FILES[1], lambda text: text.replace(b"ListBuckets", b"GetBuckets!")),
        [("altered", f"{BUCKET}/{FILES[1]}")],
    ),
    "bytes appended to a file": (_append(FILES[1]), [("altered", f"{BUCKET}/{FILES[1]}")]),
    "file no digest names": (
        _extra,
        [
            (
                "unbacked",
                f"{BUCKET}/{FILES[1].replace('T0905Z_f00000', 'T0907Z_extra')}",
            )
        ],
    ),
    "digest withheld": (
        remove(DIGESTS[1]),
        [
            ("digest_missing", f"{BUCKET}/{DIGESTS[1]}"),
            ("unbacked", f"{BUCKET}/{FILES[1]}"),
        ],
    ),
    "digest altered": (
        alter(DIGESTS[1], lambda text: text + b" "),
        [
            ("digest_invalid", f"{BUCKET}/{DIGESTS[1]}"),
            ("unbacked", f"{BUCKET}/{FILES[1]}"),
        ],
    ),
    "digest signed by another": (
        _sign_anew(DIGESTS[1], 1),
        [
            ("digest_invalid", f"{BUCKET}/{DIGESTS[1]}"),
            ("unbacked", f"{BUCKET}/{FILES[1]}"),
        ],
    ),
    "signature not kept": (
        _unsigned(DIGESTS[1]),
        [
            ("digest_invalid", f"{BUCKET}/{DIGESTS[1]}"),
            ("unbacked", f"{BUCKET}/{FILES[1]}"),
        ],
    ),
    "bytes appended to a digest": (
        _append(DIGESTS[1]),
        [("digest_missing", f"{BUCKET}/{DIGESTS[1]}"), ("unbacked", f"{BUCKET}/{FILES[1]}")],
    ),
    "digest moved": (
        _move(DIGESTS[1]),
        [("unbacked", f"{BUCKET}/{FILES[1]}")],
    ),
}  # fmt: skip
