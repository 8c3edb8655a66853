"""Options that select whose records, shared by every command that follows an identity."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.cli.record_output import window
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate import lineage, visibility
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.timeline import Judged

Identities = Annotated[
    list[str] | None,
    typer.Option(
        "--identity",
        help="Canonical ID, provider's own ID, exact name, or nhi:oidc:ISSUER|SUBJECT.",
    ),
]
Credentials = Annotated[
    list[str] | None, typer.Option("--credential", help="ID of a credential, e.g. AKIA...")
]
Addresses = Annotated[
    list[str] | None, typer.Option("--ip", metavar="ADDRESS", help="IP address of the caller.")
]
Resources = Annotated[
    list[str] | None, typer.Option("--resource", help="ID or name of the resource acted on.")
]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="From this time (ISO 8601).")
]
Until = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before this time.")]

HoursFrom = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Athena only: read from the hour of this time."),
]
HoursTo = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="TIME", help="Athena only: read hours before this time; default: now."
    ),
]


_UNDECODED = re.compile("[\ud800-\udfff]")
"""What stands for a byte of the command line that is no text."""


def selection(
    *,
    identity: list[str] | None,
    credential: list[str] | None,
    address: list[str] | None,
    resource: list[str] | None,
    since: str | None,
    until: str | None,
) -> Selection:
    """Return what the options select. Raises `typer.BadParameter` where they select nobody."""
    for text in (*(identity or ()), *(credential or ()), *(resource or ())):
        if not text:
            raise typer.BadParameter("an empty text names nobody")
        if _UNDECODED.search(text):
            raise typer.BadParameter(f"{text!r} is not UTF-8; nothing in a record can match it")
    start, end = window(since, until)
    chosen = Selection(
        identities=frozenset(identity or ()),
        credentials=frozenset(credential or ()),
        addresses=frozenset(each for text in address or () for each in _spellings(text)),
        resources=frozenset(resource or ()),
        since=start,
        until=end,
    )
    if chosen.is_empty:
        raise typer.BadParameter(
            "select whose records: --identity, --credential, --ip or --resource"
        )
    return chosen


def _spellings(text: str) -> set[str]:
    """Return an address as records may spell it: as given, shortened, in full."""
    try:
        parsed = ip_address(text)
    except ValueError as error:
        raise typer.BadParameter(f"--ip: {text!r} is not an IP address") from error
    return {text, str(parsed), parsed.exploded}


def subject(selection: Selection) -> str:
    """Return a selection in words."""
    named = [
        *sorted(selection.identities),
        *sorted(selection.credentials),
        *sorted(selection.addresses),
        *sorted(selection.resources),
    ]
    return " or ".join(named)


Coverage = Annotated[
    Path | None,
    typer.Option(
        "--coverage",
        exists=True,
        dir_okay=False,
        help="Report what could not have been seen, according to this `coverage --json` report.",
    ),
]


def judge(file: Path | None, chosen: Selection) -> Callable[[lineage.Path], Judged] | None:
    """Return what judges which of a path could be seen; None without a report.

    Raises `SettingsError` for what is not a report.
    """
    if file is None:
        return None
    try:
        report = visibility.read(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error
    return lambda path: visibility.judged(path, report, chosen.since, chosen.until)
