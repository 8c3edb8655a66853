"""The declaration of a deployable, `functions/<name>/deploy.toml`, as typed values.

The bundler, the stacks of every cloud, the doctor and the tests read the same file, so a function's
memory, timeout, trigger and environment are declared once, beside the function.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nhi_evidence.errors import EvidenceError

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE.parents[1] / "functions", _PACKAGE / "demo" / "functions")
"""Beside the library in a checkout; inside it when installed from `make build`."""

Positive = Annotated[int, Meta(ge=1)]


class DeclarationError(EvidenceError):
    """A `deploy.toml` is missing or invalid; the text names the file and the field."""


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[function]` table."""

    name: str
    entry: str
    """File with the entry point, beside `deploy.toml`; it is copied to the bundle root."""
    handler: str
    """What the platform calls, in its own notation."""
    runtime: Literal["python3.13"]
    """The same Python minor version for all clouds."""
    architecture: Literal["arm64", "x86_64"]
    dependency_group: str
    """Group of `pyproject.toml` whose locked wheels the bundle contains."""
    memory_mb: Positive
    timeout_seconds: Positive
    settings: str
    """`module:Struct` that reads the `NHI_EVIDENCE_*` variables of `[environment]`."""

    @property
    def python(self) -> str:
        """The runtime's Python minor version, such as `3.13`."""
        return self.runtime.removeprefix("python")


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[bundle]` table: how the platform's bundle differs from wheels and entry at its root."""

    provided: tuple[str, ...] = ()
    """Distributions that the runtime provides; they are left out."""
    lift: tuple[str, ...] = ()
    """Further files, beside the entry, to be copied to the bundle root."""
    packages: str = ""
    """Folder of the installed wheels; empty: the bundle root."""


class Sqs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sqs"):
    """Messages of an SQS queue, polled by Lambda."""

    report_batch_item_failures: bool
    batch_size: Positive
    """Maximum messages per run; above 10 the window must be at least a second."""
    maximum_batching_window_seconds: Annotated[int, Meta(ge=0, le=300)]
    """How long messages are collected before a run, unless the configuration says otherwise."""
    maximum_concurrency: Annotated[int, Meta(ge=2)]
    """Maximum concurrent runs; Lambda accepts no less than 2 for SQS."""
    give_up_after_hours: Positive
    """How long a message is tried before it is moved to the dead-letter queue."""


class Schedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="schedule"
):
    """A schedule."""

    rate_minutes: Positive


class CloudEvent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cloud_event"
):
    """Events of Eventarc to a Cloud Run function."""

    event_type: str
    retry: bool = True
    max_instances: Positive = 20
    concurrency: Positive = 1


class EventHub(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="event_hub"
):
    """Batches of an Azure Event Hub."""

    consumer_group: str
    cardinality: Literal["many"] = "many"
    max_batch_size: Positive = 256


Trigger = Sqs | Schedule | CloudEvent | EventHub


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole `deploy.toml`."""

    function: Function
    trigger: Trigger
    environment: dict[str, str]
    """Every variable the function reads, with its meaning."""
    bundle: Contents = Contents()

    @property
    def rate_minutes(self) -> int:
        """Minutes between scheduled runs. Raises `DeclarationError` if it has another trigger."""
        if not isinstance(self.trigger, Schedule):
            raise DeclarationError(
                f"{self.function.name}: is triggered by {self.trigger}, not by a schedule"
            )
        return self.trigger.rate_minutes


def declaration(name: str) -> Declaration:
    """Read the declaration of one function. Raises `DeclarationError`."""
    paths = [folder / name / "deploy.toml" for folder in _FOLDERS]
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        raise DeclarationError(f"{name}: there is no functions/{name}/deploy.toml")
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Declaration)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise DeclarationError(f"functions/{name}/deploy.toml: {error}") from error
