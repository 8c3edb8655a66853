"""What the Azure function really logs: its own entry and exporter, over a store in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

from functions.azure_export import function_app
from nhi_evidence.adapters.azure import exporter
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.pipeline.export import Mapper
from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore

SETTINGS = exporter.Settings(
    hub_namespace="ns",
    hub="hub",
    hub_creation_id="1",
    bucket="bucket",
    bucket_owner="111122223333",
    bucket_region="eu-west-1",
    writer_role_arn="role",
    token_audience="api://x",
    keep_out_of_scope_raw=True,
)
LEVELS = {"INFO": "Information", "WARNING": "Warning", "ERROR": "Error", "CRITICAL": "Critical"}
"""As FunctionAppLogs spells those of Python.
https://learn.microsoft.com/azure/azure-monitor/reference/tables/functionapplogs"""

CASES = {
    "Administrative": ("azure_activity", "identity-02-application"),
    "AuditEvent": ("azure_resource", "vault-secret"),
    "ManagedIdentitySignInLogs": ("azure_entra", "identity-01-managed-identity"),
    "SignInLogs": ("azure_entra", "identity-04d-human"),
}
"""A golden case of each category."""

MESSAGES = 64
"""Of a batch."""


class Line(NamedTuple):
    """One line of the function's log."""

    level: str
    message: str


class Batch(NamedTuple):
    """What the host hands over."""

    partition: int
    waited: float
    """Hours since its oldest message was enqueued."""
    categories: tuple[str, ...]


class _Event:
    offset = "7"

    def __init__(self, body: bytes, number: int, batch: Batch) -> None:
        self._body = body
        self.sequence_number = number
        self.enqueued_time = datetime.now(UTC) - timedelta(hours=batch.waited)
        self.metadata = {"PartitionContext": {"PartitionId": str(batch.partition)}}

    def get_body(self) -> bytes:
        return self._body


class _Away:
    def put_new(self, *_: object, **__: object) -> Any:
        raise StoreUnavailableError("AccessDenied")


class Function:
    """The function, of which a store may be away and a mapper have a defect."""

    def __init__(self) -> None:
        self._mapper = Mapper(exporter.SOURCE, keep_out_of_scope_raw=True)
        self._records = {name: read(cases(of)[case]).record for name, (of, case) in CASES.items()}

    def __call__(
        self, batch: Batch, *, store_away: bool = False, broken: bool = False
    ) -> list[Line]:
        """Hand a batch to the function's entry; return what it logs of it, whatever it raises."""
        records = [self._records[name] for name in batch.categories]
        body = json.dumps({"records": records}).encode()
        more = b'{"records":[]}'
        events = [
            _Event(body if number == 0 else more, number, batch) for number in range(MESSAGES)
        ]
        mapper = _broken_mapper() if broken else self._mapper
        writer: Any = _Away() if store_away else MemoryStore()
        ours = exporter.Exporter(SETTINGS, mapper, writer)
        return list(_logged(lambda: _call(ours, events)))


def _broken_mapper() -> Mapper:
    mapper = Mapper(exporter.SOURCE, keep_out_of_scope_raw=True)

    def failing(*_: object) -> Any:
        raise ZeroDivisionError("a defect")

    for pack in mapper.packs.values():
        pack.pack = SimpleNamespace(normalize=failing)
    return mapper


def _call(ours: exporter.Exporter, events: Iterable[_Event]) -> None:
    entry: Any = function_app.export
    handed = list(events), SimpleNamespace(invocation_id="1")
    with (
        patch.object(exporter, "azure_exporter", lambda: ours),
        # The host logs it once more, and tries the batch again.
        suppress(StoreUnavailableError),
    ):
        entry._function.get_user_function()(*handed)


def _logged(act: Any) -> Iterator[Line]:
    with _captured() as lines:
        act()
    yield from lines


@contextmanager
def _captured() -> Iterator[list[Line]]:
    lines: list[Line] = []

    class Capture(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(Line(LEVELS[record.levelname], record.getMessage()))

    logger, handler = function_app.logger, Capture()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
