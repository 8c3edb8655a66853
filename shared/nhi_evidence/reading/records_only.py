"""What a delivered file is, of a log whose provider signs no digest of its files."""

from __future__ import annotations

from nhi_evidence.event import Kind


def kind_of(_object_key: str) -> Kind:
    """Every delivery holds records, whatever its name: there are no companions to keep."""
    return Kind.RECORDS
