"""Every form of a local file, as tests read it and docs/local-files.md lists it."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

from nhi_evidence.cli.input_notes import Notes
from nhi_evidence.cli.raw_input import Inputs
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.scope import Scope

TRAIL: dict[str, Any] = {
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE",
        "arn": "arn:aws:iam::111122223333:user/deploy",
        "accountId": "111122223333",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": "deploy",
    },
    "eventTime": "2026-03-01T12:00:00Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.10",
    "userAgent": "aws-cli/2.15",
    "requestID": "0e8d8a4e-0000-4000-8000-000000000001",
    "eventID": "0e8d8a4e-0000-4000-8000-000000000002",
    "readOnly": True,
    "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333",
}
ENTRY: dict[str, Any] = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": "ci@example.iam.gserviceaccount.com"},
        "requestMetadata": {"callerIp": "192.0.2.10"},
        "serviceName": "storage.googleapis.com",
        "methodName": "storage.buckets.list",
        "resourceName": "projects/example",
    },
    "insertId": "a1",
    "resource": {"type": "gcs_bucket", "labels": {"project_id": "example"}},
    "timestamp": "2026-03-01T12:00:00.5Z",
    "logName": "projects/example/logs/cloudaudit.googleapis.com%2Factivity",
}
_SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
ACTIVITY: dict[str, Any] = {
    "time": "2026-03-01T12:00:00.5Z",
    "resourceId": f"{_SUBSCRIPTION}/resourceGroups/a/providers/Microsoft.Storage/x/y",
    "operationName": "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION",
    "category": "Administrative",
    "resultType": "Success",
    "callerIpAddress": "192.0.2.10",
    "identity": {"claims": {"appid": "00000000-0000-4000-8000-000000000002"}},
}
REST: dict[str, Any] = {
    "eventTimestamp": "2026-03-01T12:00:00.5Z",
    "resourceId": ACTIVITY["resourceId"],
    "operationName": {"value": "Microsoft.Storage/storageAccounts/listKeys/action"},
    "category": {"value": "Administrative"},
    "status": {"value": "Succeeded"},
    "caller": "00000000-0000-4000-8000-000000000002",
}
ROW: dict[str, Any] = {
    "TimeGenerated": "2026-03-01T12:00:00.5Z",
    "OperationNameValue": "Microsoft.Storage/storageAccounts/listKeys/action",
    "CategoryValue": "Administrative",
    "ActivityStatusValue": "Success",
    "Caller": "00000000-0000-4000-8000-000000000002",
    "_ResourceId": ACTIVITY["resourceId"],
    "EventDataId": "00000000-0000-4000-8000-000000000003",
    "Type": "AzureActivity",
}
GRAPH: dict[str, Any] = {
    "id": "Directory_1",
    "category": "ApplicationManagement",
    "result": "success",
    "activityDisplayName": "Add service principal",
    "activityDateTime": "2026-03-01T12:00:00Z",
    "loggedByService": "Core Directory",
    "initiatedBy": {"app": {"appId": "00000000-0000-4000-8000-000000000002"}},
    "targetResources": [{"id": "00000000-0000-4000-8000-000000000004", "type": "ServicePrincipal"}],
}


class Form(NamedTuple):
    """A form: its name, how its bytes are made, and its records."""

    name: str
    body: bytes
    records: int
    """How many are accepted; 0 of a form that is refused."""
    rejected: int = 0
    assume_utc: bool = False
    """Whether it is read with `--assume-utc`."""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lines(*values: Any) -> bytes:
    return b"\n".join(map(_json, values)) + b"\n"


def _indented(*values: Any) -> bytes:
    return "\n".join(json.dumps(value, indent=2) for value in values).encode() + b"\n"


def _csv(*rows: tuple[str, ...]) -> bytes:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "\r\n".join(quoted).encode()


_HIVE = (
    "{type=AssumedRole, principalid=AROAEXAMPLE:run, arn=arn:aws:sts::111122223333:assumed-role/a/"
    "run, accountid=111122223333, invokedby=null, accesskeyid=ASIAEXAMPLE, username=null, "
    "sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-01T11:00:00Z}, "
    "sessionissuer={type=Role, principalid=AROAEXAMPLE, arn=arn:aws:iam::111122223333:role/a, "
    "accountid=111122223333, username=a}}}"
)
_BIG_QUERY = {
    "logName": ENTRY["logName"],
    "resource": ENTRY["resource"],
    "insertId": "a1",
    "timestamp": "2026-03-01 12:00:00.500 UTC",
    "protopayload_auditlog": {
        **{name: value for name, value in ENTRY["protoPayload"].items() if name != "@type"},
        "requestJson": '{"project":"example"}',
        "responseJson": None,
    },
}

SQL_ROW = {
    "eventVersion": "1.08",
    "userIdentity": json.dumps(TRAIL["userIdentity"]),
    "eventTime": "2026-03-01 12:00:00.000",
    "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity",
    "awsRegion": "us-east-1",
    "eventID": TRAIL["eventID"],
}
YAML = f"""---
insertId: a1
logName: {ENTRY["logName"]}
protoPayload:
  '@type': type.googleapis.com/google.cloud.audit.AuditLog
  authenticationInfo:
    principalEmail: ci@example.iam.gserviceaccount.com
  requestMetadata:
    callerIp: 192.0.2.10
  serviceName: storage.googleapis.com
  methodName: storage.buckets.list
  resourceName: projects/example
  status: {{}}
