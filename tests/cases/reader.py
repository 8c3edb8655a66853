"""Reading golden cases: one JSON file, one claim, written from the provider's documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

import nhi_evidence
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized

FOLDER = Path(__file__).parent

RULE = re.compile(r'"([A-Z][A-Z0-9]{1,3}-\d\d[a-z]?)"')
"""How an identity rule looks in a pack's code."""


class Mutation(msgspec.Struct, frozen=True):
    """A change of the code that must make the case fail."""

    file: str
    """Relative to the source pack."""
    replace: str
    by: str


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One golden case."""

    claim: str
    source: str
    """Where the provider documents the shape or the meaning."""
    record: dict[str, Any]
    expect: dict[str, Any]
    """Dotted path into the OCSF record to value; null: absent."""
    proves: str | None = None
    """Id of the override the case is for; without it the case must fail."""
    mutation: Mutation | None = None


class Corpus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pack makes of its folder of the corpus."""

    folder: str
    at_least: int
    """Records kept."""
    rejected: dict[str, str]
    """Reason to why records of this corpus are rejected for it."""


class Expectations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`pack.toml` beside a pack's cases: what else is expected of it. May be absent."""

    derived: frozenset[str] = frozenset()
    """Rules the pack names and never applies: they need history or inventory."""
    beside: tuple[str, ...] = ()
    """Code outside the pack's folder that decides for it: packs do not import each other."""
    failure: dict[str, Any] = {}
    """Dotted path into a record to the value that states a failure, where there is no code."""
    corpus: Corpus | None = None


def expectations(source: str) -> Expectations:
    """Return what is expected of a pack beside its cases."""
    path = FOLDER / source / "pack.toml"
    if not path.exists():
        return Expectations()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Expectations)
    except msgspec.MsgspecError as error:
        allowed = ", ".join(Expectations.__struct_fields__)
        raise ValueError(f"{path}: {error}; its members may be {allowed}") from error


def cases(source: str) -> dict[str, Path]:
    """Return the case files of a source by name."""
    return {path.stem: path for path in sorted((FOLDER / source).glob("*.json"))}


def rules(source: str) -> set[str]:
    """Return the identity rules the code of a pack can name."""
    package = Path(nhi_evidence.__file__).parent
    files = [package / name for name in expectations(source).beside]
    files += (package / "sources" / source).glob("*.py")
    return set(RULE.findall("".join(path.read_text() for path in files)))


def read(path: Path) -> Case:
    """Read one case. Raises `ValueError` naming the file, and which members are allowed."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Case)
    except msgspec.MsgspecError as error:
        allowed = ", ".join(Case.__struct_fields__)
        raise ValueError(f"{path}: {error}; its members may be {allowed}") from error


def outcome(case: Case, mapper: Mapper) -> dict[str, Any]:
    """Return the OCSF record of a case, or its rejection."""
    mapped = mapper.map(json.dumps(case.record, ensure_ascii=False).encode())
    if isinstance(mapped, Rejection):
        return {"rejection": mapped.reason}
    assert isinstance(mapped, Normalized)
    normalized: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
    return normalized


def differences(case: Case, normalized: dict[str, Any]) -> list[str]:
    """Return where an OCSF record is not what the case expects."""
    return [
        f"{path}: expected {wanted!r}, found {at(normalized, path)!r}"
        for path, wanted in case.expect.items()
        if at(normalized, path) != wanted
    ]


def at(value: Any, path: str) -> Any:
    """Return the value at a dotted path; None where there is none."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
