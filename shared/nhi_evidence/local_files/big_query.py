"""Turn a row of a Cloud Logging export table back into the log entry it was made from.

https://cloud.google.com/logging/docs/export/bigquery,
https://cloud.google.com/logging/docs/audit/bigquery-schema (names in `Json` have JSON as text)
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

MARK = "protopayload_auditlog"
_AS_TEXT = "Json"
_TIMES = ("timestamp", "receiveTimestamp")
_UTC = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?UTC|\+00(?::?00)?|Z)")


def entry(row: dict[str, msgspec.Raw]) -> bytes:
    """Return the entry of a row, as JSON. Raises `msgspec.DecodeError` for malformed JSON in it."""
    content: dict[str, Any] = {
        name: msgspec.json.decode(value) for name, value in row.items() if bytes(value) != b"null"
    }
    payload = content.pop(MARK)
    content["protoPayload"] = _unpacked(payload) if isinstance(payload, dict) else payload
    for name in _TIMES:
        if isinstance(content.get(name), str) and (match := _UTC.fullmatch(content[name])):
            content[name] = f"{match[1]}T{match[2]}Z"
    return msgspec.json.encode(content)


def _unpacked(payload: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in payload.items():
        if value is None:
            continue
        plain = name.removesuffix(_AS_TEXT)
        if plain != name and isinstance(value, str):
            values[plain] = msgspec.json.decode(value)
        else:
            values[name] = value
    return values
