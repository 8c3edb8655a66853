"""Athena itself: one statement asked and waited for, its pages read, and what reading it cost.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.errors import SettingsError

LONGEST_STATEMENT = 262_144
"""Bytes: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""

_PAGE = 1000
"""Rows of one answer to GetQueryResults, at most."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
"""Seconds between two looks at a query."""
_RUNNING = frozenset({"QUEUED", "RUNNING"})


class AthenaError(SettingsError):
    """Athena did not answer: says which statement's state, and Athena's own reason."""


class Read(msgspec.Struct):
    """What the queries of one session read."""

    byte_counts: list[int] = []
    """Bytes each query read, as Athena states them."""


class Session:
    """Asks statements in one workgroup, whose limit on bytes is looked at first."""

    def __init__(
        self,
        client: Any,
        *,
        workgroup: str,
        database: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raise `AthenaError` for a workgroup that is not there or does not bound a query."""
        self._client = client
        self._workgroup = workgroup
        self._database = database
        self._sleep = sleep
        self.read = Read()
        self.bytes_limit = self._limit()

    def ask(self, sql: str) -> Iterator[tuple[str | None, ...]]:
        """Ask one statement, wait, and yield its rows: each value a text, or none.

        Interrupted while it waits, it stops the query. Raises `AthenaError`.
        """
        if len(sql.encode()) > LONGEST_STATEMENT:
            raise AthenaError(
                f"the statement has {len(sql.encode())} bytes; Athena takes {LONGEST_STATEMENT}"
            )
        started = self._call(
            "start_query_execution",
            QueryString=sql,
            WorkGroup=self._workgroup,
            QueryExecutionContext={"Database": self._database},
        )
        query = started["QueryExecutionId"]
        try:
            execution = self._wait(query)
        except BaseException:
            # An interrupt, too: what nobody waits for must not go on reading and costing.
            self._stop(query)
            raise
        self._account(query, execution)
        yield from self._rows(query)

    def _limit(self) -> int:
        group = self._call("get_work_group", WorkGroup=self._workgroup)["WorkGroup"]
        settings = group.get("Configuration", {})
        limit = settings.get("BytesScannedCutoffPerQuery")
        if group.get("State") == "DISABLED":
            raise AthenaError(f"workgroup {self._workgroup}: it is disabled")
        if not limit or not settings.get("EnforceWorkGroupConfiguration", True):
            raise AthenaError(
                f"workgroup {self._workgroup}: it does not limit what a query reads, so none is "
                "sent"
            )
        return int(limit)

    def _wait(self, query: str) -> Any:
        wait = _FIRST_WAIT
        while True:
            execution = self._call("get_query_execution", QueryExecutionId=query)["QueryExecution"]
            if execution["Status"]["State"] not in _RUNNING:
                return execution
            self._sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    def _account(self, query: str, execution: Any) -> None:
        """Note what a query read, that of one that failed too; raise where it failed."""
        status = execution["Status"]
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        self.read.byte_counts.append(int(scanned))
        if status["State"] != "SUCCEEDED":
            reason = status.get("AthenaError", {}).get("ErrorMessage")
            reason = reason or status.get("StateChangeReason") or "no reason given"
            text = f"Athena: query {query} {status['State'].lower()}: {' '.join(reason.split())}"
            if "bytes scanned limit" in reason.lower():
                text += f" (the workgroup's limit is {self.bytes_limit} bytes: query fewer hours)"
            raise AthenaError(text)

    def _stop(self, query: str) -> None:
        """Stop a query, as far as that can be done: what is under way is the better error."""
        try:
            self._client.stop_query_execution(QueryExecutionId=query)
        except (BotoCoreError, ClientError):
            return

    def _rows(self, query: str) -> Iterator[tuple[str | None, ...]]:
        is_first = True
        more: dict[str, str] = {}
        while True:
            page = self._call("get_query_results", QueryExecutionId=query, MaxResults=_PAGE, **more)
            rows = page["ResultSet"]["Rows"]
            for row in rows[1:] if is_first else rows:  # the first row of all has the names
                yield tuple(each.get("VarCharValue") for each in row["Data"])
            is_first = False
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _call(self, name: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, name)(**arguments)
        except ClientError as error:
            known = error.response.get("Error", {})
            text = " ".join(str(known.get("Message", error)).split())
            raise AthenaError(f"Athena: {known.get('Code', 'error')}: {text}") from error
        except BotoCoreError as error:
            raise AthenaError(f"Athena cannot be reached: {error}") from error
