"""The Kubernetes audit event inside `properties.log`, whole or cut off.

https://learn.microsoft.com/azure/aks/monitor-aks-reference
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection
from nhi_evidence.kubernetes.audit_event import AuditEvent, audit_events
from nhi_evidence.reading.cut_off import leading_members
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested
from nhi_evidence.sources.azure_resource.envelope import EnvelopeView
from nhi_evidence.sources.azure_resource.record import EMPTY, is_absent

CUT_OFF = "properties.log.cut_off"
"""Label of an event that was read from the part before the cut."""


class _Properties(msgspec.Struct, frozen=True, gc=False):
    log: msgspec.Raw = EMPTY


_properties = LenientDecoder(_Properties, fold_case=True)


def read(view: EnvelopeView) -> tuple[AuditEvent, tuple[str, ...]] | Rejection:
    """Read the audit event in a record; the second value names attributes that could not be used.

    Raises as `msgspec.json.decode` does when the properties cannot be decoded.
    """
    if is_absent(view.envelope.properties):
        return Rejection("log_missing", "no properties")
    try:
        log = _properties.part_leniently(nested(view.envelope.properties), "properties")[0].log
    except msgspec.ValidationError:
        return Rejection("log_missing", "properties hold no object")
    if is_absent(log):
        return Rejection("log_missing", "properties hold no log")
    text = nested(log)
    if text.startswith(b'"'):
        return Rejection("log_malformed", text[:LONGEST_DETAIL].decode(errors="replace"))
    decoded = audit_events.record(text)
    if isinstance(decoded, Rejection) and (leading := leading_members(text)) is not None:
        # AKS cuts a log off at 16 KiB; who called what is at its beginning.
        decoded = audit_events.record(leading)
        if not isinstance(decoded, Rejection) and decoded[0].user is not None:
            return decoded[0], (*decoded[1], CUT_OFF)
        decoded = Rejection("malformed_json", "cut off before it names a user")
    if isinstance(decoded, Rejection):
        return Rejection("log_malformed", f"{decoded.reason} {decoded.detail}"[:LONGEST_DETAIL])
    return decoded
