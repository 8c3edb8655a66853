"""The exporter as a Cloud Run function, and what calls it."""

from __future__ import annotations

from collections.abc import Mapping

from cdktn_provider_google.cloud_run_v2_service_iam_binding import CloudRunV2ServiceIamBinding
from cdktn_provider_google.cloudfunctions2_function import (
    Cloudfunctions2Function,
    Cloudfunctions2FunctionBuildConfig,
    Cloudfunctions2FunctionBuildConfigSource,
    Cloudfunctions2FunctionBuildConfigSourceStorageSource,
    Cloudfunctions2FunctionServiceConfig,
)
from constructs import Construct

from infra.declaration import CloudEvent, Declaration
from infra.gcp.minted_account import MintedAccount
from infra.gcp.names import NAME
from infra.gcp.source import Builder, SourceArchive
from nhi_evidence.config.gcp_names import FUNCTION


class Caller(MintedAccount):
    """The identity Pub/Sub calls the function as. The function's own identity may call nothing."""

    ACCOUNT_ID = f"{NAME}-trigger"
    DISPLAY_NAME = "nhi-evidence trigger"
    DESCRIPTION = "Pub/Sub calls the exporter as this account"


class ExportFunction(Construct):
    """Runs as the exporter's identity; only the caller's identity may call it.

    It has no platform trigger: our own subscriptions push to it (`infra/gcp/push.py`).
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        region: str,
        declared: Declaration,
        caller: Caller,
        run_as: str,
        source: SourceArchive,
        builder: Builder,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, name)
        settings = declared.trigger
        if not isinstance(settings, CloudEvent):
            raise TypeError(f"{declared.function.name}: its trigger is not a cloud_event")
        function = Cloudfunctions2Function(
            self,
            "function",
            project=project,
            location=region,
            name=FUNCTION,
            description="Cloud Audit Logs to locked evidence",
            build_config=Cloudfunctions2FunctionBuildConfig(
                runtime=declared.function.runtime.replace(".", ""),
                entry_point=declared.function.handler.rpartition(".")[2],
                service_account=builder.account.name,
                docker_repository=builder.repository.id,
                source=Cloudfunctions2FunctionBuildConfigSource(
                    storage_source=Cloudfunctions2FunctionBuildConfigSourceStorageSource(
                        bucket=source.bucket.name, object=source.object.name
                    )
                ),
            ),
            service_config=Cloudfunctions2FunctionServiceConfig(
                service_account_email=run_as,
                available_memory=f"{declared.function.memory_mb}Mi",
                available_cpu="1",
                timeout_seconds=declared.function.timeout_seconds,
                max_instance_count=settings.max_instances,
                max_instance_request_concurrency=settings.concurrency,
                ingress_settings="ALLOW_INTERNAL_ONLY",
                all_traffic_on_latest_revision=True,
                environment_variables=dict(environment),
            ),
            depends_on=builder.grants,
        )
        self.uri = function.service_config.uri
        """Its `run.app` address: the only one Pub/Sub can reach with internal ingress."""
        self.invoker = CloudRunV2ServiceIamBinding(
            self,
            "invoker",
            project=project,
            location=region,
            name=function.name,
            role="roles/run.invoker",
            members=[caller.account.member],
        )
