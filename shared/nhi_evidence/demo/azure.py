"""The demo's Azure: batches of an event hub's partition, and the function app they trigger."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from nhi_evidence.demo import deployable, identities
from nhi_evidence.demo.story import azure_batches
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.azure_runtime import AzureRuntime, HubMessage
from nhi_evidence.embedded.issuer import ENTRA, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore

SOURCE = "azure_monitor"

_FUNCTION = "azure_export"
_NAMESPACE = "example-logs"
_HUB = "nhi-evidence"
_PARTITION = {
    "FullyQualifiedNamespace": f"{_NAMESPACE}.servicebus.windows.net",
    "EventHubName": _HUB,
    "ConsumerGroup": "nhi-evidence",
    "PartitionId": "0",
}


class Azure:
    """Delivers an event hub's batches. Use as a context manager."""

    source = SOURCE

    def __init__(self, store: EmbeddedStore, platforms: EmbeddedIssuer, folder: Path) -> None:
        """Deliver the story into a running store; the function's log goes under `folder`."""
        self._batches = azure_batches()
        self._runtime = AzureRuntime(
            deployable.folder("azure_export"),
            environment={
                **store.location(),
                **platforms.environment(),
                "WEBSITE_SITE_NAME": "example-nhi-evidence",
                "NHI_EVIDENCE_HUB_NAMESPACE": _NAMESPACE,
                "NHI_EVIDENCE_HUB": _HUB,
                "NHI_EVIDENCE_HUB_CREATION_ID": "20260301T000000Z",
                "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
                "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
                "NHI_EVIDENCE_BUCKET_REGION": store.region,
                "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role(SOURCE),
                "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
                "NHI_EVIDENCE_TOKEN_AUDIENCE": identities.AUDIENCE[ENTRA],
            },
            log=folder / "azure_export.log",
        )

    @property
    def runs(self) -> str:
        """Return how its function is run here."""
        return (
            f"azure_export by {self._runtime.indexed.runs_in}, batches of an event hub's partition"
        )

    def __enter__(self) -> Azure:
        """Start the function app."""
        self._runtime.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._runtime.__exit__(kind, error, trace)

    def deliver(self) -> list[str]:
        """Pass every batch to the function; return those it did not lock, and why."""
        failed = []
        for batch in self._batches:
            messages = [
                HubMessage(event.body, event.sequence, str(event.sequence * 1000), event.enqueued)
                for event in batch
            ]
            error = self._runtime.invoke(_FUNCTION, _PARTITION, messages)
            if error is not None:
                failed.append(f"batch {batch[0].sequence}-{batch[-1].sequence} ({error})")
        return failed
