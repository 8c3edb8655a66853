"""What a call to a cluster's API is about, which GKE logs as an audit log entry.

https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
"""

from __future__ import annotations

from nhi_evidence.event import About, Target
from nhi_evidence.kubernetes.about import CLUSTER, Named, about
from nhi_evidence.kubernetes.operation import Operation, object_name
from nhi_evidence.sources.gcp_audit.record import AuditLog, LogEntry


def of_kubernetes(entry: LogEntry, audit: AuditLog, called: Operation) -> About:
    """Return what a call is about, as for any cluster.

    Raises `msgspec.MsgspecError` or `UnicodeDecodeError` when the request cannot be decoded.
    """
    name = audit.resource_name or None
    named = object_name(name, called.resource) if name else None
    return about(
        Named(
            resource=called.resource.partition("/")[0],
            name=named.name if named else None,
            namespace=named.namespace if named else None,
            path=name,
        ),
        name,
        audit.request,
        cluster=_cluster(entry),
    )


def _cluster(entry: LogEntry) -> Target | None:
    labels = entry.resource.labels if entry.resource else None
    name = labels.cluster_name if labels else None
    return Target(name=name, type=CLUSTER) if name else None
