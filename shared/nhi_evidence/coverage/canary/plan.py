"""Plans: an hour's probes, announced and sealed before it, so that silence is evidence.

A plan is a function of log, platform and hour, so its nonces are not secret. Whoever copies a nonce
into a call of their own leaves a record of that under their own name.
"""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, Probe, probes
from nhi_evidence.errors import CatalogError, SettingsError
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.leaf import Number

KIND = "coverage"
ENDING = ".canaries.json.zst"
PLAN_VERSION = 1
_MAX_BYTES = 1 << 20
_HOUR_MS = 3_600_000


class Announced(msgspec.Struct, frozen=True, omit_defaults=True):
    """One announced probe."""

    cell: str
    nonce: str
    operation: str
    phases: tuple[str, ...]
    expect: str
    within_minutes: Number
    """How long after the hour its record must have been locked."""
    principal: str = ""
    """The principal its record names; empty for the plan's."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The probes of one platform in one hour."""

    v: int
    platform: str
    hour: str
    """`YYYYMMDDHH`."""
    principal: str
    """The canary's own identity, as records name it."""
    probes: tuple[Announced, ...]


def plan(
    log: str,
    platform: str,
    hour: str,
    principal: str,
    delays: dict[str, int],
    *,
    account: str = "",
    federated: str = "",
) -> Plan:
    """Return the plan of an hour: the probes that are due in it.

    `delays` are minutes by cell; `account` distinguishes the canaries of several accounts;
    `federated` is the foreign identity that assumes the canary's, as records name it. Raises
    `SettingsError` for an invalid hour, `CatalogError` if there would be too many calls.
    """
    start = keys.hour_start(hour)
    if start is None:
        raise SettingsError(f"{hour!r} is not an hour, YYYYMMDDHH")
    due = [one for one in probes(platform) if (start // _HOUR_MS) % one.every_hours == 0]
    if len(due) >= MAX_CALLS_AN_HOUR:
        raise CatalogError(f"{len(due)} probes of {platform} in an hour: {MAX_CALLS_AN_HOUR}")
    return Plan(
        v=PLAN_VERSION,
        platform=platform,
        hour=hour,
        principal=principal,
        probes=tuple(
            Announced(
                cell=one.cell,
                nonce=nonce(log, hour, one, account),
                operation=one.operation,
                phases=one.phases,
                expect=one.expect,
                within_minutes=2 * delays[one.cell],
                principal=federated if one.principal == "federated" else "",
            )
            for one in due
        ),
    )


def nonce(log: str, hour: str, probe: Probe, account: str = "") -> str:
    """Return the marker of one probe in one hour: hex, so that it fits into any name.

    One that goes into a request id has the form of a UUID: a provider may drop any other.
    """
    text = f"{log}\n{hour}\n{probe.cell}\n{probe.call}\n{probe.outcome}"
    text += f"\n{account}" if account else ""
    digest = sha256(text.encode()).hexdigest()
    if probe.nonce_in == "request_id":
        # Version 4 and variant 8 of RFC 9562, as a random UUID has.
        parts = (digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32])
        return "-".join(parts)
    return f"nhic{digest[:20]}"


def write(promised: Plan) -> Operation:
    """Return a plan's object, under the hour it is for."""
    body, _ = frame.pack([msgspec.json.encode(promised, order="sorted")])
    key = f"op/v1/{KIND}/h={promised.hour}/{sha256(body).hexdigest()}{ENDING}"
    return Operation(
        key, body, {"platform": promised.platform, "probes": str(len(promised.probes))}
    )


def read(body: bytes, name: str) -> Plan:
    """Decode a plan. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=_MAX_BYTES)
        decoded = msgspec.json.decode(lines[0], type=Plan)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ReadingError(f"{name}: {error}") from error
    if len(lines) != 1 or decoded.v != PLAN_VERSION or write(decoded).body != body:
        raise ReadingError(f"{name}: not in canonical form")
    if keys.hour_start(decoded.hour) is None or not all(_sound(one) for one in decoded.probes):
        raise ReadingError(f"{name}: an invalid hour, nonce or time limit")
    return decoded


_NONCE = re.compile(r"[A-Za-z0-9]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _sound(probe: Announced) -> bool:
    return _NONCE.fullmatch(probe.nonce) is not None and probe.within_minutes > 0
