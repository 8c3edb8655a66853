"""The AWS catalog names operations that exist."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
import pytest

from nhi_evidence import sources

TABLE: dict[str, Any] = json.loads(sources.table("aws_cloudtrail", "catalog.json"))

WITHOUT_SDK_OPERATION = {
    "aws-mcp": "managed MCP server events, named in the user guide",
    "bedrock": "PutFoundationModelEntitlement and RenderPrompt are console and data events",
    "bedrock-agentcore": "InvokeGateway and InvokeMcp are data events",
    "codecommit": "GitPull is a git operation",
    "ec2": "SharedSnapshot* are service events",
    "rdsdata": "the SDK calls the service rds-data",
    "rolesanywhere": "CreateSession is called by the credential helper, not by an SDK",
    "s3": "CloudTrail has its own names for public access block and object lock calls",
    "secretsmanager": "Rotation* are service events",
    "signin": "console sign-in events",
    "sso": "access portal and OIDC events",
    "sso-directory": "the directory has no SDK",
}
"""Services whose rows may name operations that no SDK model has, and why."""


@cache
def operations() -> dict[str, set[str]]:
    """Return the operations under every name of a service in the SDK's models."""
    session = botocore.session.get_session()
    by_service: dict[str, set[str]] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        for name in (service, model.signing_name, model.endpoint_prefix):
            by_service.setdefault(name, set()).update(model.operation_names)
    return by_service


@pytest.mark.slow
def test_operations_exist() -> None:
    """Every operation is in the SDK's models, or its service is listed with the reason."""
    unknown = {
        row["service"]
        for row in TABLE["rows"]
        if row["operation"] not in operations().get(row["service"], ())
    }
    assert unknown == set(WITHOUT_SDK_OPERATION)
