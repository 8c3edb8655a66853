"""A case's custody record and legal holds: each only on request, and never skipped silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
import typer

from nhi_evidence import __version__
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.errors import SettingsError, StoreUnavailableError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.case.contents import Hold

NOT_ASKED = "not requested (--custody)"
NOT_LOCKED = "the evidence was read from a directory, which cannot lock"

AsksRecord = Annotated[
    bool,
    typer.Option(
        "--custody",
        help="Write a custody record into the evidence; if that fails, no case is written.",
    ),
]
RecordRole = Annotated[
    str | None,
    typer.Option("--custody-role", metavar="ARN", help="Assume this role to write the record."),
]
AsksHold = Annotated[
    bool,
    typer.Option(
        "--legal-hold",
        help="Put the case's objects under legal hold; if that fails, no case is written.",
    ),
]
HoldRole = Annotated[
    str | None,
    typer.Option("--legal-role", metavar="ARN", help="Assume this role to set the legal holds."),
]


def record_writer(
    evidence: str, access: Access, *, is_asked: bool, role: str | None
) -> tuple[Callable[[str, bytes], None] | None, str | None]:
    """Return what writes a custody record into the evidence, or None and why none is written.

    Raises `SettingsError` where a record is requested of a directory.
    """
    is_bucket = evidence.startswith("s3://")
    if role is not None and not is_asked:
        raise SettingsError("--custody-role needs --custody")
    if is_asked and not is_bucket:
        raise SettingsError(f"--custody: {NOT_LOCKED}")
    if not is_asked:
        return None, NOT_ASKED if is_bucket else NOT_LOCKED
    store = open_log(evidence, _through(access, role))

    def write(key: str, body: bytes) -> None:
        metadata = {"writer": f"nhi-evidence {__version__}", "written-at": clock.utc_now()}
        try:
            store.put_new(key, body, metadata=metadata)
        except StoreUnavailableError as error:
            raise SettingsError(
                f"no case was written, because its custody record could not be: {error}"
            ) from error

    return write, None


def hold(
    evidence: str, access: Access, stored: StoredLog, wanted: Iterable[str], role: str | None
) -> tuple[Hold, ...]:
    """Put the sealed versions of objects under legal hold, and return them.

    Raises `SettingsError` where one cannot be; it names those already held, which stay held.
    """
    keys = set(wanted)
    listed = sealed.listed(stored, sealed.heads(stored)).objects
    store = open_log(evidence, _through(access, role))
    if isinstance(store, DirectoryStore):
        raise SettingsError("--legal-hold: a directory has no legal holds")
    done: list[Hold] = []
    for each in listed:
        if each.key not in keys:
            continue
        try:
            store.hold(each.key, each.vid)
        except StoreUnavailableError as error:
            so_far = ", ".join(each.object for each in done) or "none"
            raise SettingsError(
                f"no case was written: {error}; already under legal hold, and staying so: {so_far}"
            ) from error
        done.append(Hold(each.key, each.vid))
    return tuple(done)


def _through(access: Access, role: str | None) -> Access:
    return access if role is None else msgspec.structs.replace(access, role_arn=role)
