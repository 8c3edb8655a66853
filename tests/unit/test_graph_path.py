"""Which segments of a Microsoft Graph path are ids."""

from __future__ import annotations

import pytest

from nhi_evidence.sources.azure_entra.graph_path import path_of


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/oauth2PermissionGrants", "/oauth2PermissionGrants"),
        ("/policies/b2bmanagementpolicies", "/policies/b2bmanagementpolicies"),
        (
            "/deviceManagement/deviceCompliancePolicySettingStateSummaries",
            "/deviceManagement/deviceCompliancePolicySettingStateSummaries",
        ),
        ("/networkAccess/microsoft.graph.networkaccess.revoke", "/networkAccess/revoke"),
        (
            "/oauth2PermissionGrants/l5eW7x0ga0-WDOntXzHateQDNpSH5-lPk9HjD3Sarjk",
            "/oauth2PermissionGrants/{id}",
        ),
        ("/me/messages/AAMkADI5MAAIT3drCAAA=", "/me/messages/{id}"),
        ("/applications/57dab8b1894c409ab240bd8beae78896", "/applications/{id}"),
        ("/users/ann@example.com/messages", "/users/{id}/messages"),
        ("/groups/Tz2nHrOUzkWB6gqkRnKNfg/members", "/groups/{id}/members"),
        ("/things/a1b2c3d4e5f6a7b8c9", "/things/{id}"),
        (f"/things/{'a' * 81}", "/things/{id}"),
        (f"/things/{'a' * 80}", f"/things/{'a' * 80}"),
    ],
)
def test_ids_are_distinguished_from_names_by_form(path: str, operation: str) -> None:
    """Names are words with at most two short numbers, as in documented paths."""
    assert operation == path_of(f"https://graph.microsoft.com/v1.0{path}?$top=5").operation
