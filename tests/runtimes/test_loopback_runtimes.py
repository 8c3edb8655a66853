"""What the local runtimes promise: real answers, only loopback, and a guaranteed end."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import urllib3

from nhi_evidence.embedded.azure_runtime import AzureRuntime, FunctionAppError, HubMessage
from nhi_evidence.embedded.cloud_run_runtime import CloudEvent, CloudRunRuntime
from nhi_evidence.embedded.gcs import EmbeddedGcs
from nhi_evidence.embedded.loopback_process import LoopbackProcess, ProcessError

FUNCTION = """
import functions_framework

@functions_framework.cloud_event
def take(event):
    print(event["type"], event["subject"], event.data, flush=True)
    if event.data["boom"]:
        raise RuntimeError("boom")
"""


def event(number: int, *, boom: bool) -> CloudEvent:
    return CloudEvent(
        id=str(number),
        type="google.cloud.storage.object.v1.finalized",
        source="//storage.googleapis.com/projects/_/buckets/audit-logs",
        subject="objects/x",
        data=json.dumps({"boom": boom}).encode(),
    )


def test_the_framework_answers_what_the_function_does(tmp_path: Path) -> None:
    """A return is 2xx; an exception is 500, after which Eventarc redelivers."""
    (tmp_path / "main.py").write_text(FUNCTION)
    log = tmp_path / "log"
    with CloudRunRuntime(tmp_path, "take", environment={}, log=log) as runtime:
        assert [200, 500, 200] == [
            runtime.deliver(event(number, boom=boom))
            for number, boom in enumerate((False, True, False))
        ]
        port = runtime._process.port
    assert "google.cloud.storage.object.v1.finalized objects/x {'boom': False}" in runtime.logs()
    assert "RuntimeError: boom" in runtime.logs()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


APP = """
from __future__ import annotations

import sys
from typing import List

import azure.functions as func

app = func.FunctionApp()


@app.function_name("take")
@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="logs",
    connection="HubConnection",
    cardinality=func.Cardinality.MANY,
    data_type=func.DataType.BINARY,
)
def take(events: List[func.EventHubEvent], context: func.Context) -> None:
    for one in events:
        print(one.get_body(), one.sequence_number, context.invocation_id, file=sys.stderr)
        print(one.metadata["PartitionContext"]["PartitionId"], file=sys.stderr)
    if events[-1].get_body() == b"boom":
        raise ValueError("of the function")
"""


def test_a_function_app_gets_batches_and_its_exception_is_the_answer(tmp_path: Path) -> None:
    """Its declaration is indexed; bodies, numbers and partition arrive; it survives an error."""
    (tmp_path / "function_app.py").write_text(APP)
    hub = {"PartitionId": "7", "EventHubName": "logs"}
    batches = [
        [HubMessage(body, 10 + n, str(n), "2026-03-02T08:00:00Z") for n, body in enumerate(bodies)]
        for bodies in ([b"one", b"\xff"], [b"boom"], [b"two"])
    ]
    with AzureRuntime(tmp_path, environment={}, log=tmp_path / "log") as runtime:
        (function,) = runtime.indexed.functions
        assert "take" == function["name"]
        assert "eventHubTrigger" in {one["type"] for one in function["bindings"]}
        answers = [runtime.invoke("take", hub, batch) for batch in batches]
        process = runtime._process
    assert [None, "ValueError: of the function", None] == answers
    assert process is not None
    assert process.returncode is not None
    for line in ("b'one' 10 ", "b'\\xff' 11 ", "\n7\n", "b'two' 10 "):
        assert line in runtime.logs()


def test_a_function_app_that_does_not_load_says_why(tmp_path: Path) -> None:
    """The reason is the app's own."""
    (tmp_path / "function_app.py").write_text("import no_such_module_of_the_app\n")
    runtime = AzureRuntime(tmp_path, environment={}, log=tmp_path / "log")
    with pytest.raises(FunctionAppError, match="no_such_module_of_the_app"), runtime:
        pass


def test_a_name_written_twice_is_two_generations(tmp_path: Path) -> None:
    """The name alone does not identify the bytes a notification is about."""
    with EmbeddedGcs("audit-logs", log=tmp_path / "log") as storage:
        first, second = (storage.put("audit/a+b:c", body) for body in (b"one", b"two!"))
        assert first.generation != second.generation
        assert ("audit/a+b:c", "4") == (second.name, second.size)
        url = f"{storage.endpoint_url}/storage/v1/b/audit-logs/o/audit%2Fa%2Bb%3Ac?alt=media"
        assert b"two!" == urllib3.request("GET", url).data


def test_a_program_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    """The error has the program's last output."""
    program = LoopbackProcess(lambda _: ["ls", "--no-such-option"], log=tmp_path / "log")
    with pytest.raises(ProcessError, match=r"ls did not start:\n(?s:.*)no-such-option"), program:
        pass
