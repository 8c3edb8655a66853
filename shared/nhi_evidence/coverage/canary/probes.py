"""The probes: what each calls, as whom, and what its record must say.

Every probe is refused, reads only what the canary owns, or asks for something that does not
exist. None changes anything the canary does not own: no trail, policy or setting of anybody else.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any, Literal

import msgspec

from nhi_evidence.coverage.cells import cells
from nhi_evidence.errors import CatalogError

MAX_CALLS_AN_HOUR = 60
"""All probes of a platform together make fewer calls per hour than this."""
NONCE = "{nonce}"
"""Placeholder for the probe's nonce in a parameter."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One probe of one cell."""

    cell: str
    platform: Literal["aws", "gcp", "entra"]
    call: str
    """As its runner names it: `sts:GetCallerIdentity`, `POST https://...`."""
    parameters: dict[str, Any] = {}
    nonce_in: Literal["user_agent", "parameter", "request_id"]
    """Where its record shows the nonce."""
    operation: str = ""
    """The record's operation, as the catalog spells it."""
    phases: tuple[str, ...] = ()
    """Phases of which the record must have at least one, base or effective."""
    expect: Literal["record", "none"] = "record"
    """`none`: a negative probe, of something that cannot be recorded."""
    body: Literal["json", "form"] = "json"
    """How a POST carries its parameters; a GET has them in its URL."""
    principal: Literal["canary", "federated"] = "canary"
    """Whom its record names: the canary, or the foreign identity that assumes the canary's."""
    outcome: Literal["allowed", "refused"]
    every_hours: int = 1
    escalation: str = ""
    """For a privilege probe: the pathfinding.cloud path whose first step it tries."""

    @property
    def calls_an_hour(self) -> float:
        """How many calls it makes per hour, on average."""
        return 1 / self.every_hours


@cache
def probes(platform: str | None = None) -> tuple[Probe, ...]:
    """Return the probes of a platform, or all. Raises `CatalogError` for an invalid table."""
    data = pkgutil.get_data(__name__, "probes.json")
    if data is None:
        raise CatalogError("coverage: probes.json is missing")
    try:
        table = msgspec.json.decode(data, type=tuple[Probe, ...])
    except msgspec.MsgspecError as error:
        raise CatalogError(f"coverage: probes.json: {error}") from error
    known = {cell.id: cell for cell in cells()}
    for probe in table:
        cell = known.get(probe.cell)
        if cell is None:
            raise CatalogError(f"coverage: probes.json: no cell {probe.cell}")
        if (probe.expect == "none") != (cell.documented == "impossible"):
            raise CatalogError(f"coverage: probes.json: {probe.cell}: expects {probe.expect}")
    return tuple(probe for probe in table if platform in (None, probe.platform))
