"""Hostile and realistic CloudTrail records, for property tests and fuzzing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from nhi_evidence.sources.aws_cloudtrail import record as shape

TEXT = st.text(max_size=20) | st.sampled_from(
    [
        "",
        "AKIAIOSFODNN7EXAMPLE",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/x",
        "arn:aws:sts::111122223333:assumed-role/r/s",
        "arn:aws",
        "true",
        "1.0",
        "2001:db8::1",
        "192.0.2.1",
        "x.amazonaws.com",
        "system:serviceaccount:a:b",
        "i-0123456789abcdef0",
        "person@example.com",
        "\x1b[31m\u202e",
        "\x00",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

_IDENTITY_TYPES = st.sampled_from(
    [
        "AWSService",
        "Root",
        "IdentityCenterUser",
        "WebIdentityUser",
        "SAMLUser",
        "AssumedRole",
        "FederatedUser",
        "IAMUser",
        "AWSAccount",
        "Unknown",
        "Novel",
    ]
)
_TIMES = st.sampled_from(
    [
        "2026-03-02T08:15:30Z",
        "2026-03-02T08:15:30.123456789Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "now",
    ]
)
_OPERATIONS = st.sampled_from(
    [
        ("sts.amazonaws.com", "AssumeRole"),
        ("iam.amazonaws.com", "CreateAccessKey"),
        ("iam.amazonaws.com", "AttachGroupPolicy"),
        ("iam.amazonaws.com", "DeactivateMFADevice"),
        ("signin.amazonaws.com", "ConsoleLogin"),
        ("bedrock-agentcore.amazonaws.com", "InvokeGateway"),
        ("s3.amazonaws.com", "GetObject"),
        ("dynamodb.amazonaws.com", "GetItem"),
        ("cloudtrail.amazonaws.com", "StopLogging"),
        ("sso.amazonaws.com", "CreateAccountAssignment"),
        ("secretsmanager.amazonaws.com", "CreateSecret"),
        ("novel.amazonaws.com", "Frobnicate20240101v2"),
    ]
)


def _like(struct: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with the attributes of a struct, each of its own or of any shape."""
    fields = dict.fromkeys(struct.__struct_fields__, TEXT | JSON)
    return st.fixed_dictionaries({}, optional=fields)


IDENTITY = st.builds(
    lambda base, kind, context, issuer: {
        **base,
        "type": kind,
        "sessionContext": {**context, "sessionIssuer": issuer},
    },
    _like(shape.UserIdentity),
    _IDENTITY_TYPES,
    _like(shape.SessionContext),
    _like(shape.SessionIssuer),
)

RECORD = st.builds(
    lambda base, time, called, identity, request, response, fields: {
        **base,
        "eventTime": time,
        "eventSource": called[0],
        "eventName": called[1],
        "userIdentity": identity,
        "requestParameters": request,
        "responseElements": response,
        **fields,
    },
    _like(shape.TrailRecord),
    _TIMES,
    _OPERATIONS,
    IDENTITY | JSON,
    JSON | st.dictionaries(st.sampled_from(["roleArn", "userName", "name", "bucketName"]), TEXT),
    JSON,
    st.fixed_dictionaries({}, optional={"sourceIPAddress": TEXT, "errorCode": TEXT}),
)

RAW = (
    RECORD.map(lambda record: json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass"))
    | RECORD.map(lambda record: json.dumps(record).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(min_size=1, max_size=30)
)
"""Raw bytes of one record: realistic, hostile, or no record at all."""
