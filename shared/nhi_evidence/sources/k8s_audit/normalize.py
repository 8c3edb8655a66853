"""One audit event of an API server -> Event or Rejection, from the record alone.

An event does not name its cluster, so canonical ids of service accounts, which need it, are absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Event, Logged, Rejection
from nhi_evidence.kubernetes import normalize as kubernetes
from nhi_evidence.kubernetes.audit_event import ObjectReference
from nhi_evidence.reading import instant
from nhi_evidence.sources.k8s_audit.cloud_caller import actor
from nhi_evidence.sources.k8s_audit.record import Read, read

_NO_REFERENCE = ObjectReference()


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    done = read(raw)
    if isinstance(done, Rejection):
        return done
    audit = done.event
    text = audit.requestReceivedTimestamp or audit.stageTimestamp
    time = instant.milliseconds(text)
    if text is None or time is None:
        if text is None and "requestReceivedTimestamp" not in done.unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(text)[:LONGEST_DETAIL])
    try:
        return _event(done, (time, text))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])


def _event(done: Read, time: tuple[int, str]) -> Event | Rejection:
    audit = done.event
    called = kubernetes.operation(audit)
    if called is None:
        return Rejection("event_name_missing")
    # The core group has no name: it is known by its version alone.
    reference = audit.objectRef or _NO_REFERENCE
    service_name = reference.apiGroup or reference.apiVersion or audit.apiVersion
    service_name = service_name or called.resource.partition("/")[0]
    return kubernetes.event(
        audit,
        called,
        time,
        Logged(
            "Kubernetes",
            "Kubernetes Audit",
            "kubernetes_audit",
            audit.stage,
            audit.apiVersion,
            kubernetes.uid(audit),
            audit.auditID or None,
        ),
        service_name=service_name,
        cluster=None,
        unusable=done.unusable,
        who=actor(done.users),
        record=msgspec.Raw(done.document),
    )
