"""Calls to the Kubernetes API, read alike whoever runs the cluster.

AKS and EKS deliver audit events as Kubernetes writes them; GKE rewrites each call as a Cloud
Audit Logs entry. Both lead to the same operation, in the API's own terms (`create pods/exec` of an
API group), and to the rows of one table.
https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

import pkgutil

TABLE: bytes = pkgutil.get_data("nhi_evidence.kubernetes", "catalog.json") or b""
"""The catalog of Kubernetes calls, which packs include in their own."""
