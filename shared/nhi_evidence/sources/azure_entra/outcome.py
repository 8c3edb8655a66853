"""Outcomes: the AADSTS code of a sign-in, the result of a change, the status of a call.

Codes are classified by their documented names:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from nhi_evidence.event import Outcome, Result
from nhi_evidence.sources.azure_entra.record import Audit, Envelope, GraphCall, SignIn, Status


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTERRUPTS = _codes(
    "16000 50058 50072 50074 50076 50078 50079 50097 50125 50127 50129 50140 50142 50158 50168 "
    "50199 50203 51006 65001 70016 70043 70044 70046 90095 1000002"
)
"""A further step is required: the sign-in has neither succeeded nor failed yet."""
_DENIED = _codes(
    "50002 500021 500022 500212 500213 50005 50020 50105 50131 53000 53001 53002 53003 530032 "
    "530034 530035 53004 53010 53011 54000 65002 65004 75008 90093 90094 90099 90123 240001 "
    "7000114"
)
"""The caller is known, but policy, assignment or consent refuses the request."""
_THROTTLED = _codes("50088 50166 50196 90055")
_NOT_FOUND = _codes("50001 500011 50049 90002")
_INVALID = _codes(
    "28002 28003 50010 50011 50029 50050 50147 501481 501491 50194 70003 70004 70005 700054 70007 "
    "70011 700022 700023 75001 75003 75005 7500514 750054 76021 90004 90005 90007 9001023 90013 "
    "90014 900144 90015 90019 90023 900236 9002313 9002332 90056 900561 900971 90100 901002 90101 "
    "90102 90107 90114 90117 90119 90121 90124 90130"
)
_UNAUTHENTICATED = _codes(
    "50008 50012 50013 50017 50027 50034 50048 50053 50055 50056 50057 50064 50085 50089 500121 "
    "50126 50128 50132 50133 500133 50135 50144 50146 50155 50173 500571 51004 70000 70001 "
    "700016 70002 700021 700024 700027 70008 700081 700082 700084 7000112 7000215 7000216 "
    "7000218 7000222 7000229 81004 81005 81006 81007 81009 81010 81011 81012 135010"
)
"""The credential or its owner was not accepted."""
_SUCCEEDED = "0"
_SUCCESS_WORDS = frozenset({"success", "succeeded"})
_STATUS_CLASSES = {
    400: Result.INVALID,
    401: Result.UNAUTHENTICATED,
    403: Result.DENIED,
    404: Result.NOT_FOUND,
    410: Result.NOT_FOUND,
    429: Result.THROTTLED,
}
_FIRST_SUCCESS, _FIRST_FAILURE, _LAST = 200, 400, 599


def of_sign_in(envelope: Envelope, sign_in: SignIn) -> Outcome:
    """Derive the outcome of a sign-in: `resultType`, a number or a word, else `status`."""
    status = sign_in.status or Status()
    result_type = envelope.resultType if envelope.resultType not in (None, "") else None
    number = None if status.errorCode is None else str(status.errorCode)
    word = None if result_type is None else str(result_type)
    # If the two numbers differ, the one that is not a success counts: neither is a default.
    is_number = word is not None and word.isdigit() and (word != _SUCCEEDED or number is None)
    code = word if is_number else number or word
    detail = status.failureReason or envelope.resultDescription or None
    if code is None:
        code = str(envelope.resultSignature or "") or None
    if code is None or code.lower() == "none":
        return Outcome(Result.UNKNOWN, None, detail)
    if code == _SUCCEEDED or code.lower() in _SUCCESS_WORDS:
        return Outcome(Result.SUCCESS)
    return Outcome(_by_code(code), code, detail)


def _by_code(code: str) -> Result:
    if code in _INTERRUPTS:
        return Result.UNKNOWN
    if code in _DENIED:
        return Result.DENIED
    if code in _THROTTLED:
        return Result.THROTTLED
    if code in _NOT_FOUND:
        return Result.NOT_FOUND
    if code in _INVALID:
        return Result.INVALID
    if code in _UNAUTHENTICATED:
        return Result.UNAUTHENTICATED
    # A code in none of these lists says only that the sign-in failed.
    return Result.FAILED


def of_audit(envelope: Envelope, audit: Audit) -> Outcome:
    """Derive the outcome of a change: `success`, `failure`, `timeout`, or not stated."""
    word = audit.result or envelope.result
    detail = audit.resultReason or envelope.resultDescription or None
    if not word:
        return Outcome(Result.UNKNOWN, None, detail)
    if word.lower() in _SUCCESS_WORDS:
        return Outcome(Result.SUCCESS)
    failed = word.lower() in {"failure", "failed", "timeout"}
    return Outcome(Result.FAILED if failed else Result.UNKNOWN, word, detail)


def of_call(envelope: Envelope, call: GraphCall) -> Outcome:
    """Derive the outcome of a Graph call from its HTTP status."""
    status_code = call.responseStatusCode
    if status_code is None:
        status_code = envelope.resultSignature
    code = "" if status_code is None else str(status_code)
    if not code.isdigit() or not code.isascii() or not _FIRST_SUCCESS <= int(code[:4]) <= _LAST:
        return Outcome(Result.UNKNOWN, code or None)
    status = int(code)
    if status < _FIRST_FAILURE:
        return Outcome(Result.SUCCESS)
    return Outcome(_STATUS_CLASSES.get(status, Result.FAILED), code)
