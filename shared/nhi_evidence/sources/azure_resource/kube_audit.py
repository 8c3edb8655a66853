"""A Kubernetes audit record of AKS (kube-audit, kube-audit-admin) -> Event."""

from __future__ import annotations

from nhi_evidence.azure.text import non_empty
from nhi_evidence.event import Event, Rejection, Target
from nhi_evidence.kubernetes import normalize
from nhi_evidence.kubernetes.about import CLUSTER
from nhi_evidence.sources.azure_resource import kube_record
from nhi_evidence.sources.azure_resource.envelope import EnvelopeView

_PRODUCT = "Azure Kubernetes Service"


def event(view: EnvelopeView) -> Event | Rejection:
    """Return the event that an audit record states, or why it states none.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    decoded = kube_record.read(view)
    if isinstance(decoded, Rejection):
        return decoded
    audit, unusable = decoded
    time = view.time(audit.requestReceivedTimestamp, audit.stageTimestamp)
    if isinstance(time, Rejection):
        return time
    called = normalize.operation(audit)
    if called is None:
        return Rejection("event_name_missing")
    service_name = audit.objectRef.apiGroup if audit.objectRef else None
    service_name = service_name or view.envelope.category
    if service_name is None:
        return Rejection("event_source_missing")
    cluster = non_empty(view.envelope.resourceId)
    return normalize.event(
        audit,
        called,
        time,
        view.logged(
            _PRODUCT,
            "kubernetes_audit",
            uid=normalize.uid(audit),
            event_code=audit.stage,
            correlation_uid=non_empty(audit.auditID),
            version=audit.apiVersion,
        ),
        service_name=service_name,
        cluster=Target(uid=cluster, type=CLUSTER) if cluster else None,
        unusable=(*view.unusable, *unusable),
    )
