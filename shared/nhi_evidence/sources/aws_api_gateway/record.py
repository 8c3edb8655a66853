"""One entry of an access log in the format that this project ships (`log_format.json`).

API Gateway writes `-` for what it does not know.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested

_EMPTY = msgspec.Raw(b"")
_ABSENT = "-"
_MESSAGE, _ESCAPE = b'"message"', b"\\u"


class Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One request."""

    format: str | None = None
    request_id: str | None = None
    extended_request_id: str | None = None
    request_time_epoch: str | int | None = None
    account_id: str | None = None
    api_id: str | None = None
    stage: str | None = None
    domain_name: str | None = None
    protocol: str | None = None
    http_method: str | None = None
    resource_path: str | None = None
    route_key: str | None = None
    status: str | int | None = None
    error_response_type: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    api_key_id: str | None = None
    caller: str | None = None
    user_arn: str | None = None
    caller_account_id: str | None = None
    principal_org_id: str | None = None
    cognito_identity_id: str | None = None
    vpc_id: str | None = None
    vpce_id: str | None = None
    certificate_serial: str | None = None
    certificate_subject: str | None = None
    certificate_issuer: str | None = None
    authorizer_principal_id: str | None = None
    authorizer_status: str | int | None = None
    authorize_status: str | int | None = None
    authenticate_status: str | int | None = None
    waf_status: str | int | None = None
    iss: str | None = None
    sub: str | None = None
    client_id: str | None = None
    azp: str | None = None
    jti: str | None = None


class _LogEvent(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A CloudWatch Logs event whose message is the entry."""

    message: msgspec.Raw = _EMPTY
    request_id: msgspec.Raw = _EMPTY


_entries = LenientDecoder(Entry)
_log_event = msgspec.json.Decoder(_LogEvent).decode


def read(raw: bytes) -> tuple[Entry, tuple[str, ...], bytes] | Rejection:
    """Return a record's entry, the attributes that could not be used, and the entry's JSON text."""
    if raw.startswith(b"{") and _MESSAGE not in raw and _ESCAPE not in raw:
        # Without escapes, "message" cannot be spelled in any other way.
        decoded = _entries.record(raw)
        return decoded if isinstance(decoded, Rejection) else (*decoded, raw)
    try:
        outer = _log_event(raw)
        wrapped = bytes(outer.message) if not bytes(outer.request_id) else b""
        document = nested(wrapped) if wrapped else raw
    except msgspec.ValidationError:
        return Rejection("record_not_an_object")
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
    if document.startswith(b'"'):
        return Rejection("not_an_audit_entry", "a message that is no entry of the format")
    decoded = _entries.record(document)
    return decoded if isinstance(decoded, Rejection) else (*decoded, document)


def known(value: str | int | None) -> str | None:
    """Return a value as text; None if API Gateway does not know it."""
    return None if value in (None, "", _ABSENT) else str(value)
