"""The benign noise of a Google Cloud project: people, workloads, service agents, and a stranger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story.gcp_entry import NUMBER, PROJECT, Caller, entry
from nhi_evidence.demo.story.records import START, Recorder

Shape = Callable[[Recorder, timedelta, int], dict[str, Any]]

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36,gzip(gfe)"
_ACCOUNT = f"%s@{PROJECT}.iam.gserviceaccount.com"


def person(r: Recorder, at: timedelta, n: int) -> dict[str, Any]:
    """A person looking at instances in the console."""
    return entry(
        r,
        at,
        Caller(email=f"person{n % 5}@example.com", ip="198.51.100.23", agent=_BROWSER),
        "compute",
        "v1.compute.instances.list",
        resource=f"projects/{PROJECT}/zones/europe-west1-b/instances",
        permission=("compute.instances.list", "ADMIN_READ"),
        monitored=("gce_instance", {"project_id": PROJECT, "zone": "europe-west1-b"}),
    )


def workload(r: Recorder, at: timedelta, n: int) -> dict[str, Any]:
    """A service reading objects as the service account it runs as."""
    bucket = f"projects/_/buckets/{PROJECT}-ledger"
    return entry(
        r,
        at,
        Caller(email=_ACCOUNT % "ledger"),
        "storage",
        "storage.objects.get",
        resource=f"{bucket}/objects/2026/03/{n}.parquet",
        permission=("storage.objects.get", "DATA_READ"),
        monitored=("gcs_bucket", {"bucket_name": f"{PROJECT}-ledger", "project_id": PROJECT}),
    )


def default_account(r: Recorder, at: timedelta, _: int) -> dict[str, Any]:
    """A machine that runs as the project's default account."""
    return entry(
        r,
        at,
        Caller(email=f"{NUMBER}-compute@developer.gserviceaccount.com", ip="private"),
        "secretmanager",
        "google.cloud.secretmanager.v1.SecretManagerService.ListSecrets",
        resource=f"projects/{NUMBER}",
        permission=("secretmanager.secrets.list", "ADMIN_READ"),
    )


def keyed(r: Recorder, at: timedelta, n: int) -> dict[str, Any]:
    """A job outside Google Cloud that holds a service account key."""
    account = _ACCOUNT % "reports"
    key = f"//iam.googleapis.com/projects/{PROJECT}/serviceAccounts/{account}/keys/{'ab' * 20}"
    return entry(
        r,
        at,
        Caller(email=account, key=key, ip="198.51.100.90"),
        "bigquery",
        "google.cloud.bigquery.v2.JobService.InsertJob",
        resource=f"projects/{PROJECT}/jobs/report_{n}",
        permission=("bigquery.jobs.create", "ADMIN_WRITE"),
        log="data_access",
        monitored=("bigquery_project", {"location": "EU", "project_id": PROJECT}),
    )


def pod(r: Recorder, at: timedelta, _: int) -> dict[str, Any]:
    """A pod of a cluster, known by its Kubernetes service account."""
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{PROJECT}.svc.id.goog"
    return entry(
        r,
        at,
        Caller(subject=f"principal://iam.googleapis.com/{pool}/subject/ns/shop/sa/worker"),
        "pubsub",
        "google.pubsub.v1.Publisher.Publish",
        resource=f"projects/{PROJECT}/topics/orders",
        permission=("pubsub.topics.publish", "DATA_WRITE"),
    )


def agent(r: Recorder, at: timedelta, n: int) -> dict[str, Any]:
    """Google's own service agent."""
    return entry(
        r,
        at,
        Caller(email=f"service-{NUMBER}@compute-system.iam.gserviceaccount.com", agent=None),
        "compute",
        "compute.instances.migrateOnHostMaintenance",
        resource=f"projects/{PROJECT}/zones/europe-west1-b/instances/web-{n % 9}",
        log="system_event",
        monitored=("gce_instance", {"project_id": PROJECT, "zone": "europe-west1-b"}),
    )


def redacted(r: Recorder, at: timedelta, _: int) -> dict[str, Any]:
    """A denied read whose caller Google does not name."""
    return entry(
        r,
        at,
        Caller(ip="198.51.100.7"),
        "storage",
        "storage.objects.list",
        resource=f"projects/_/buckets/{PROJECT}-ledger",
        permission=("storage.objects.list", "DATA_READ"),
        denied=True,
        monitored=("gcs_bucket", {"bucket_name": f"{PROJECT}-ledger", "project_id": PROJECT}),
    )


def blocked(r: Recorder, at: timedelta, _: int) -> dict[str, Any]:
    """A call that VPC Service Controls stopped."""
    return entry(
        r,
        at,
        Caller(email=_ACCOUNT % "ledger", ip="198.51.100.91"),
        "bigquery",
        "google.cloud.bigquery.v2.JobService.InsertJob",
        resource=f"projects/{NUMBER}",
        denied=True,
        log="policy",
        metadata={
            "@type": "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata",
            "violationReason": "NO_MATCHING_ACCESS_LEVEL",
            "resourceNames": [f"projects/{NUMBER}"],
        },
    )


def foreign(r: Recorder, at: timedelta, n: int) -> dict[str, Any]:
    """An application's own line, which a sink without a filter exports too."""
    return {
        "insertId": f"{r.random.getrandbits(60):x}",
        "textPayload": f"GET /orders/{n} 200",
        "resource": {"type": "cloud_run_revision", "labels": {"project_id": PROJECT}},
        "timestamp": (START + at).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout",
    }


SHAPES: tuple[tuple[Shape, int], ...] = (
    (person, 12),
    (workload, 30),
    (default_account, 6),
    (keyed, 6),
    (pod, 8),
    (agent, 4),
    (redacted, 2),
    (blocked, 1),
    (foreign, 1),
)
"""Entry shapes and how often each occurs."""
