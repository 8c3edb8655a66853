"""A mapper of the model: two releases, and units that are as small as can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from nhi_evidence.event import Delivery, Limits, Undecodable
from nhi_evidence.evidence import keys, lines
from nhi_evidence.evidence.lines import MapperIdentity, Settings
from nhi_evidence.evidence.objects import EvidenceObject, Packer
from nhi_evidence.evidence.unit import PartPosition, UnitIdentity, UnitPart, unit_part

NAME = "example.org/model"


START = 1_798_760_000_000
"""Some seven minutes before the year 2027, so that histories cross the turn of a shard."""


GENUINE, FORGED = b"genuine", b"forged"


HOURS = (keys.hour_of(START), keys.hour_of(START + 3_600_000))


UNITS = (f"m/0@1!h={HOURS[0]}", f"m/1@1!h={HOURS[0]}", f"m/2@1!h={HOURS[1]}")
"""Two of one hour, which a batch packs together, and one of the next."""


RELEASES = ("aa" * 32, "bb" * 32)
"""Digests of the releases the policy lists, the latest last."""


class ModelMapper:
    """What `lock_batch` needs of a mapper: a unit is one line that holds its content."""

    def __init__(self, digest: str) -> None:
        self.packer = Packer(
            source="aws_cloudtrail",
            mapper=MapperIdentity("1", digest),
            settings=Settings(scope="all", keep_out_of_scope_raw=True, limits=Limits()),
        )
        self._digest = digest

    def hour(self, unit: str) -> str:
        """The hour a unit's name ends in."""
        return unit[-10:]

    def units(self, delivery: Delivery) -> Iterator[UnitPart]:
        """One part of one line; another release writes another line."""
        text = delivery.body
        identity = UnitIdentity(
            unit=delivery.unit,
            hour=self.hour(delivery.unit),
            kind="companion",
            src_sha256=sha256(text).hexdigest(),
            raw_sha256=sha256(text).hexdigest(),
            raw_size=len(text),
        )
        line = lines.companion_line(lines.unit_id(delivery.unit), text)
        yield unit_part(identity, PartPosition.only(len(text)), [line], rebuild="exact")

    def reject_delivery(self, delivery: Delivery, undecodable: Undecodable) -> Iterator[UnitPart]:
        """Nothing of the model is rejected."""
        raise AssertionError(f"{delivery.unit}: {undecodable}")


def deliveries(batch: Iterable[int], content: bytes = GENUINE) -> list[Delivery]:
    """The deliveries of a batch."""
    return [Delivery(UNITS[number], UNITS[number].encode() + content) for number in batch]


def packed(batch: Iterable[int], digest: str, content: bytes = GENUINE) -> list[EvidenceObject]:
    """The objects a batch becomes."""
    mapper = ModelMapper(digest)
    parts = [part for each in deliveries(batch, content) for part in mapper.units(each)]
    return list(mapper.packer.pack(parts))
