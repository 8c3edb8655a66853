"""The floor, a standard-library variant, and peers that install from the package index.

Each peer maps about two dozen main fields; some keep the raw text beside them, as the name of their
row says. None of them builds a record tree, decides identity kinds or phases, or accounts for what
it left out. All compress at the level evidence is compressed at.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import orjson
from backports import zstd
from py_ocsf_models.objects.account import Account
from py_ocsf_models.objects.api import API
from py_ocsf_models.objects.cloud import Cloud
from py_ocsf_models.objects.metadata import Metadata
from py_ocsf_models.objects.product import Product
from py_ocsf_models.objects.service import Service
from pydantic import BaseModel

from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import frame


def floor(gz: bytes) -> int:
    """Touch the bytes: gunzip, parse, serialize, compress (1.00 by definition)."""
    document = orjson.loads(gzip.decompress(gz))
    zstd.compress(orjson.dumps(document), frame.LEVEL)
    return len(document["Records"])


def floor_of_lines(body: bytes) -> int:
    """Touch the bytes of a file of JSON lines: parse, serialize, compress."""
    lines = [orjson.dumps(orjson.loads(line)) for line in body.splitlines()]
    zstd.compress(b"\n".join(lines), frame.LEVEL)
    return len(lines)


def floor_of_run(body: bytes) -> int:
    """Touch the bytes of a framed run of messages: parse, serialize, compress."""
    _, framed = event_hub.read(body)
    documents = [orjson.loads(body[one.start : one.end]) for one in framed]
    zstd.compress(b"\n".join(map(orjson.dumps, documents)), frame.LEVEL)
    return sum(len(one["records"]) for one in documents)


def _reshape(record: dict[str, Any], digest: str) -> dict[str, Any]:
    identity = record.get("userIdentity") or {}
    session = identity.get("sessionContext") or {}
    moment = datetime.fromisoformat(record["eventTime"])
    return {
        "time": int(moment.timestamp() * 1000),
        "class_uid": 6003,
        "activity_id": 2 if record.get("readOnly") else 99,
        "metadata": {
            "uid": record.get("eventID"),
            "product": {"name": "CloudTrail", "vendor_name": "AWS"},
            "version": "1.8.0",
            "event_code": record.get("eventType"),
            "original_time": record["eventTime"],
        },
        "cloud": {
            "provider": "AWS",
            "region": record.get("awsRegion"),
            "account": {"uid": record.get("recipientAccountId")},
        },
        "api": {
            "operation": record.get("eventName"),
            "service": {"name": record.get("eventSource")},
            "request": {"uid": record.get("requestID")},
        },
        "actor": {
            "user": {
                "uid": identity.get("principalId"),
                "name": identity.get("userName"),
                "type": identity.get("type"),
            },
            "session": {
                "uid": identity.get("arn"),
                "credential_uid": identity.get("accessKeyId"),
                "issuer": (session.get("sessionIssuer") or {}).get("arn"),
            },
        },
        "src_endpoint": {"ip": record.get("sourceIPAddress")},
        "http_request": {"user_agent": record.get("userAgent")},
        "resources": [{"uid": one.get("ARN")} for one in record.get("resources") or ()],
        "status_id": 2 if record.get("errorCode") else 1,
        "status_code": record.get("errorCode"),
        "status_detail": record.get("errorMessage"),
        "raw_data_hash": digest,
    }


def standard_library(gz: bytes) -> int:
    """`gzip`, `json`, dictionaries, `hashlib`, gzip again."""
    records = json.loads(gzip.decompress(gz))["Records"]
    lines = [
        json.dumps(_reshape(one, sha256(json.dumps(one).encode()).hexdigest())) for one in records
    ]
    gzip.compress("\n".join(lines).encode(), 6)
    return len(lines)


def dictionaries(gz: bytes) -> int:
    """The same two dozen fields as dictionaries, with exact slice, its hash and the raw text."""
    slices = _records(gzip.decompress(gz)).Records
    lines = []
    for piece in slices:
        raw = bytes(piece)
        shaped = _reshape(orjson.loads(raw), sha256(raw).hexdigest())
        lines.append(orjson.dumps({"n": shaped, "r": raw.decode()}))
    zstd.compress(b"\n".join(lines), frame.LEVEL)
    return len(lines)


class _Records(msgspec.Struct):
    Records: list[msgspec.Raw]


_records = msgspec.json.Decoder(_Records).decode


class _ApiActivity(BaseModel):
    time: int
    metadata: Metadata
    cloud: Cloud
    api: API
    actor: dict[str, Any]
    src_endpoint: dict[str, Any]
    status_code: str | None
    raw_data_hash: str


def pydantic_without_raw(gz: bytes) -> int:
    """Prowler's pydantic OCSF models and a hash; the raw text is not kept."""
    records = orjson.loads(gzip.decompress(gz))["Records"]
    lines = [_as_model(one, orjson.dumps(one)).encode() for one in records]
    zstd.compress(b"\n".join(lines), frame.LEVEL)
    return len(lines)


