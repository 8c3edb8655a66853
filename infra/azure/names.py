"""Names in Azure, known before anything exists."""

from __future__ import annotations

from nhi_evidence.adapters.azure.resource_ids import SENDING_RULE, role_definition
from nhi_evidence.adapters.azure.resource_ids import group as group_id
from nhi_evidence.adapters.azure.resource_ids import management_group as management_group_id
from nhi_evidence.adapters.azure.resource_ids import role_guid as role_id
from nhi_evidence.adapters.azure.resource_ids import site as site_id
from nhi_evidence.adapters.azure.resource_ids import storage as storage_id
from nhi_evidence.config.azure_names import (
    HUB,
    NAME,
    namespace_name,
    shared,
    site_name,
    storage_name,
    unique,
)

__all__ = [
    "HUB",
    "NAME",
    "SENDING_RULE",
    "group_id",
    "management_group_id",
    "namespace_name",
    "role_definition",
    "role_id",
    "shared",
    "site_id",
    "site_name",
    "storage_id",
    "storage_name",
    "unique",
]
