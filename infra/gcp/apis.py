"""The Google Cloud services the exporter's project uses."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_google.project_service import ProjectService
from constructs import Construct

SERVICES = (
    "artifactregistry",
    "cloudbuild",
    "cloudfunctions",
    "cloudresourcemanager",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "storage",
)


def switched_on(
    scope: Construct, project: str, services: Sequence[str]
) -> list[ITerraformDependable]:
    """Enable services of a project and return them; they stay enabled when the stack is removed."""
    return [
        ProjectService(
            scope,
            service,
            project=project,
            service=f"{service}.googleapis.com",
            disable_on_destroy=False,
        )
        for service in services
    ]


class Apis(Construct):
    """Enables every service, for good: when the stack is removed, others may use it."""

    def __init__(self, scope: Construct, name: str, *, project: str) -> None:
        super().__init__(scope, name)
        self.services = switched_on(self, project, SERVICES)
