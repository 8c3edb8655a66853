"""Tables of what resource names and texts mean; `targets.py` looks things up in them."""

from __future__ import annotations

import re

IAM = "iam.googleapis.com"
LOGGING = "logging.googleapis.com"
KUBERNETES = "k8s.io"

SERVICE_ACCOUNT = "service_account"
"""The monitored resource type of entries about a service account."""

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
"""How a service names its durable credentials, and their kind."""

ISSUERS = frozenset({IAM, "apikeys.googleapis.com", "storage.googleapis.com"})
"""Services whose responses name a credential they have just created."""

NHI_NAMES = ("/serviceAccounts/", "/workloadIdentityPools/", "/hmacKeys/", "/reasoningEngines/")
"""Parts of the names of resources that are, or vouch for, non-human identities."""

NHI_MEMBERS = ("serviceAccount:", "principal:", "principalSet:", "deleted:serviceAccount:")
"""Prefixes of policy members that are not people."""
