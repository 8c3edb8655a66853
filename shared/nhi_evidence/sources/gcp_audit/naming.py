"""Which resource names and texts say what. Tables; `targets.py` looks things up in them."""

from __future__ import annotations

import re

IAM = "iam.googleapis.com"
LOGGING = "logging.googleapis.com"
KUBERNETES = "k8s.io"

SERVICE_ACCOUNT = "service_account"
"""Monitored resource type of entries about a service account."""

BUCKET = re.compile(r"(projects/_/buckets/([^/]+))(?:/.*)?", re.DOTALL)
OBJECT = re.compile(r"projects/_/buckets/[^/]+/objects/(.+)", re.DOTALL)
BUCKET_TYPE = "storage.googleapis.com/Bucket"
TABLE = re.compile(r"projects/[^/]+/datasets/[^/]+/tables/[^/]+")
TABLE_TYPE = "bigquery.googleapis.com/Table"
MEMBER_TYPE = "iam.googleapis.com/Member"

ENTITIES: dict[str, tuple[re.Pattern[str], str]] = {
    IAM: (re.compile(r"projects/[^/]+/serviceAccounts/[^/]+/keys/[^/]+"), "Service Account Key"),
    "apikeys.googleapis.com": (
        re.compile(r"projects/[^/]+/locations/[^/]+/keys/[^/]+"),
        "API Key",
    ),
    "secretmanager.googleapis.com": (
        re.compile(r"projects/[^/]+/(?:locations/[^/]+/)?secrets/[^/]+(?:/versions/[^/]+)?"),
        "Secret",
    ),
    "storage.googleapis.com": (re.compile(r"projects/[^/]+/hmacKeys/[^/]+"), "HMAC Key"),
}
"""How a service names a durable credential, and what kind it is."""

ISSUERS = frozenset({IAM, "apikeys.googleapis.com", "storage.googleapis.com"})
"""Services whose responses name a credential they have just made."""

NHI_NAMES = ("/serviceAccounts/", "/workloadIdentityPools/", "/hmacKeys/", "/reasoningEngines/")
"""Parts of the name of a resource that is, or vouches for, a non-human identity."""

NHI_MEMBERS = ("serviceAccount:", "principal:", "principalSet:", "deleted:serviceAccount:")
"""Beginnings of a policy member that is no person."""
