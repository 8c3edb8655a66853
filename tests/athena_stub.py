"""Athena, its catalog and its bucket over HTTP, answered of a store in a folder.

Held to botocore's own models on the way in and out. Statements are executed by `tests.athena`; the
emulators answer a SELECT with a made-up value, or none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from nhi_evidence.investigate.athena.plan import GB
from tests import athena
from tests.loopback import Handler, Loopback

WORKGROUP = "nhi-evidence-main"
_ROWS_A_PAGE = 7
"""Few, so that every answer of several rows has pages."""


class AthenaStub:
    """What is asked, in order, and what answers it."""

    def __init__(self, folder: Path, *, first_hour: str = "2026030100") -> None:
        self.statements: list[str] = []
        self.calls: list[str] = []
        self.failure: str | None = None
        """A reason that every query fails with."""
        self._folder = folder
        self._first_hour = first_hour
        self._lake = athena.Lake(folder)
        self._lock = threading.Lock()
        self._answers: dict[str, list[Any]] = {}

    def answer(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of one call, checked on its way in and out."""
        model = botocore.session.get_session().get_service_model(service)
        shape = model.operation_model(operation)
        _fits(request, shape.input_shape)
        self.calls.append(operation)
        with self._lock:
            answer = dict(getattr(self, f"_{operation}")(request))
        _fits(answer, shape.output_shape)
        return answer

    def _GetWorkGroup(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 AWS's name
        settings = {"EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": GB}
        return {"WorkGroup": {"Name": request["WorkGroup"], "Configuration": settings}}

    def _GetTable(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        sources = ",".join(sorted({source for source, _ in athena.kept_hours(self._folder)}))
        parameters = {
            "projection.of_source.values": sources,
            "projection.hour.range": f"{self._first_hour},NOW+1DAYS",
        }
        place = {"Location": f"s3://{athena.BUCKET}/ev/v1/"}
        return {
            "Table": {"Name": request["Name"], "Parameters": parameters, "StorageDescriptor": place}
        }

    def _StartQueryExecution(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert request["WorkGroup"] == WORKGROUP
        assert request["QueryExecutionContext"] == {"Database": athena.DATABASE}
        self.statements.append(request["QueryString"])
        query = f"query-{len(self.statements)}"
        if self.failure is None:
            names, rows = self._lake.ask(request["QueryString"])
            self._answers[query] = [names, *(athena.texts(row) for row in rows)]
        return {"QueryExecutionId": query}

    def _GetQueryExecution(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        status: dict[str, Any] = {"State": "SUCCEEDED"}
        if self.failure is not None:
            status = {"State": "FAILED", "StateChangeReason": self.failure}
        return {
            "QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 20_000_000}}
        }

    def _StopQueryExecution(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {}

    def _GetQueryResults(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        rows = self._answers[request["QueryExecutionId"]]
        at = int(request.get("NextToken", 0))
        page = [
            {"Data": [{} if each is None else {"VarCharValue": each} for each in row]}
            for row in rows[at : at + _ROWS_A_PAGE]
        ]
        more = {"NextToken": str(at + _ROWS_A_PAGE)} if at + _ROWS_A_PAGE < len(rows) else {}
        return {"ResultSet": {"Rows": page}, **more}

    def listed(self, prefix: str) -> str:
        """The folders under a prefix, as S3 lists them."""
        names = {f"ev/v1/{source}/h={hour}/" for source, hour in athena.kept_hours(self._folder)}
        folders = "".join(
            f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
            for name in sorted(names)
            if name.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{folders}</ListBucketResult>"


def _fits(value: dict[str, Any], shape: Any) -> None:
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()


@contextmanager
def serving(stub: AthenaStub) -> Iterator[str]:
    """Serve on loopback, and give the `athena://` name of it."""
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415 of the handler alone

    services = {"AmazonAthena": "athena", "AWSGlue": "glue"}

    class _Athena(Handler):
        def do_POST(self) -> None:  # noqa: N802 as inherited
            target, _, operation = self.headers["X-Amz-Target"].partition(".")
            request = json.loads(self.body())
            answered = json.dumps(stub.answer(services[target], operation, request))
            self.reply(200, answered.encode())

        def do_GET(self) -> None:  # noqa: N802 as inherited
            query = parse_qs(urlsplit(self.path).query)
            self.reply(200, stub.listed(query["prefix"][0]).encode())

    with Loopback(_Athena) as server:
        yield f"athena://{WORKGROUP}?region=eu-central-1&endpoint={server.endpoint_url}"