resource:
  labels:
    project_id: example
  type: gcs_bucket
severity: INFO
timestamp: '2026-03-01T12:00:00.5Z'
""".removeprefix("---\n").encode()

FORMS = (
    Form("CloudTrail file", _json({"Records": [TRAIL, TRAIL]}), 2),
    Form("a record per line, whatever the suffix", _lines(TRAIL, TRAIL), 2),
    Form("a line that is broken among records", _lines(TRAIL) + b"nope\n" + _lines(TRAIL), 2, 1),
    Form("a line that is cut off among records", _lines(TRAIL) + b'{"a":{\n' + _lines(TRAIL), 2, 1),
    Form("a JSON list", _json([TRAIL, TRAIL]), 2),
    Form("an empty JSON list", b"[]\n", 0),
    Form("empty JSON lists, one after the other", b"[]\n[]\n", 0),
    Form("indented records, one after the other", _indented(TRAIL, TRAIL), 2),
    Form("pages without anything between", _json({"Records": [TRAIL]}) * 2, 2),
    Form("UTF-8 with a byte order mark", b"\xef\xbb\xbf" + _lines(TRAIL), 1),
    Form("UTF-16 with a mark (PowerShell `>`)", _indented(TRAIL).decode().encode("utf-16"), 1),
    Form("UTF-16 without a mark", _lines(TRAIL).decode().encode("utf-16-be"), 1),
    Form(
        "`aws cloudtrail lookup-events`",
        _indented({"Events": [{"EventId": "a", "CloudTrailEvent": json.dumps(TRAIL)}]}),
        1,
    ),
    Form(
        "`aws logs filter-log-events`",
        _indented({"events": [{"message": json.dumps(TRAIL)}], "searchedLogStreams": []}) * 2,
        2,
    ),
    Form(
        "Logs Insights (`get-query-results`)",
        _json(
            {
                "results": [[{"field": "@message", "value": json.dumps(TRAIL)}]],
                "status": "Complete",
            }
        ),
        1,
    ),
    Form("EventBridge event", _json({"detail-type": "AWS API Call", "detail": TRAIL}), 1),
    Form(
        "CSV with the record in a column (Lake `eventJson`, Insights `@message`)",
        _csv(("eventTime", "eventJson"), ("2026-03-01 12:00:00.000", json.dumps(TRAIL))),
        1,
    ),
    Form(
        "CSV of Athena or Lake columns",
        _csv(
            ("eventversion", "useridentity", "eventtime", "eventsource", "eventname", "awsregion"),
            ("1.08", _HIVE, TRAIL["eventTime"], "sts.amazonaws.com", "AssumeRole", "us-east-1"),
        ),
        1,
    ),
    Form(
        "CSV of CloudTrail's Event history",
        _csv(
            ("Event ID", "Event time", "User name", "Event source", "Event name", "AWS region"),
            ("a", TRAIL["eventTime"], "deploy", "sts.amazonaws.com", "AssumeRole", "us-east-1"),
        ),
        1,
    ),
    Form(
        "SQL export, whose times carry no zone",
        _csv(tuple(SQL_ROW), tuple(SQL_ROW.values())),
        0,
        1,
    ),
    Form(
        "SQL export, with `--assume-utc`",
        _csv(tuple(SQL_ROW), tuple(SQL_ROW.values())),
        1,
        assume_utc=True,
    ),
    Form("log entries per line", _lines(ENTRY, ENTRY), 2),
    Form("`gcloud logging read --format=json`", _indented([ENTRY, ENTRY]), 2),
    Form("`gcloud logging read`, which prints YAML", YAML + b"---\n" + YAML, 2),
    Form("YAML with quoted names", re.sub(rb"(?m)^( *)(\w+):", rb'\1"\2":', YAML), 1),
    Form("YAML with a broken document", YAML + b"---\ninsertId: {\n---\n" + YAML, 2, 1),
    Form("`entries.list` pages", _indented({"entries": [ENTRY], "nextPageToken": "b"}) * 2, 2),
    Form("BigQuery rows of exported logs", _json([_BIG_QUERY]), 1),
    Form("hub message", _json({"records": [ACTIVITY, ACTIVITY]}), 2),
    Form("batch of hub messages", _json([{"records": [ACTIVITY]}, {"records": [ACTIVITY]}]), 2),
    Form("ARM page", _json({"value": [REST], "nextLink": "https://management.azure.com/x"}), 1),
    Form(
        "Graph pages",
        _indented({"@odata.context": "https://graph.microsoft.com/x", "value": [GRAPH]}) * 2,
        2,
    ),
    Form("AzureActivity rows", _json([ROW]), 1),
    Form(
        "Log Analytics query answer",
        _json(
            {
                "tables": [
                    {
                        "name": "PrimaryResult",
                        "columns": [{"name": name, "type": "string"} for name in ROW],
                        "rows": [list(ROW.values())],
                    }
                ]
            }
        ),
        1,
    ),
    Form(
        "CSV of AzureActivity rows", _csv(tuple(ROW), tuple(str(cell) for cell in ROW.values())), 1
    ),
    Form(
        "CSV of the Log Analytics page, whose header states UTC",
        _csv(
            tuple(name.replace("TimeGenerated", "TimeGenerated [UTC]") for name in ROW),
            tuple(str(cell).removesuffix("Z") for cell in ROW.values()),
        ),
        1,
    ),
    Form("an empty file", b"", 0, 1),
    Form("a document that is cut off", b'{"Records":[{"eventVersion":"1.08",', 0, 1),
    Form("JSON of no known log", _json({"hello": "world"}), 0, 1),
    Form("YAML of no known log", b"apiVersion: v1\nkind: Pod\n", 0, 1),
    Form("the same with quoted names", b'"apiVersion": v1\n"kind": Pod\n', 0, 1),
    Form("`aws --output table`", b"-----------\n| LookupEvents |\n", 0, 1),
    Form("CSV of the Azure portal", b"Correlation id,Operation name,Status,Event category\n", 0, 1),
    Form("CSV of anything else", b"a,b,c\n1,2,3\n", 0, 1),
    Form("HTML (a login page)", b"<!DOCTYPE html><html></html>", 0, 1),
    Form("Parquet", b"PAR1\x15\x04\x15", 0, 1),
    Form("Zstandard", b"\x28\xb5\x2f\xfd\x00\x00\x00", 0, 1),
    Form("binary data", b"\x01\x02\x00\x00\x03\x04", 0, 1),
    Form("binary data with commas", b"\x81,\xf9,W\xbf,\xa8", 0, 1),
    Form("gzip that is cut off", gzip.compress(_lines(TRAIL) * 200, mtime=0)[:-6], 200, 1),
)


def zipped(body: bytes, *names: str) -> bytes:
    """Return a zip of the same content under each name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("logs/a.json",):
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), body)
    return packed.getvalue()


