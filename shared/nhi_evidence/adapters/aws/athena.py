"""Running statements in Athena: wait for one, read its pages, and note what it scanned.

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
"""Maximum bytes: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""

_PAGE = 1000
"""Maximum rows in one answer to GetQueryResults."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
"""Seconds between two polls of a query."""
_RUNNING = frozenset({"QUEUED", "RUNNING"})


class AthenaError(SettingsError):
    """Athena gave no result; the text gives the query's state and Athena's own reason."""


class Read(msgspec.Struct):
    """What the queries of one session scanned."""

    byte_counts: list[int] = []
    """Bytes scanned by each query, as Athena states them."""


class Session:
    """Runs statements in one workgroup, after checking that it limits the bytes scanned."""

    def __init__(
        self,
        client: Any,
        *,
        workgroup: str,
        database: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raise `AthenaError` for a workgroup that does not exist or does not limit a query."""
        self._client = client
        self._workgroup = workgroup
        self._database = database
        self._sleep = sleep
        self.read = Read()
        self.bytes_limit = self._limit()

    def ask(self, sql: str) -> Iterator[tuple[str | None, ...]]:
        """Run one statement, wait, and yield its rows: each value a text, or None.

        If interrupted while waiting, it stops the query. Raises `AthenaError`.
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
            # Also on an interrupt: a query nobody waits for must not go on costing money.
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
        """Note what a query scanned, even if it failed; raise `AthenaError` if it did."""
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
        """Try to stop a query; on failure, the error already being raised is the better one."""
        try:
            self._client.stop_query_execution(QueryExecutionId=query)
        except (BotoCoreError, ClientError):
            return

    def _rows(self, query: str) -> Iterator[tuple[str | None, ...]]:
        is_first = True
        more: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            page = self._call("get_query_results", QueryExecutionId=query, MaxResults=_PAGE, **more)
            rows = page["ResultSet"]["Rows"]
            for row in rows[1:] if is_first else rows:  # the very first row has the names
                yield tuple(each.get("VarCharValue") for each in row["Data"])
            is_first = False
            token = page.get("NextToken")
            if not token:
                return
            if token in seen:
                # Going on would read the same pages forever, and count their rows again.
                raise AthenaError(f"Athena: query {query}: the same next page is named twice")
            seen.add(token)
            more = {"NextToken": token}

    def _call(self, name: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, name)(**arguments)
        except ClientError as error:
            known = error.response.get("Error", {})
            text = " ".join(str(known.get("Message", error)).split())
            raise AthenaError(f"Athena: {known.get('Code', 'error')}: {text}") from error
        except BotoCoreError as error:
            raise AthenaError(f"Athena cannot be reached: {error}") from error
