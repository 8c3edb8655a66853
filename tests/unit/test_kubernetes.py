"""A Kubernetes API call is mapped alike, whoever runs the cluster and writes the log."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from nhi_evidence import kubernetes
from nhi_evidence.catalog.table import read
from nhi_evidence.kubernetes.operation import Operation, of_method
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import Case, outcome

TABLE = read(kubernetes.TABLE, None, name="kubernetes")[0]
ROWS = [(row.service, row.operation) for row in TABLE.rows]
NO_ROW = [
    ("core", "get configmaps"),
    ("core", "patch nodes/status"),
    ("apps", "delete deployments"),
    ("apps", "deletecollection replicasets"),
    ("rbac.authorization.k8s.io", "watch roles"),
    ("stable.example.com", "create backups"),
]
BINDING = {
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "name": "worker", "namespace": "shop"}],
}
COMPARED = (
    "class_uid", "activity_id", "nhi_phase", "nhi_base_phase", "nhi_sub_phase", "nhi_phase_rules",
    "user", "privileges",
)  # fmt: skip
CALLERS = (
    "system:serviceaccount:shop:worker", "system:node:a", "system:kube-scheduler",
    "system:anonymous", "jane@example.com",
)  # fmt: skip


@cache
def mapper(source: str) -> Mapper:
    """The mapper of a pack, keeping everything."""
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=False)


def normalized(source: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return what a pack maps a record to."""
    return outcome(Case("", "", record, {}), mapper(source))


def in_aks(group: str, operation: str, user: str) -> dict[str, Any]:
    """Return a call as AKS logs it."""
    verb, _, resources = operation.partition(" ")
    resource, _, subresource = resources.partition("/")
    event = {
        "apiVersion": "audit.k8s.io/v1",
        "auditID": "12121212-3434-5656-7878-909090909090",
        "stage": "ResponseComplete",
        "verb": verb,
        "requestURI": "/api",
        "user": {"username": user, "extra": {"oid": ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"]}},
        "sourceIPs": ["192.0.2.44"],
        "objectRef": {
            "resource": resource,
            "subresource": subresource or None,
            "namespace": "shop",
            "name": "db",
            "apiGroup": None if group == "core" else group,
        },
        "responseStatus": {"code": 200},
        "requestObject": BINDING,
        "requestReceivedTimestamp": "2026-03-02T08:15:30.123456Z",
    }
    resource_id = "/SUBSCRIPTIONS/1/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/EXAMPLE"
    return {
        "category": "kube-audit",
        "resourceId": resource_id,
        "properties": {"log": json.dumps(event)},
        "time": "2026-03-02T08:15:31Z",
    }


def in_gke(group: str, operation: str, user: str) -> dict[str, Any]:
    """Return a call as GKE logs it."""
    verb, _, resources = operation.partition(" ")
    resource, _, subresource = resources.partition("/")
    built_in = {"core", "apps", "batch"}
    domain = f"{group}.k8s.io" if group in built_in else group
    method = ".".join([*reversed(domain.split(".")), "v1", resource])
    below = f"/{subresource}" if subresource else ""
    permission = {
        "permission": f"{method}.{verb}",
        "permissionType": "DATA_READ",
        "granted": True,
    }
    return {
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "status": {},
            "authenticationInfo": {"principalEmail": user},
            "authorizationInfo": [permission],
            "requestMetadata": {"callerIp": "192.0.2.44"},
            "serviceName": "k8s.io",
            "methodName": f"{method}{below.replace('/', '.')}.{verb}",
            "resourceName": f"{group}/v1/namespaces/shop/{resource}/db{below}",
            "request": BINDING,
        },
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "EXAMPLE"}},
        "timestamp": "2026-03-02T08:15:30.123456789Z",
        "logName": "projects/example-prod/logs/cloudaudit.googleapis.com%2Factivity",
    }


@pytest.mark.parametrize(("group", "operation"), [*ROWS, *NO_ROW])
def test_gke_and_aks_read_a_call_alike(group: str, operation: str) -> None:
    """Meaning, kind of caller, objects and grantee are the same, with or without a row."""
    for user in CALLERS:
        of_aks = normalized("azure_resource", in_aks(group, operation, user))
        of_gke = normalized("gcp_audit", in_gke(group, operation, user))
        for attribute in COMPARED:
            assert of_aks.get(attribute) == of_gke.get(attribute), attribute
        assert of_aks["nhi"]["type_id"] == of_gke["nhi"]["type_id"]
        assert objects(of_aks) == objects(of_gke)


def objects(record: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Return name and kind of a record's objects; each provider names the cluster its own way."""
    named = [(each.get("name"), each["type"]) for each in record.get("resources", ())]
    assert not named or named[-1][1] == "Kubernetes Cluster"
    return named[:-1]


@pytest.mark.parametrize(("group", "operation"), ROWS)
def test_a_row_is_found(group: str, operation: str) -> None:
    """Each row of the table decides in both."""
    for source, record in (("azure_resource", in_aks), ("gcp_audit", in_gke)):
        rules = normalized(source, record(group, operation, "jane@example.com"))["nhi_phase_rules"]
        assert [f"{group}:{operation}"] == rules


@pytest.mark.parametrize(
    ("method", "resource_name", "operation"),
    [
        (
            "io.k8s.core.v1.pods.exec.create",
            "core/v1/namespaces/shop/pods/db/exec",
            ("core", "create", "pods/exec"),
        ),
        ("io.k8s.core.v1.pods.list", None, ("core", "list", "pods")),
        (
            "io.k8s.rbac.v1.roles.patch",
            None,
            ("rbac.authorization.k8s.io", "patch", "roles"),
        ),
        (
            "io.k8s.authorization.rbac.v1.roles.patch",
            "",
            ("rbac.authorization.k8s.io", "patch", "roles"),
        ),
        ("io.k8s.apps.v1beta2.deployments.update", None, ("apps", "update", "deployments")),
        (
            "io.gke.networking.v1beta1.servicenetworkendpointgroups.update",
            None,
            ("networking.gke.io", "update", "servicenetworkendpointgroups"),
        ),
        (
            "io.k8s.rbac.v1.roles.create",
            "rbac.authorization.k8s.io/v1/namespaces/shop/roles/reader",
            ("rbac.authorization.k8s.io", "create", "roles"),
        ),
        ("io.k8s.readyz", "/readyz", None),
        ("io.k8s.core.v1.pods", None, None),
        ("io.k8s.core.v1..list", None, None),
        ("io.k8s.core.v1", None, None),
        ("v1.pods.list", None, None),
    ],
)
def test_a_method_is_read_as_an_operation(
    method: str, resource_name: str | None, operation: tuple[str, str, str] | None
) -> None:
    """The group is the resource's if it states one; a name of an unknown form has none."""
    assert of_method(method, resource_name) == (Operation(*operation) if operation else None)