def pydantic_with_raw(gz: bytes) -> int:
    """Prowler's pydantic OCSF models, with exact slice, its hash and the raw text."""
    lines = []
    for piece in _records(gzip.decompress(gz)).Records:
        raw = bytes(piece)
        text = orjson.dumps(raw.decode())
        lines.append(b'{"n":' + _as_model(orjson.loads(raw), raw).encode() + b',"r":' + text + b"}")
    zstd.compress(b"\n".join(lines), frame.LEVEL)
    return len(lines)


def _as_model(record: dict[str, Any], hashed: bytes) -> str:
    digest = sha256(hashed).hexdigest()
    shaped = _reshape(record, digest)
    event = _ApiActivity(
        time=shaped["time"],
        metadata=Metadata(
            uid=record.get("eventID"),
            version="1.8.0",
            product=Product(name="CloudTrail", vendor_name="AWS"),
            event_code=record.get("eventType"),
        ),
        cloud=Cloud(
            provider="AWS",
            region=record.get("awsRegion"),
            account=Account(uid=record.get("recipientAccountId") or "", name="", type_id=0),
        ),
        api=API(
            operation=record["eventName"],
            service=Service(name=record["eventSource"], uid="", version=""),
        ),
        actor=shaped["actor"],
        src_endpoint=shaped["src_endpoint"],
        status_code=record.get("errorCode"),
        raw_data_hash=digest,
    )
    return event.model_dump_json(exclude_none=True)


_SQL = """
copy (
  select r.eventTime as original_time, epoch_ms(r.eventTime::timestamptz) as time,
    6003 as class_uid, r.eventID as uid, r.eventName as operation, r.eventSource as service,
    r.awsRegion as region, r.recipientAccountId as account, r.sourceIPAddress as ip,
    r.userAgent as user_agent, r.errorCode as status_code, r.userIdentity.arn as arn,
    r.userIdentity.accessKeyId as credential_uid, r.userIdentity.type as type,
    sha256(r::json::varchar) as raw_data_hash
  from (select unnest(Records) as r from read_json('{source}', maximum_object_size=1000000000,
        columns={{Records: 'STRUCT(eventTime VARCHAR, eventID VARCHAR, eventName VARCHAR,
          eventSource VARCHAR, awsRegion VARCHAR, recipientAccountId VARCHAR,
          sourceIPAddress VARCHAR, userAgent VARCHAR, errorCode VARCHAR,
          userIdentity STRUCT(arn VARCHAR, accessKeyId VARCHAR, type VARCHAR))[]'}}))
) to '{target}' (format json, compression zstd)
"""


def duckdb_sql(gz: bytes) -> int:
    """DuckDB from json.gz to ndjson.zst, one thread; nested leftovers are dropped."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.json.gz", Path(folder) / "out.json.zst"
        source.write_bytes(gz)
        with duckdb.connect(config={"threads": 1}) as connection:
            result = connection.execute(_SQL.format(source=source, target=target)).fetchone()
    return int(result[0]) if result else 0