def tarred(body: bytes, name: str = "logs/a.json") -> bytes:
    """Return a tar of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(body)
        archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()


class Outcome(NamedTuple):
    """What became of a form's bytes."""

    accepted: int
    rejected: int
    sources: tuple[str, ...]
    messages: tuple[str, ...]


def read(body: bytes, source: str | None = None, *, assume_utc: bool = False) -> Outcome:
    """Read bytes as `normalize` reads a file named FILE."""
    inputs = Inputs(source, scope=Scope.ALL, assume_utc=assume_utc)
    notes = Notes(quiet=True)
    accepted = rejected = 0
    for reading in inputs.stream("FILE", io.BytesIO(body)):
        if isinstance(reading.mapped, Rejection):
            rejected += 1
            notes.rejected(reading, reading.mapped)
        else:
            accepted += 1
    return Outcome(accepted, rejected, tuple(sorted(inputs.detected)), tuple(notes.texts))


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda body: body,
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda body: gzip.compress(tarred(body), mtime=0),
}


def table() -> str:
    """Return the table of docs/local-files.md, from what reading each form gives."""
    rows = [
        f"| Form | Read as | {' | '.join(PACKINGS)} | Message |",
        f"|---|---|{'--:|' * len(PACKINGS)}---|",
    ]
    for form in FORMS:
        outcomes = [read(pack(form.body), assume_utc=form.assume_utc) for pack in PACKINGS.values()]
        source = ", ".join(f"`{name}`" for name in outcomes[0].sources) or "refused"
        if not form.records and not form.rejected:
            source = "no records"
        counts = " | ".join(str(outcome.accepted) for outcome in outcomes)
        message = "<br>".join(text.replace("|", "\\|") for text in outcomes[0].messages)
        rows.append(f"| {form.name} | {source} | {counts} | {message} |")
    return "\n".join(rows)
