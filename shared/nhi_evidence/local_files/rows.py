"""CSV of log rows -> JSON records: CloudTrail Lake, Athena, Event history, Log Analytics.

A column that has the record as the provider wrote it (`eventJson`, `CloudTrailEvent`,
`@message`) is that record. Otherwise a row becomes an object of its columns; what the export left
out stays absent.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-event-data-store-cloudtrail.html
https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from nhi_evidence.local_files import hive
from nhi_evidence.local_files.documents import Document
from nhi_evidence.local_files.unreadable import Unreadable

_EXACT = frozenset({"eventjson", "cloudtrailevent", "message", "rawevent"})
_CLOUDTRAIL = (
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"),
    *("sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestParameters"),
    *("responseElements", "additionalEventData", "requestID", "eventID", "readOnly", "resources"),
    *("eventType", "apiVersion", "managementEvent", "recipientAccountId", "serviceEventDetails"),
    *("sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "tlsDetails"),
    *("sessionCredentialFromConsole", "addendum", "edgeDeviceDetails", "insightDetails"),
)
_NAMES = {name.lower(): name for name in _CLOUDTRAIL}
_IDENTITY = {"username": "userName", "awsaccesskey": "accessKeyId"}
"""What Event history shows about the caller."""
_JSON_TEXT = frozenset(
    {"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"}
)
_STRUCTS = frozenset({"userIdentity", "tlsDetails"})
_FLAGS = frozenset({"readOnly", "managementEvent"})
_NOTHING = frozenset({"", "null", "-"})
_SQUEEZED = re.compile(r"[^a-z0-9]")
_ZONE = re.compile(r" ?\[UTC\]$")
"""How the Azure portal marks the heading of a column with times in UTC."""
_LINE_END = re.compile(r"[\r\n]")
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)")
_KNOWN = (
    {"eventsource", "eventname"},
    {"operationnamevalue"},
    {"timegenerated", "type"},
    {"activitydisplayname"},
)


def is_known(head: bytes) -> bool:
    """Whether the first line has the column names of a known log."""
    columns = _columns(head.decode("utf-8", "replace"))
    return bool(_EXACT & columns) or any(known <= columns for known in _KNOWN)


def documents(stream: io.BufferedReader, limit: int) -> Iterator[Document]:
    """Yield a record for every row; `stream` stays open.

    `limit` is the most characters in a cell. A row that cannot be read affects no other.
    """
    before = csv.field_size_limit(limit)  # of the process; by default less than a CloudTrail event
    text = io.TextIOWrapper(stream, "utf-8", errors="surrogateescape", newline="")
    delimiter = "\t" if b"\t" in stream.peek(1024).partition(b"\n")[0] else ","
    reader = csv.reader(text, delimiter=delimiter)
    named: list[str] | None = None
    header: list[str] = []
    in_utc: list[int] = []
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                problem = Unreadable("damaged_csv", f"a damaged CSV ({error})", "export it again")
                yield Document(line, b"", is_json=False, problem=problem)
                cells = []
            if cells is None:
                return
            if named is None:
                named = [_readable(name).strip() for name in cells]
                header = [_ZONE.sub("", name) for name in named]
                in_utc = [index for index, name in enumerate(named) if _ZONE.search(name)]
            elif cells:
                for index in in_utc:
                    cells[index : index + 1] = map(_in_utc, cells[index : index + 1])
                yield _row(line, header, cells)
    finally:
        csv.field_size_limit(before)
        text.detach()


def _in_utc(cell: str) -> str:
    """Return an ISO 8601 time in UTC, as its column states; any other format is left unchanged."""
    match = _WITHOUT_ZONE.fullmatch(cell)
    return f"{match[1]}T{match[2]}Z" if match else cell


def _columns(head: str) -> set[str]:
    first = _LINE_END.split(head.lstrip(), 1)[0]
    delimiter = "\t" if "\t" in first else ","
    return {_squeezed(name) for name in next(csv.reader([first], delimiter=delimiter), [])}


def _squeezed(name: str) -> str:
    return _SQUEEZED.sub("", _ZONE.sub("", name).lower())


def _row(line: int, header: list[str], cells: list[str]) -> Document:
    data = _bytes(",".join(cells))
    if (problem := _problem(header, cells, data)) is not None:
        return Document(line, data, is_json=False, problem=problem)
    named = list(zip(header, cells, strict=True))
    for name, cell in named:
        if _squeezed(name) in _EXACT and cell.lstrip().startswith("{"):
            return Document(line, cell.strip().encode())
    squeezed = {_squeezed(name) for name, _ in named}
    is_cloudtrail = {"eventsource", "eventname"} <= squeezed
    content = _cloudtrail(named) if is_cloudtrail else _unchanged(named)
    return Document(line, msgspec.json.encode(content))


def _problem(header: list[str], cells: list[str], data: bytes) -> Unreadable | None:
    if len(cells) != len(header):
        looks_like = f"a row of {len(cells)} cells under {len(header)} columns"
        return Unreadable("damaged_csv", looks_like, "export it again, or as JSON", data)
    if any(_readable(cell) is not cell for cell in cells):
        return Unreadable("encoding", "a row that is not utf-8", "save it as UTF-8", data)
    return None


def _readable(cell: str) -> str:
    """Return a cell, with a mark in the place of bytes that are not UTF-8."""
    try:
        cell.encode()
    except UnicodeEncodeError:
        return _bytes(cell).decode(errors="replace")
    return cell


def _bytes(cell: str) -> bytes:
    return cell.encode(errors="surrogateescape")


def _unchanged(named: list[tuple[str, str]]) -> dict[str, Any]:
    return {name: cell for name, cell in named if cell not in _NOTHING}


def _cloudtrail(named: list[tuple[str, str]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    for column, cell in named:
        key = _squeezed(column)
        if cell in _NOTHING:
            continue
        if key in _IDENTITY:
            identity[_IDENTITY[key]] = cell
        elif (name := _NAMES.get(key)) is not None:
            content[name] = _value(name, cell)
    if identity and "userIdentity" not in content:
        content["userIdentity"] = identity
    return content


def _value(name: str, cell: str) -> Any:
    if name in _FLAGS and cell.lower() in {"true", "false"}:
        return cell.lower() == "true"
    if name in _JSON_TEXT or name in _STRUCTS or name == "resources":
        try:
            return msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            struct = hive.struct(cell) if name in _STRUCTS else None
            return cell if struct is None else struct
    return cell
